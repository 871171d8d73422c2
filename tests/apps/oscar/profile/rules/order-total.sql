-- id: BIL-51
-- title: An order's total is its lines, its shipping and its surcharges
-- impact: critical
-- remediation: Find what wrote the total or the line afterwards; what the customer agreed to pay stands in the confirmation.
-- rationale: Lines are stored with their discounts taken off, so that nothing but shipping and surcharges comes on top.
-- examines: SELECT count(*) FROM order_order
SELECT o.id, o.total_incl_tax - o.shipping_incl_tax - COALESCE(l.amount, 0) - COALESCE(s.amount, 0) AS difference
  FROM order_order o
  LEFT JOIN (SELECT order_id, sum(line_price_incl_tax) AS amount FROM order_line GROUP BY 1) l ON l.order_id = o.id
  LEFT JOIN (SELECT order_id, sum(incl_tax) AS amount FROM order_surcharge GROUP BY 1) s ON s.order_id = o.id
 WHERE o.total_incl_tax - o.shipping_incl_tax - COALESCE(l.amount, 0) - COALESCE(s.amount, 0) <> 0
