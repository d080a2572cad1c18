from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "athena.accounts"
    label = "accounts"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from athena.accounts import time_zone_checks  # noqa: F401 - registers them
