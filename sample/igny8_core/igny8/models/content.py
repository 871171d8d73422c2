"""What tenants write: content and its images, the keywords it aims at, and the tasks that make it."""

import uuid

from django.contrib.postgres.indexes import GinIndex
from django.db import models

from ..columns import LargeObjectField
from .sites import Sector, Site
from .tenancy import Tenant, User


class Tag(models.Model):
    tenant = models.ForeignKey(Tenant, models.CASCADE, related_name="tags")
    name = models.CharField(max_length=60)

    class Meta:
        db_table = "igny8_tags"
        constraints = [models.UniqueConstraint(fields=["tenant", "name"], name="igny8_tag_once")]

    def __str__(self):
        return self.name


class Content(models.Model):
    """The big table; a row belongs to a tenant only through its sector and that sector's site."""

    sector = models.ForeignKey(Sector, models.CASCADE, related_name="content")
    parent = models.ForeignKey("self", models.SET_NULL, null=True, blank=True, related_name="children")
    author = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="content")
    title = models.CharField(max_length=300)
    slug = models.CharField(max_length=120)
    body = models.TextField()
    # Kept by a trigger on Postgres.
    body_sha256 = models.BinaryField(null=True, editable=False)
    body_length = models.PositiveIntegerField(null=True, blank=True)
    language = models.CharField(max_length=12)
    status = models.CharField(max_length=20, choices=[(s, s) for s in ("draft", "review", "published")])
    metadata = models.JSONField(default=dict)
    created_at = models.DateTimeField()
    tags = models.ManyToManyField(Tag, db_table="igny8_content_tags", related_name="content")

    class Meta:
        db_table = "igny8_content"
        verbose_name_plural = "content"
        indexes = [GinIndex(fields=["title"], opclasses=["gin_trgm_ops"], name="igny8_content_title_trgm")]

    def __str__(self):
        return self.title


class Keyword(models.Model):
    tenant = models.ForeignKey(Tenant, models.CASCADE, related_name="keywords")
    site = models.ForeignKey(Site, models.CASCADE, related_name="keywords")
    phrase = models.CharField(max_length=200)
    monthly_searches = models.PositiveIntegerField()
    difficulty = models.FloatField()

    class Meta:
        db_table = "igny8_keywords"
        indexes = [GinIndex(fields=["phrase"], opclasses=["gin_trgm_ops"], name="igny8_keyword_phrase_trgm")]

    def __str__(self):
        return self.phrase


class Task(models.Model):
    """A piece of automation, known outside by a key of its own."""

    task_key = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    tenant = models.ForeignKey(Tenant, models.CASCADE, related_name="tasks")
    content = models.ForeignKey(Content, models.SET_NULL, null=True, blank=True, related_name="tasks")
    keyword = models.ForeignKey(Keyword, models.SET_NULL, null=True, blank=True, related_name="tasks")
    kind = models.CharField(max_length=40)
    status = models.CharField(max_length=20, choices=[(s, s) for s in ("queued", "running", "done", "failed")])
    payload = models.JSONField(default=dict)
    took = models.DurationField(null=True, blank=True)
    created_at = models.DateTimeField()

    class Meta:
        db_table = "igny8_tasks"

    def __str__(self):
        return self.kind


class Image(models.Model):
    """An upload at sites-data/<path>; it belongs to a tenant only through content, sector and site."""

    content = models.ForeignKey(Content, models.CASCADE, related_name="images")
    path = models.CharField(max_length=300, unique=True)
    sha256 = models.CharField(max_length=64)
    bytes = models.PositiveIntegerField()
    # The untouched original, as a large object.
    original = LargeObjectField(null=True, blank=True)

    class Meta:
        db_table = "igny8_images"

    def __str__(self):
        return self.path
