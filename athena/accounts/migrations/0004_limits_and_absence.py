from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0003_digest_and_calendar"),
    ]

    operations = [
        migrations.AddField(
            model_name="user",
            name="away_until",
            field=models.DateField(
                blank=True,
                help_text="Their last day away. Until then assignment rules give them no new leads.",
                null=True,
            ),
        ),
        migrations.AddField(
            model_name="user",
            name="max_open_leads",
            field=models.PositiveIntegerField(
                blank=True, help_text="They are given no more open leads than this. Empty: any number.", null=True
            ),
        ),
        migrations.AddConstraint(
            model_name="user",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("max_open_leads__isnull", True), ("max_open_leads__range", (0, 100000)), _connector="OR"
                ),
                name="users_max_open_leads",
            ),
        ),
    ]
