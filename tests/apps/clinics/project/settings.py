"""Clinics, each with a schema of its own, as the documentations of django-tenants and django-filer set them up."""

import os

SECRET_KEY = os.environ["SECRET_KEY"]
ALLOWED_HOSTS = ["localhost", ".clinics.example"]
ROOT_URLCONF = "urls"
PUBLIC_SCHEMA_URLCONF = "urls"
SHOW_PUBLIC_IF_NO_TENANT_FOUND = True
TIME_ZONE = "UTC"
USE_TZ = True
STATIC_URL = "/static/"
STATIC_ROOT = os.environ.get("STATIC_ROOT")
MEDIA_URL = "/media/"
MEDIA_ROOT = os.environ.get("MEDIA_ROOT", "/nowhere")
MULTITENANT_RELATIVE_MEDIA_ROOT = ""
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

DATABASES = {
    "default": {
        "ENGINE": "django_tenants.postgresql_backend",
        "HOST": os.environ["DB_HOST"],
        "PORT": os.environ["DB_PORT"],
        "NAME": os.environ["DB_NAME"],
        "USER": os.environ["DB_USER"],
        "PASSWORD": os.environ["DB_PASSWORD"],
    }
}
DATABASE_ROUTERS = ["django_tenants.routers.TenantSyncRouter"]
TENANT_MODEL = "customers.Clinic"
TENANT_DOMAIN_MODEL = "customers.Domain"
SHARED_APPS = [
    "django_tenants",
    "customers",
    "django.contrib.contenttypes",
    "django.contrib.staticfiles",
]
TENANT_APPS = [
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.admin",
    "easy_thumbnails",
    "filer",
    "billing",
]
INSTALLED_APPS = [*SHARED_APPS, *(app for app in TENANT_APPS if app not in SHARED_APPS)]
MIDDLEWARE = [
    "django_tenants.middleware.main.TenantMainMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

_EACH_CLINICS_OWN = {
    "ENGINE": "django_tenants.files.storage.TenantFileSystemStorage",
    "OPTIONS": {},
    "UPLOAD_TO": "filer.utils.generate_filename.randomized",
    "UPLOAD_TO_PREFIX": "files",
}
FILER_STORAGES = {"public": {"main": _EACH_CLINICS_OWN}, "private": {"main": _EACH_CLINICS_OWN}}
