from django.db import migrations, models

# As far as it can be told: when the status first became "won", or else when the won lead was closed.
FILL = """
UPDATE leads SET won_at = COALESCE(
    (SELECT MIN(c.at) FROM field_changes AS c WHERE c.lead_id = leads.id AND c.field = 'status' AND c.new = '"won"'),
    closed_at
)
WHERE status = 'won' OR id IN (SELECT lead_id FROM field_changes WHERE field = 'status' AND new = '"won"')
"""


class Migration(migrations.Migration):
    atomic = False  # the new column's lock ends before the rows are filled
    dependencies = [("sales", "0006_batches_that_return_turns_and_assignment_rules")]

    operations = [
        migrations.AddField("lead", "won_at", models.DateTimeField(editable=False, null=True)),
        migrations.RunSQL(FILL, migrations.RunSQL.noop),
    ]
