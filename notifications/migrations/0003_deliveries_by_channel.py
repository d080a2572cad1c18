import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import athena.db


class Migration(migrations.Migration):
    dependencies = [
        ("notifications", "0002_dead_index"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Delivery",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("channel", models.CharField(max_length=20)),
                (
                    "state",
                    models.CharField(
                        choices=[("waiting", "Waiting"), ("sent", "Sent"), ("dead", "Given up"), ("off", "Not wanted")],
                        db_default="waiting",
                        default="waiting",
                        max_length=10,
                    ),
                ),
                ("next_attempt_at", models.DateTimeField(db_default=athena.db.Now())),
                ("attempts", models.IntegerField(db_default=0, default=0)),
                ("lease_until", models.DateTimeField(null=True)),
                ("ended_at", models.DateTimeField(null=True)),
                ("last_error", models.CharField(blank=True, db_default="", default="", max_length=500)),
                ("retried_at", models.DateTimeField(null=True)),
                (
                    "notification",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="deliveries",
                        to="notifications.notification",
                    ),
                ),
                (
                    "retried_by",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "db_table": "notification_deliveries",
                "verbose_name_plural": "deliveries",
                "ordering": ["-id"],
                "indexes": [
                    models.Index(
                        models.F("channel"),
                        models.F("next_attempt_at"),
                        models.F("id"),
                        condition=models.Q(("state", "waiting")),
                        name="idx_deliveries_waiting",
                    ),
                    models.Index(
                        models.F("ended_at"),
                        condition=models.Q(("ended_at__isnull", False)),
                        name="idx_deliveries_ended",
                    ),
                    models.Index(models.F("id"), condition=models.Q(("state", "dead")), name="idx_deliveries_dead"),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("notification", "channel"), name="delivery_once_per_channel"),
                    models.CheckConstraint(
                        condition=models.Q(("state__in", ["waiting", "sent", "dead", "off"])),
                        name="delivery_state_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("ended_at__isnull", True), ("state", "waiting")),
                            models.Q(models.Q(("state", "waiting"), _negated=True), ("ended_at__isnull", False)),
                            _connector="OR",
                        ),
                        name="delivery_ended_when",
                    ),
                ],
            },
        ),
        migrations.RemoveConstraint(model_name="preference", name="preference_once_per_kind"),
        migrations.AddField(
            model_name="preference", name="channel", field=models.CharField(max_length=20, default="email")
        ),
        migrations.AddField(model_name="preference", name="wanted", field=models.BooleanField(default=True)),
    ]
