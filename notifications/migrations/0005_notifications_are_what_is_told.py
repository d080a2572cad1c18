from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("notifications", "0004_move_into_deliveries"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RemoveConstraint(model_name="notification", name="notifications_state_known"),
        migrations.RemoveConstraint(model_name="notification", name="notifications_sent_when"),
        migrations.RemoveIndex(model_name="notification", name="idx_notifications_waiting"),
        migrations.RemoveIndex(model_name="notification", name="idx_notifications_dead"),
        migrations.RemoveIndex(model_name="notification", name="idx_notifications_recipient"),
        migrations.RenameField(model_name="notification", old_name="next_attempt_at", new_name="not_before"),
        migrations.RemoveField(model_name="notification", name="attempts"),
        migrations.RemoveField(model_name="notification", name="last_error"),
        migrations.RemoveField(model_name="notification", name="lease_until"),
        migrations.RemoveField(model_name="notification", name="sent_at"),
        migrations.RemoveField(model_name="notification", name="state"),
        migrations.AlterModelOptions(name="notification", options={"ordering": ["-not_before", "-id"]}),
        migrations.AddIndex(
            model_name="notification",
            index=models.Index(
                models.F("recipient"),
                models.OrderBy(models.F("not_before"), descending=True),
                models.OrderBy(models.F("id"), descending=True),
                name="idx_notifications_told",
            ),
        ),
        migrations.AddIndex(
            model_name="notification",
            index=models.Index(
                models.F("recipient"),
                models.F("not_before"),
                condition=models.Q(("read_at__isnull", True)),
                name="idx_notifications_unread",
            ),
        ),
        migrations.RemoveField(model_name="preference", name="email"),
        migrations.RemoveField(model_name="preference", name="in_app"),
        migrations.AlterField(model_name="preference", name="channel", field=models.CharField(max_length=20)),
        migrations.AlterField(model_name="preference", name="wanted", field=models.BooleanField()),
        migrations.AddConstraint(
            model_name="preference",
            constraint=models.UniqueConstraint(fields=("user", "kind", "channel"), name="preference_once_per_channel"),
        ),
    ]
