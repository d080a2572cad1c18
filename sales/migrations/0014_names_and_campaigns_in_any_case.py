"""Names that differ in case alone are one name.

What there is already: the amounts of a campaign's spellings in one month are added up, other names get a number.
"""

from django.db import migrations, models
from django.db.models.functions import Lower

NAMES = {
    "LeadScoringRule": "rule_name",
    "AssignmentRule": "rule_name",
    "LeadSource": "name",
    "IntakeForm": "name",
    "Cadence": "name",
}
MAX_LENGTH = 100


def add_up_spend(apps, schema_editor):
    SourceSpend = apps.get_model("sales", "SourceSpend")
    first = {}
    for spend in SourceSpend.objects.annotate(key=Lower("campaign")).order_by("pk"):
        kept = first.setdefault((spend.source_id, spend.key, spend.month), spend)
        if kept is not spend:
            SourceSpend.objects.filter(pk=kept.pk).update(amount=models.F("amount") + spend.amount)
            spend.delete()


def number_names(apps, schema_editor):
    for name, field in NAMES.items():
        rows = apps.get_model("sales", name).objects
        keys = set()
        for pk, value, key in rows.order_by("pk").values_list("pk", field, Lower(field)):
            number, suffix, length = 1, "", MAX_LENGTH
            while key[:length] + suffix in keys:
                number += 1
                suffix = f" ({number})"
                length = MAX_LENGTH - len(suffix)
            keys.add(key[:length] + suffix)
            if suffix:
                rows.filter(pk=pk).update(**{field: value[:length] + suffix})


def unique_name(model, name, field):
    constraint = models.UniqueConstraint(Lower(field), name=name, violation_error_message="This name is taken already.")
    return migrations.AddConstraint(model_name=model, constraint=constraint)


class Migration(migrations.Migration):
    dependencies = [("sales", "0013_who_created_and_cancelled_and_what_was_planned")]

    operations = [
        migrations.RunPython(add_up_spend, migrations.RunPython.noop, elidable=False),
        migrations.RunPython(number_names, migrations.RunPython.noop, elidable=False),
        unique_name("leadscoringrule", "scoring_rules_name_in_any_case", "rule_name"),
        unique_name("assignmentrule", "assignment_rules_name_in_any_case", "rule_name"),
        unique_name("leadsource", "lead_sources_name_in_any_case", "name"),
        unique_name("intakeform", "intake_forms_name_in_any_case", "name"),
        unique_name("cadence", "cadences_name_in_any_case", "name"),
        migrations.AddConstraint(
            model_name="sourcespend",
            constraint=models.UniqueConstraint(
                models.F("source"),
                Lower("campaign"),
                models.F("month"),
                name="source_spend_campaign_in_any_case",
                violation_error_message="This campaign has an amount for this month already.",
            ),
        ),
    ]
