-- id: TEN-51
-- title: Every site has an editor who can log in
-- impact: high
-- remediation: Find out when the site lost its editors: nobody but the agency could change it after a recovery.
-- rationale: A site's pages may be changed by the groups that have permission on its root page, and by nobody else.
-- examines: SELECT count(*) FROM wagtailcore_site
SELECT s.id FROM wagtailcore_site s
 WHERE NOT EXISTS (SELECT FROM wagtailcore_grouppagepermission p
                     JOIN auth_user_groups g ON g.group_id = p.group_id
                     JOIN auth_user u ON u.id = g.user_id
                    WHERE p.page_id = s.root_page_id AND u.is_active AND left(u.password, 1) <> '!')
