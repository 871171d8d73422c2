"""Content and everything around it: tags, keywords, tasks and images."""

import hashlib
import json
from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID

from . import canary
from .outline import CONTENT_A_SECTOR, TAGS_A_TENANT, Outline
from .rows import Rows
from .scripts import AWKWARD, LANGUAGES, body, title, words
from .sites_data import site_pages, upload

FIRST_LARGE_OBJECT = 900_001
_KINDS = ("write_article", "cluster_keywords", "make_image", "publish_site")


def tables(outline: Outline) -> Iterator[Rows]:
    yield Rows("igny8_tags", ("id", "tenant_id", "name"), _tags(outline))
    yield Rows(
        "igny8_content",
        (
            *("id", "sector_id", "parent_id", "author_id", "title", "slug", "body"),
            *("language", "status", "metadata", "created_at"),
        ),
        _content(outline),
    )
    yield Rows("igny8_content_tags", ("id", "content_id", "tag_id"), _content_tags(outline))
    yield Rows(
        "igny8_keywords",
        ("id", "tenant_id", "site_id", "phrase", "monthly_searches", "difficulty"),
        _keywords(outline),
    )
    yield Rows(
        "igny8_tasks",
        (
            *("task_key", "tenant_id", "content_id", "keyword_id"),
            *("kind", "status", "payload", "took", "created_at"),
        ),
        _tasks(outline),
        key=None,
    )
    yield Rows("igny8_images", ("id", "content_id", "path", "sha256", "bytes", "original"), _images(outline))


def _tags(outline: Outline) -> Iterator[tuple[object, ...]]:
    for tenant in outline.tenants:
        for place in range(TAGS_A_TENANT):
            vocabulary = words(LANGUAGES[place % len(LANGUAGES)])
            yield (tenant.id - 1) * TAGS_A_TENANT + place + 1, tenant.id, f"{place}-{vocabulary[place]}"[:60]


def _content(outline: Outline) -> Iterator[tuple[object, ...]]:
    for site in outline.sites:
        authors = outline.tenants[site.tenant - 1].users
        pages = dict(zip(site.content, site_pages(site) if site.version is not None else [], strict=False))
        for content in site.content:
            random = outline.random("content", content)
            sector = (content - 1) // CONTENT_A_SECTOR + 1
            first = (sector - 1) * CONTENT_A_SECTOR + 1
            parent = random.randrange(first, content) if content > first and random.random() < 0.3 else None
            author = random.choice(authors) if random.random() < 0.9 else None
            language = site.language if random.random() < 0.9 else random.choice(LANGUAGES)
            name = title(language, random)[:300]
            text = body(language, random, random.randint(100, 800))
            if content % 97 == 0:
                text += "\n" + AWKWARD[content // 97 % len(AWKWARD)]
            if content == 5:
                name, text = f"About {canary.NAME}", f"{canary.SENTENCE}\n\n{text}"
            status = random.choices(("draft", "review", "published"), (1, 1, 3))[0]
            metadata = {"score": random.randrange(1000) / 10, "reviewed": random.random() < 0.5}
            if content in pages:
                metadata["page"] = pages[content]
            at = outline.any_moment(random)
            slug = f"piece-{content}"
            yield content, sector, parent, author, name, slug, text, language, status, json.dumps(metadata), at


def _content_tags(outline: Outline) -> Iterator[tuple[object, ...]]:
    number = 0
    for site in outline.sites:
        first = (site.tenant - 1) * TAGS_A_TENANT + 1
        random = outline.random("content tags", site.id)
        for content in site.content:
            for tag in random.sample(range(first, first + TAGS_A_TENANT), random.randrange(4)):
                number += 1
                yield number, content, tag


def _keywords(outline: Outline) -> Iterator[tuple[object, ...]]:
    for site in outline.sites:
        random = outline.random("keywords", site.id)
        for keyword in site.keywords:
            phrase = " ".join(random.choices(words(site.language), k=random.randint(1, 4)))[:200]
            yield keyword, site.tenant, site.id, phrase, random.randrange(100_000), random.random() * 100


def _tasks(outline: Outline) -> Iterator[tuple[object, ...]]:
    for site in outline.sites:
        random = outline.random("tasks", site.id)
        for number in range(100):
            key = UUID(int=random.getrandbits(128), version=4)
            content = random.choice(site.content) if random.random() < 0.7 else None
            keyword = random.choice(site.keywords) if random.random() < 0.4 else None
            status = random.choices(("queued", "running", "done", "failed"), (4, 1, 90, 5))[0]
            took = timedelta(milliseconds=random.randrange(600_000)) if status in ("done", "failed") else None
            payload: dict[str, object] = {"attempt": random.randint(1, 3), "prompt": title(site.language, random)}
            if content is not None:
                payload |= {"content_id": content}
            if site.id == 1 and number == 7:
                payload |= {"contact": canary.EMAIL, "key": canary.SECRET}
            sent = json.dumps(payload, ensure_ascii=False)
            at = outline.any_moment(random)
            yield key, site.tenant, content, keyword, random.choice(_KINDS), status, sent, took, at


def _images(outline: Outline) -> Iterator[tuple[object, ...]]:
    for tenant, image, content in outline.images():
        path, picture = upload(outline, tenant, image)
        original = FIRST_LARGE_OBJECT + image if has_original(image) else None
        yield image, content, path, hashlib.sha256(picture).hexdigest(), len(picture), original


def has_original(image: int) -> bool:
    return image % 10 == 1


def large_objects(outline: Outline) -> Iterator[tuple[int, bytes]]:
    """(oid, bytes) of each original that is kept; the oids are chosen, so that they are the same every time."""
    for _, image, _ in outline.images():
        if has_original(image):
            yield FIRST_LARGE_OBJECT + image, outline.random("original", image).randbytes(3000)
