from django.apps import AppConfig


class AthenaConfig(AppConfig):
    name = "athena"
    default_auto_field = "django.db.models.BigAutoField"
