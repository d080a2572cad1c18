from django.db import migrations, models

STATES = ["waiting", "sent", "dead", "off", "lapsed"]


class Migration(migrations.Migration):
    dependencies = [("notifications", "0005_notifications_are_what_is_told")]

    operations = [
        migrations.RemoveConstraint(model_name="delivery", name="delivery_state_known"),
        migrations.AlterField(
            model_name="delivery",
            name="state",
            field=models.CharField(
                choices=[
                    ("waiting", "Waiting"),
                    ("sent", "Sent"),
                    ("dead", "Failed"),
                    ("off", "Turned off"),
                    ("lapsed", "Out of date"),
                ],
                db_default="waiting",
                default="waiting",
                max_length=10,
            ),
        ),
        migrations.AddConstraint(
            model_name="delivery",
            constraint=models.CheckConstraint(condition=models.Q(state__in=STATES), name="delivery_state_known"),
        ),
    ]
