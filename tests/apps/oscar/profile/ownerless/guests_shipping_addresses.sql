SELECT o.shipping_address_id AS id FROM public.order_order o WHERE o.guest_email <> ''
