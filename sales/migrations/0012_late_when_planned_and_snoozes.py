from django.db import migrations, models

# No reminder was planned, none was sent and nobody was told that it is overdue: its day was over when it was planned,
# unless its first plan is later than the row. (What a change of the lead time or zone has silenced is told again.)
LATE = """
UPDATE follow_ups SET late_when_planned = TRUE
WHERE NOT completed AND cancelled_at IS NULL AND NOT reminder_sent AND remind_at IS NULL AND due_at IS NOT NULL
  AND overdue_no < reminder_no AND escalated_no < reminder_no
  AND (reminder_no > 1 OR scheduled_date <= date(created_at))
"""
# A snooze counted as a new plan: what was told of the one before is told of this one.
SNOOZED = "NOT completed AND cancelled_at IS NULL AND snoozed_until IS NOT NULL"
OVERDUE = f"UPDATE follow_ups SET overdue_no = reminder_no WHERE {SNOOZED} AND overdue_no = reminder_no - 1"  # noqa: S608
ESCALATED = f"UPDATE follow_ups SET escalated_no = reminder_no WHERE {SNOOZED} AND escalated_no = reminder_no - 1"  # noqa: S608
OVER = "UPDATE follow_ups SET snoozed_until = NULL WHERE snoozed_until IS NOT NULL AND reminder_sent"


class Migration(migrations.Migration):
    dependencies = [("sales", "0011_indexes_of_scope_done_won_and_archived")]

    operations = [
        migrations.AddField(
            model_name="followup",
            name="late_when_planned",
            field=models.BooleanField(db_default=False, default=False, editable=False),
        ),
        migrations.AddField(
            model_name="followup",
            name="plan_remind_at",
            field=models.DateTimeField(editable=False, null=True),
        ),
        migrations.AddField(
            model_name="followup",
            name="snooze_no",
            field=models.IntegerField(db_default=0, default=0, editable=False),
        ),
        migrations.RunSQL([LATE, OVERDUE, ESCALATED, OVER], migrations.RunSQL.noop),
    ]
