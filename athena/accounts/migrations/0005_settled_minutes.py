from django.db import migrations, models

SETTLED = "UPDATE users SET settled_minutes = reminder_minutes"


class Migration(migrations.Migration):
    dependencies = [("accounts", "0004_limits_and_absence")]

    operations = [
        migrations.AddField(
            model_name="user",
            name="settled_minutes",
            field=models.PositiveIntegerField(db_default=30, default=30, editable=False),
        ),
        migrations.RunSQL(SETTLED, migrations.RunSQL.noop),
    ]
