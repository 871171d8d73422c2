-- id: BIL-51
-- title: What a source of payment says it took and gave back is what its transactions say
-- impact: critical
-- remediation: Compare with the processor's own statement; the transactions are the record, the amounts of the source a sum.
-- rationale: Oscar adds to the source and writes a transaction: half of that is money taken twice, or never.
-- examines: SELECT count(*) FROM public.payment_source
SELECT p.id, p.amount_debited - COALESCE(t.debited, 0) AS debited_difference,
       p.amount_refunded - COALESCE(t.refunded, 0) AS refunded_difference
  FROM public.payment_source p
  LEFT JOIN (SELECT source_id, sum(amount) FILTER (WHERE txn_type = 'Debit') AS debited,
                    sum(amount) FILTER (WHERE txn_type = 'Refund') AS refunded
               FROM public.payment_transaction GROUP BY 1) t ON t.source_id = p.id
 WHERE (p.amount_debited, p.amount_refunded) <> (COALESCE(t.debited, 0), COALESCE(t.refunded, 0))
    OR p.amount_refunded > p.amount_debited
