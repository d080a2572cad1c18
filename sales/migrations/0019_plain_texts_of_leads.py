import django.db.models.deletion
import django.db.models.functions.text
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0006_login_session_started_at"),
        ("sales", "0018_unowned_escalations_and_addresses"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AlterField(
            model_name="activity",
            name="activity_type",
            field=models.CharField(
                choices=[
                    ("call", "Call"),
                    ("email", "Email"),
                    ("meeting", "Meeting"),
                    ("note", "Note"),
                    ("quote", "Quote sent"),
                    ("quote_requested", "Quote requested"),
                    ("transfer", "Transfer"),
                    ("status_change", "Status change"),
                    ("other", "Other"),
                ],
                max_length=50,
            ),
        ),
        migrations.AlterField(
            model_name="intakeform",
            name="allowed_origins",
            field=models.TextField(
                blank=True,
                db_default="",
                default="",
                help_text="Sites that may embed the form or post to it: one origin per line, such as https://www.example.com.",
                max_length=2000,
            ),
        ),
        migrations.AlterField(
            model_name="intakeform",
            name="source",
            field=models.ForeignKey(
                blank=True,
                help_text="The source of its leads.",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="sales.leadsource",
            ),
        ),
        migrations.AlterField(
            model_name="intakeform",
            name="thank_you_url",
            field=models.CharField(
                blank=True,
                db_default="",
                default="",
                help_text="The page to open after sending. If empty, Athena shows its own.",
                max_length=500,
            ),
        ),
        migrations.AlterField(
            model_name="leadsearch",
            name="text",
            field=models.TextField(help_text="Company, contact, email and phone, without case and accents."),
        ),
        migrations.AlterField(
            model_name="leadsource",
            name="cost_model",
            field=models.CharField(
                choices=[
                    ("none", "Costs nothing"),
                    ("monthly", "Monthly spend"),
                    ("per_lead", "Price for each lead"),
                    ("commission", "Commission on bookings (percent)"),
                ],
                db_default="monthly",
                default="monthly",
                max_length=20,
            ),
        ),
        migrations.AlterField(
            model_name="leadsource",
            name="unit_cost",
            field=models.DecimalField(
                blank=True,
                decimal_places=2,
                help_text="The price of a lead or the commission in percent, depending on the cost model.",
                max_digits=12,
                null=True,
            ),
        ),
        migrations.AlterField(
            model_name="lostreason",
            name="name",
            field=models.SlugField(help_text="The name used in the API.", unique=True),
        ),
        migrations.AlterConstraint(
            model_name="assignmentrule",
            name="assignment_rules_name_in_any_case",
            constraint=models.UniqueConstraint(
                django.db.models.functions.text.Lower("rule_name"),
                name="assignment_rules_name_in_any_case",
                violation_error_message="This name is already taken.",
            ),
        ),
        migrations.AlterConstraint(
            model_name="cadence",
            name="cadences_name_in_any_case",
            constraint=models.UniqueConstraint(
                django.db.models.functions.text.Lower("name"),
                name="cadences_name_in_any_case",
                violation_error_message="This name is already taken.",
            ),
        ),
        migrations.AlterConstraint(
            model_name="intakeform",
            name="intake_forms_name_in_any_case",
            constraint=models.UniqueConstraint(
                django.db.models.functions.text.Lower("name"),
                name="intake_forms_name_in_any_case",
                violation_error_message="This name is already taken.",
            ),
        ),
        migrations.AlterConstraint(
            model_name="leadscoringrule",
            name="scoring_rules_name_in_any_case",
            constraint=models.UniqueConstraint(
                django.db.models.functions.text.Lower("rule_name"),
                name="scoring_rules_name_in_any_case",
                violation_error_message="This name is already taken.",
            ),
        ),
        migrations.AlterConstraint(
            model_name="leadsource",
            name="lead_sources_name_in_any_case",
            constraint=models.UniqueConstraint(
                django.db.models.functions.text.Lower("name"),
                name="lead_sources_name_in_any_case",
                violation_error_message="This name is already taken.",
            ),
        ),
        migrations.AlterConstraint(
            model_name="sourcespend",
            name="source_spend_first_of_month",
            constraint=models.CheckConstraint(
                condition=models.Q(("month__day", 1)),
                name="source_spend_first_of_month",
                violation_error_message="Enter the first day of the month.",
            ),
        ),
        migrations.AlterConstraint(
            model_name="sourcespend",
            name="source_spend_campaign_in_any_case",
            constraint=models.UniqueConstraint(
                models.F("source"),
                django.db.models.functions.text.Lower("campaign"),
                models.F("month"),
                name="source_spend_campaign_in_any_case",
                violation_error_message="This campaign already has an amount for this month.",
            ),
        ),
    ]
