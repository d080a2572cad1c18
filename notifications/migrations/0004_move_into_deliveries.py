"""Each notification's state becomes that of its delivery by e-mail, each preference one for each channel. What was
sent before Athena had a bell counts as read."""

from django.db import migrations

DELIVERIES = """
INSERT INTO notification_deliveries
    (notification_id, channel, state, next_attempt_at, attempts, lease_until, ended_at, last_error)
SELECT id, 'email', state, next_attempt_at, attempts, lease_until,
       CASE WHEN state <> 'waiting' THEN COALESCE(sent_at, next_attempt_at) END, last_error
FROM notifications
"""
READ = "UPDATE notifications SET read_at = sent_at WHERE read_at IS NULL AND sent_at IS NOT NULL"
BY_EMAIL = "UPDATE notification_preferences SET wanted = email"
IN_APP = """
INSERT INTO notification_preferences (user_id, kind, channel, wanted, email, in_app)
SELECT user_id, kind, 'in_app', in_app, email, in_app FROM notification_preferences
"""


class Migration(migrations.Migration):
    dependencies = [("notifications", "0003_deliveries_by_channel")]

    operations = [migrations.RunSQL([DELIVERIES, READ, BY_EMAIL, IN_APP])]
