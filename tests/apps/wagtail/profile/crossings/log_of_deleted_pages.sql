SELECT l.id FROM public.wagtailcore_pagelogentry l WHERE l.deleted
