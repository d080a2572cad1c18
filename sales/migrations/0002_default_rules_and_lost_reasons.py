"""The specification's eight scoring rules, the list of lost reasons and the row that counts rule versions."""

from django.db import migrations

RULES = [
    ("Large Group Size", "attribute", "estimated_passengers", "greater_than", "50", 20),
    ("Medium Group Size", "attribute", "estimated_passengers", "greater_than", "25", 10),
    ("High Budget", "attribute", "estimated_value", "greater_than", "5000", 25),
    ("Medium Budget", "attribute", "estimated_value", "greater_than", "2000", 15),
    ("Responded to Email", "engagement", "email_response", "equals", "true", 10),
    ("Called Back", "engagement", "phone_response", "equals", "true", 15),
    ("Requested Quote", "activity", "quote_requested", "equals", "true", 20),
    ("Repeat Client", "attribute", "is_repeat", "equals", "true", 30),
]
LOST_REASONS = [
    ("price", "Price"),
    ("no_availability", "No vehicle available"),
    ("trip_cancelled", "Trip cancelled"),
    ("competitor", "Went to a competitor"),
    ("no_response", "No response"),
    ("outside_area", "Outside our area"),
    ("other", "Other"),
]


def install(apps, schema_editor):
    rule, reason, rule_set = (apps.get_model("sales", name) for name in ("LeadScoringRule", "LostReason", "RuleSet"))
    rule.objects.bulk_create(
        [
            rule(
                rule_name=name,
                rule_type=kind,
                condition_field=field,
                condition_operator=operator,
                condition_value=value,
                points=points,
            )
            for name, kind, field, operator, value, points in RULES
        ],
        ignore_conflicts=True,
    )
    reason.objects.bulk_create([reason(name=name, label=label) for name, label in LOST_REASONS], ignore_conflicts=True)
    rule_set.objects.get_or_create(pk=1)


class Migration(migrations.Migration):
    dependencies = [("sales", "0001_leads_follow_ups_scoring_transfers")]

    operations = [migrations.RunPython(install, migrations.RunPython.noop)]
