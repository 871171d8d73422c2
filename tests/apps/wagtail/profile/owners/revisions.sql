-- Whatever a revision is of, here it is of a page.
SELECT r.id, of.tenant FROM public.wagtailcore_revision r
  JOIN (
    SELECT p.id::text AS page, s.id AS tenant
      FROM public.wagtailcore_page p
      JOIN public.wagtailcore_page root ON left(p.path, length(root.path)) = root.path
      JOIN public.wagtailcore_site s ON s.root_page_id = root.id
  ) of ON of.page = r.object_id
