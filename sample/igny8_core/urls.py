"""Every address the sample answers at."""

from django.contrib import admin
from django.contrib.auth.views import LoginView
from django.urls import path
from igny8_core.health import healthz
from igny8_core.igny8 import api
from igny8_core.igny8.views import SiteDetail, SiteList

urlpatterns = [
    path("healthz", healthz, name="healthz"),
    path("admin/", admin.site.urls),
    path("login/", LoginView.as_view(template_name="igny8/login.html"), name="login"),
    path("sites/", SiteList.as_view(), name="sites"),
    path("sites/<int:pk>/", SiteDetail.as_view(), name="site"),
    path("api/sites/", api.RowList.as_view(**api.SITES)),
    path("api/sites/<int:pk>/", api.RowDetail.as_view(**api.SITES)),
    path("api/content/", api.RowList.as_view(**api.CONTENT)),
    path("api/content/<int:pk>/", api.RowDetail.as_view(**api.CONTENT)),
    path("api/invoices/", api.RowList.as_view(**api.INVOICES)),
    path("api/invoices/<int:pk>/", api.RowDetail.as_view(**api.INVOICES)),
    path("api/tasks/", api.RowList.as_view(**api.TASKS)),
    path("api/tasks/<uuid:pk>/", api.RowDetail.as_view(**api.TASKS)),
]
