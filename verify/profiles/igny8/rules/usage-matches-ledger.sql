-- id: BIL-51
-- title: Every usage entry of the ledger has its usage log, for the same credits
-- impact: critical
-- remediation: Find the operation that was logged and not charged, or charged and not logged; correct it with a new entry.
-- rationale: Credits are charged for operations: an entry without its log is a charge that nobody can explain.
-- examines: SELECT count(*) FROM igny8_credit_ledger WHERE kind = 'usage'
SELECT l.tenant_id, l.entry_no, l.amount + COALESCE(sum(u.credits), 0) AS difference
  FROM igny8_credit_ledger l
  LEFT JOIN igny8_usage_logs u ON u.tenant_id = l.tenant_id AND u.entry_no = l.entry_no
 WHERE l.kind = 'usage'
 GROUP BY l.tenant_id, l.entry_no, l.amount
HAVING count(u.entry_no) <> 1 OR l.amount + sum(u.credits) <> 0
