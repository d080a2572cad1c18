from django.db import migrations, models

import athena.db


class Migration(migrations.Migration):
    """Logins from before count from now on."""

    dependencies = [("accounts", "0005_settled_minutes")]

    operations = [
        migrations.AddField(
            model_name="loginsession",
            name="started_at",
            field=models.DateTimeField(db_default=athena.db.Now()),
        ),
    ]
