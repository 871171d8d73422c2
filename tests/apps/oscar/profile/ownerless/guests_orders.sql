SELECT o.id FROM public.order_order o WHERE o.guest_email <> ''
