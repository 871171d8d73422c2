-- A basket that no customer ever ordered from: a visitor filled it.
SELECT b.id FROM public.basket_basket b
 WHERE NOT EXISTS (SELECT FROM public.order_order o WHERE o.basket_id = b.id AND o.user_id IS NOT NULL)
