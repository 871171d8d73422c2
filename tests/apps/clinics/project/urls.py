"""What a clinic's staff sees, what each of its patients sees, and one address by which a server is known to answer."""

from billing.models import Invoice
from django.contrib import admin
from django.contrib.auth.mixins import LoginRequiredMixin
from django.db.models import QuerySet
from django.http import HttpResponse, JsonResponse
from django.urls import path
from django.views.generic import DetailView, ListView


class OwnInvoices(LoginRequiredMixin):
    model = Invoice

    def get_queryset(self) -> QuerySet[Invoice]:
        return Invoice.objects.filter(patient__user=self.request.user)


class Invoices(OwnInvoices, ListView):
    def render_to_response(self, context: dict, **_: object) -> JsonResponse:
        return JsonResponse([{"id": each.pk, "number": each.number} for each in self.object_list], safe=False)


class OneInvoice(OwnInvoices, DetailView):
    def render_to_response(self, context: dict, **_: object) -> HttpResponse:
        return HttpResponse(f"{self.object.number}: {self.object.total}")


admin.site.register(Invoice)
urlpatterns = [
    path("healthz", lambda request: HttpResponse("ok")),
    path("invoices/", Invoices.as_view()),
    path("invoices/<int:pk>/", OneInvoice.as_view()),
    path("admin/", admin.site.urls),
]
