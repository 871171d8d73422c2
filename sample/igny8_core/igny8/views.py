"""The pages of a signed-in person: the sites of the tenants that person belongs to, and no others."""

from django.contrib.auth.mixins import LoginRequiredMixin
from django.views.generic import DetailView, ListView

from .models import Site


class _OwnSites(LoginRequiredMixin):
    def get_queryset(self):
        return Site.objects.filter(tenant__memberships__user=self.request.user).select_related("tenant")


class SiteList(_OwnSites, ListView):
    template_name = "igny8/site_list.html"

    def get_queryset(self):
        return super().get_queryset().order_by("tenant_id", "pk")


class SiteDetail(_OwnSites, DetailView):
    template_name = "igny8/site_detail.html"

    def get_context_data(self, **kwargs):
        deployments = self.object.deployments.order_by("-version")
        return super().get_context_data(deployments=deployments, **kwargs)
