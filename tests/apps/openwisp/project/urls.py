"""The addresses of OpenWISP's users and IP addresses."""

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("admin/", admin.site.urls),
    path("api/v1/", include("openwisp_utils.api.urls")),
    path("api/v1/users/", include("openwisp_users.api.urls")),
    path("", include("openwisp_ipam.urls")),
]
