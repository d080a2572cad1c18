from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("sales", "0020_plain_texts_of_follow_ups"),
    ]

    operations = [
        migrations.AlterField(
            model_name="importrow",
            name="state",
            field=models.CharField(
                choices=[
                    ("staged", "Not checked yet"),
                    ("ready", "Ready"),
                    ("wrong", "Wrong"),
                    ("created", "Created"),
                    ("updated", "Updated"),
                    ("skipped", "Skipped"),
                    ("undone", "Undone"),
                    ("kept", "Not undone"),
                ],
                db_default="staged",
                default="staged",
                max_length=10,
            ),
        ),
        migrations.AlterField(
            model_name="leadimport",
            name="duplicates",
            field=models.CharField(
                blank=True,
                choices=[
                    ("skip", "Skip duplicates"),
                    ("update", "Update existing leads"),
                    ("create", "Create new leads for duplicates"),
                ],
                db_default="",
                default="",
                max_length=10,
            ),
        ),
        migrations.AlterField(
            model_name="leadimport",
            name="state",
            field=models.CharField(
                choices=[
                    ("reading", "Reading"),
                    ("checking", "Checking"),
                    ("checked", "Ready to review"),
                    ("importing", "Importing"),
                    ("done", "Imported"),
                    ("undoing", "Undoing"),
                    ("undone", "Undone"),
                    ("refused", "Could not be read"),
                    ("discarded", "Discarded"),
                    ("failed", "Stopped by an error"),
                ],
                db_default="reading",
                default="reading",
                max_length=10,
            ),
        ),
        migrations.AlterField(
            model_name="privacyrequest",
            name="action",
            field=models.CharField(choices=[("export", "Exported"), ("erase", "Erased")], max_length=10),
        ),
    ]
