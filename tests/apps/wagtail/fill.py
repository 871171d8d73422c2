"""Fills Wagtail through its own models: an agency's customers, each with a site, a tree of pages, images and documents."""

import io

import django

django.setup()

from django.contrib.auth.models import Group, Permission, User  # noqa: E402
from django.core.files.base import ContentFile  # noqa: E402
from django.core.management import call_command  # noqa: E402
from PIL import Image as Picture  # noqa: E402
from wagtail.contrib.forms.models import FormSubmission  # noqa: E402
from wagtail.contrib.redirects.models import Redirect  # noqa: E402
from wagtail.documents.models import Document  # noqa: E402
from wagtail.images.models import Image  # noqa: E402
from wagtail.models import (  # noqa: E402
    Collection,
    Comment,
    GroupCollectionPermission,
    GroupPagePermission,
    Page,
    Site,
    Workflow,
)

CUSTOMERS = ("bakery", "choir", "dentist", "florist")
SECTIONS = 3
ARTICLES = 4


def picture(shade: int) -> bytes:
    file = io.BytesIO()
    Picture.new("RGB", (60, 40), (shade % 256, 90, 30)).save(file, "PNG")
    return file.getvalue()


def published(parent: Page, title: str, editor: User) -> Page:
    page = parent.add_child(instance=Page(title=title, slug=title.lower().replace(" ", "-"), owner=editor))
    page.save_revision(user=editor).publish(user=editor)
    page.title = f"{title}, again"
    page.save_revision(user=editor)
    return page


def access(group: Group, home: Page, collection: Collection) -> None:
    """As an agency does it: a group of editors for one site's pages and for one collection of its files."""
    for codename in ("add_page", "change_page", "publish_page"):
        GroupPagePermission.objects.create(group=group, page=home, permission=pages_may(codename))
    for codename in ("add_image", "add_document"):
        GroupCollectionPermission.objects.create(
            group=group, collection=collection, permission=Permission.objects.get(codename=codename)
        )


def pages_may(codename: str) -> Permission:
    return Permission.objects.get(codename=codename, content_type__app_label="wagtailcore")


call_command("migrate", verbosity=0, interactive=False)
Site.objects.all().delete()
Page.objects.filter(depth=2).first().delete()
top, files = Page.get_first_root_node(), Collection.get_first_root_node()
agency = User.objects.create_superuser("agency", "agency@agency.example", "not-a-secret")
workflow = Workflow.objects.first()
for number, customer in enumerate(CUSTOMERS):
    editor = User.objects.create_user(customer, f"editor@{customer}.example", "not-a-secret")
    group = Group.objects.create(name=f"Editors of {customer}")
    editor.groups.add(group)
    home = published(top, customer, agency)
    site = Site.objects.create(hostname=f"{customer}.example", root_page=home, is_default_site=number == 0)
    collection = files.add_child(instance=Collection(name=customer))
    access(group, home, collection)
    for section in range(SECTIONS):
        part = published(home, f"Part {section}", editor)
        for article in range(ARTICLES):
            page = published(part, f"Article {article}", editor)
        Comment.objects.create(page=page, user=agency, text="shorter", contentpath="title")
        FormSubmission.objects.create(page=page, form_data={"name": "a visitor"})
        Redirect.objects.create(site=site, old_path=f"/old-{section}", redirect_page=page)
        image = Image.objects.create(
            title=f"Image {section}",
            file=ContentFile(picture(number * 60 + section), name=f"{customer}-{section}.png"),
            collection=collection,
            uploaded_by_user=editor,
        )
        image.get_rendition("fill-20x20")
        image.get_file_size()  # asked for, it is stored
        image.tags.add("in the shop window")
        menu = Document.objects.create(
            title=f"Menu {section}",
            file=ContentFile(f"menu {section} of {customer}".encode(), name=f"{customer}-{section}.txt"),
            collection=collection,
            uploaded_by_user=editor,
        )
        menu.get_file_size()
    workflow.start(page, editor)
