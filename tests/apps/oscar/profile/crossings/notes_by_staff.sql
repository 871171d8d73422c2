SELECT n.id FROM public.order_ordernote n JOIN public.auth_user u ON u.id = n.user_id WHERE u.is_staff
