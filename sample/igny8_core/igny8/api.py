"""What a signed-in person can fetch as JSON: the rows of the tenants that the person belongs to, and no others."""

from django.contrib.auth.mixins import LoginRequiredMixin
from django.http import JsonResponse
from django.shortcuts import get_object_or_404
from django.views import View

from .models import Content, Invoice, Site, Task

PAGE = 100


class _OwnRows(LoginRequiredMixin, View):
    """`tenant` is the way from a row to its tenant, in the ORM's words."""

    model = None
    tenant = "tenant"
    fields = ()

    def get_queryset(self):
        members = {f"{self.tenant}__memberships__user": self.request.user}
        return self.model.objects.filter(**members).order_by("pk").values("pk", *self.fields)


class RowList(_OwnRows):
    def get(self, request):
        found = self.get_queryset()
        return JsonResponse({"count": found.count(), "results": list(found[:PAGE])})


class RowDetail(_OwnRows):
    def get(self, request, pk):
        return JsonResponse(get_object_or_404(self.get_queryset(), pk=pk))


SITES = {"model": Site, "fields": ("name", "domain", "status")}
CONTENT = {"model": Content, "tenant": "sector__site__tenant", "fields": ("title", "slug", "status")}
INVOICES = {"model": Invoice, "fields": ("number", "status", "total", "currency")}
TASKS = {"model": Task, "fields": ("kind", "status", "created_at")}
