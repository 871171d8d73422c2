"""Where in its migration history the sample's dump is taken."""

# Three migrations behind the code: a data migration, a NOT NULL column and an index are still to come.
DUMPED_AT = "0006_postgres_features"
STILL_TO_COME = ("0007_content_body_length", "0008_site_locale", "0009_content_title_index")
