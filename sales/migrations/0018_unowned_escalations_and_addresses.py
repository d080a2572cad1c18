from django.db import migrations, models


def spell_addresses_again(apps, schema_editor):
    """Addresses beyond ASCII had lost letters of their host (ß became ss): the tick works them out anew."""
    leads = apps.get_model("sales", "Lead").objects.using(schema_editor.connection.alias)
    leads.filter(models.Q(email__regex="[^ -~]") | models.Q(email__icontains="xn--")).update(email_normalised=None)


class Migration(migrations.Migration):
    atomic = False  # the table is not locked for the new column while its addresses are looked at

    dependencies = [("sales", "0017_import_rows_that_name_their_lead")]

    operations = [
        migrations.AddField(
            model_name="lead",
            name="unowned_escalated_at",
            field=models.DateTimeField(editable=False, null=True),
        ),
        migrations.RunPython(spell_addresses_again, migrations.RunPython.noop),
    ]
