-- A collection is the site's whose editors may add to it.
SELECT DISTINCT c.collection_id AS id, s.id AS tenant
  FROM public.wagtailcore_groupcollectionpermission c
  JOIN public.wagtailcore_grouppagepermission p ON p.group_id = c.group_id
  JOIN public.wagtailcore_site s ON s.root_page_id = p.page_id
