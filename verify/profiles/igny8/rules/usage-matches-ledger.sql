-- id: BIL-51
-- title: Usage entries of the ledger and usage logs match one to one, for the same credits
-- impact: critical
-- remediation: Find the operation that was logged and not charged, or charged and not logged; correct it with a new entry.
-- rationale: Credits are charged for operations: an entry without its log is a charge that nobody can explain.
-- examines: SELECT count(*) FROM public.igny8_credit_ledger WHERE kind = 'usage'
-- tenant: tenant_id
-- sums: difference
SELECT tenant_id, entry_no, COALESCE(l.amount, 0) + COALESCE(u.credits, 0) AS difference
  FROM (SELECT tenant_id, entry_no, amount FROM public.igny8_credit_ledger WHERE kind = 'usage') l
  FULL JOIN (SELECT tenant_id, entry_no, count(*) AS logs, sum(credits) AS credits
               FROM public.igny8_usage_logs GROUP BY tenant_id, entry_no) u USING (tenant_id, entry_no)
 WHERE l.amount IS NULL OR u.logs IS DISTINCT FROM 1 OR l.amount + u.credits <> 0
