from django.apps import AppConfig


class SalesConfig(AppConfig):
    name = "sales"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from notifications import kinds
        from sales import checks  # noqa: F401 - registers them
        from sales.notification_kinds import KINDS

        kinds.register(*KINDS)
