-- What was given back for an order: a transaction names the source of its payment, and that names the order.
SELECT s.order_id AS document, t.amount
  FROM public.payment_transaction t JOIN public.payment_source s ON s.id = t.source_id
 WHERE t.txn_type = 'Refund'
