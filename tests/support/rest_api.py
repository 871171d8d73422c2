"""A REST API of the sample's rows, on Django REST framework: put beside the sample's URL conf, it is asked as its own."""

from igny8_core.igny8.models import Content, Image, Invoice, Keyword, Site
from rest_framework import permissions, routers, serializers, viewsets


class OfTheirTenants:
    """What signed-in people may see: rows of the tenants that they belong to. `tenant` is the way there."""

    permission_classes = (permissions.IsAuthenticated,)
    tenant = "tenant"

    def get_queryset(self):
        members = {f"{self.tenant}__memberships__user": self.request.user}
        return self.queryset.filter(**members).order_by("pk")


def shown(shown_model, *shown_fields):
    """A serializer of these fields."""

    class Shown(serializers.ModelSerializer):
        class Meta:
            model = shown_model
            fields = ("pk", *shown_fields)

    return Shown


class Sites(OfTheirTenants, viewsets.ModelViewSet):
    queryset = Site.objects.all()
    serializer_class = shown(Site, "name", "domain")


class Invoices(OfTheirTenants, viewsets.ReadOnlyModelViewSet):
    """Found by its number, which is each tenant's own."""

    queryset = Invoice.objects.all()
    serializer_class = shown(Invoice, "number", "total")


class LeakyKeywords(OfTheirTenants, viewsets.ModelViewSet):
    """Its list shows people what is theirs, its details show everything: the leak that a list never tells of."""

    queryset = Keyword.objects.all()
    serializer_class = shown(Keyword, "phrase")

    def get_object(self):
        return Keyword.objects.get(pk=self.kwargs["pk"])


class ContentOfSite(OfTheirTenants, viewsets.ReadOnlyModelViewSet):
    """Below a site, and held to it."""

    queryset = Content.objects.all()
    serializer_class = shown(Content, "title")
    tenant = "sector__site__tenant"

    def get_queryset(self):
        return super().get_queryset().filter(sector__site=self.kwargs["site_pk"])


class LeakyImagesOfSite(viewsets.ReadOnlyModelViewSet):
    """Below a site that must be one's own; that the image is of that site, nobody asks."""

    permission_classes = (permissions.IsAuthenticated,)
    queryset = Image.objects.all()
    serializer_class = shown(Image, "path")

    def get_queryset(self):
        own = Site.objects.filter(pk=self.kwargs["site_pk"], tenant__memberships__user=self.request.user)
        return Image.objects.all() if own.exists() else Image.objects.none()


router = routers.DefaultRouter()
router.register("sites", Sites)
router.register("invoices", Invoices)
router.register("keywords", LeakyKeywords)
router.register("sites/(?P<site_pk>[0-9]+)/content", ContentOfSite, basename="site-content")
router.register("sites/(?P<site_pk>[0-9]+)/images", LeakyImagesOfSite, basename="site-images")
