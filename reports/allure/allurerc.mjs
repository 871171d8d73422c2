// One file, no history of its own: a drill's page stands alone, beside its evidence.
export default {
  name: "Restore drill",
  plugins: {
    awesome: {
      options: { singleFile: true, reportLanguage: "en", groupBy: ["feature", "story"] },
    },
  },
};
