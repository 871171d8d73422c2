"""What a clinic's staff sees, and one address by which a server is known to answer."""

from billing.models import Invoice
from django.contrib import admin
from django.http import HttpResponse
from django.urls import path

admin.site.register(Invoice)
urlpatterns = [path("healthz", lambda request: HttpResponse("ok")), path("admin/", admin.site.urls)]
