// One file, that stands alone beside its evidence; the history is made from the evidence of the drills before.
export default {
  name: "Restore drill",
  historyPath: process.env.DRILL_HISTORY,
  appendHistory: false,
  categories: {
    rules: [
      { name: "Findings", matchers: { statuses: ["failed"] }, groupBy: ["severity"], groupByMessage: false, expand: true },
      { name: "Blocked: could not be tried", matchers: { statuses: ["broken"] }, groupByMessage: true },
      { name: "Waived: failed, and accepted until a date", matchers: { labels: { outcome: "^waived$" } }, groupByMessage: false },
    ],
  },
  plugins: {
    awesome: {
      options: {
        singleFile: true,
        reportLanguage: "en",
        groupBy: ["feature", "story"],
        charts: [
          { type: "currentStatus", title: "This drill" },
          { type: "statusDynamics", title: "Outcomes, drill by drill", limit: 30 },
          { type: "testResultSeverities", title: "By impact", levels: ["blocker", "critical", "normal", "minor"] },
        ],
      },
    },
  },
};
