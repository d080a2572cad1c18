from django.apps import AppConfig
from django.contrib.admin import apps as admin_apps


class AthenaConfig(AppConfig):
    default = True
    name = "athena"
    default_auto_field = "django.db.models.BigAutoField"


class AdminConfig(admin_apps.AdminConfig):
    """Django's admin with Athena's own site."""

    default = False
    default_site = "athena.admin.site.AthenaSite"
