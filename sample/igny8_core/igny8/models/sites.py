"""What tenants publish: their sites, the sectors they are divided into, and what was deployed when."""

from django.db import models

from .tenancy import Tenant, User


class Site(models.Model):
    """A published site; its files lie under sites-data/clients/<id>/v<current_version>/."""

    tenant = models.ForeignKey(Tenant, models.CASCADE, related_name="sites")
    name = models.CharField(max_length=120)
    slug = models.SlugField(max_length=80)
    domain = models.CharField(max_length=200, unique=True)
    status = models.CharField(max_length=20, choices=[(s, s) for s in ("active", "draft", "archived")])
    current_version = models.PositiveIntegerField(null=True, blank=True)
    created_at = models.DateTimeField()
    locale = models.CharField(max_length=12, default="en")

    class Meta:
        db_table = "igny8_sites"
        constraints = [models.UniqueConstraint(fields=["tenant", "slug"], name="igny8_site_slug_once")]

    def __str__(self):
        return self.name


class Sector(models.Model):
    """A part of a site, possibly within another part; it belongs to a tenant only through its site."""

    site = models.ForeignKey(Site, models.CASCADE, related_name="sectors")
    parent = models.ForeignKey("self", models.CASCADE, null=True, blank=True, related_name="children")
    name = models.CharField(max_length=120)
    position = models.PositiveSmallIntegerField()

    class Meta:
        db_table = "igny8_sectors"

    def __str__(self):
        return self.name


class Deployment(models.Model):
    """One version of a site that was sent out.

    content_digest is the sha256 (hex) over the lines "<sha256 hex of file>  <path>\\n" of all regular files in
    the version's folder, path relative to it, '/'-separated, UTF-8, lines sorted by the path's bytes.
    """

    site = models.ForeignKey(Site, models.CASCADE, related_name="deployments")
    version = models.PositiveIntegerField()
    content_digest = models.CharField(max_length=64)
    status = models.CharField(max_length=20, choices=[(s, s) for s in ("live", "superseded", "failed")])
    deployed_at = models.DateTimeField()
    deployed_by = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="deployments")

    class Meta:
        db_table = "igny8_deployments"
        constraints = [
            models.UniqueConstraint(fields=["site", "version"], name="igny8_deployment_once"),
            models.CheckConstraint(condition=models.Q(version__gte=1), name="igny8_deployment_version"),
        ]

    def __str__(self):
        return f"v{self.version}"
