-- A tag on an image or document belongs to its site.
WITH pages AS (
    SELECT p.id::text AS page, s.id AS tenant
      FROM public.wagtailcore_page p
      JOIN public.wagtailcore_page root ON left(p.path, length(root.path)) = root.path
      JOIN public.wagtailcore_site s ON s.root_page_id = root.id
), collections AS (
    SELECT DISTINCT c.collection_id AS id, s.id AS tenant
      FROM public.wagtailcore_groupcollectionpermission c
      JOIN public.wagtailcore_grouppagepermission p ON p.group_id = c.group_id
      JOIN public.wagtailcore_site s ON s.root_page_id = p.page_id
), things AS (
    SELECT 'wagtailcore.page' AS model, page AS id, tenant FROM pages
    UNION ALL
    SELECT 'wagtailcore.collection', id::text, tenant FROM collections
    UNION ALL
    SELECT 'wagtailcore.site', id::text, id FROM public.wagtailcore_site
    UNION ALL
    SELECT 'wagtailimages.image', i.id::text, c.tenant
      FROM public.wagtailimages_image i JOIN collections c ON c.id = i.collection_id
    UNION ALL
    SELECT 'wagtaildocs.document', d.id::text, c.tenant
      FROM public.wagtaildocs_document d JOIN collections c ON c.id = d.collection_id
    UNION ALL
    SELECT 'wagtailredirects.redirect', id::text, site_id FROM public.wagtailredirects_redirect
)
SELECT e.id, of.tenant FROM public.taggit_taggeditem e
  JOIN public.django_content_type t ON t.id = e.content_type_id
  JOIN things of ON of.model = t.app_label || '.' || t.model AND of.id = e.object_id::text
