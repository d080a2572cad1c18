from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("sales", "0016_imports_sheets_notations_and_what_was_cleaned")]

    operations = [
        migrations.AddField(model_name="importrow", name="lead_number", field=models.BigIntegerField(null=True)),
    ]
