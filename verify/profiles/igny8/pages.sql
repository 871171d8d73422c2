-- A published page is made of one piece of content, which keeps the page's path among its metadata.
SELECT c.id, s.site_id AS site, c.metadata ->> 'page' AS path
FROM public.igny8_content c JOIN public.igny8_sectors s ON s.id = c.sector_id
WHERE c.metadata ? 'page'
ORDER BY c.id
