import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import athena.db


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0004_limits_and_absence"),
        ("sales", "0005_cadences_snoozes_and_repeats"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="AssignmentRule",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("rule_name", models.CharField(max_length=100, unique=True, verbose_name="name")),
                ("position", models.PositiveIntegerField(help_text="The lowest number is asked first.")),
                ("is_active", models.BooleanField(db_default=True, default=True)),
                (
                    "conditions",
                    models.JSONField(db_default=models.Value([], models.JSONField()), default=list, editable=False),
                ),
                ("created_at", models.DateTimeField(db_default=athena.db.Now(), editable=False)),
                ("updated_at", models.DateTimeField(db_default=athena.db.Now(), editable=False)),
            ],
            options={
                "db_table": "assignment_rules",
                "ordering": ["position", "id"],
            },
        ),
        migrations.CreateModel(
            name="MovedFollowUp",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            ],
            options={
                "db_table": "moved_follow_ups",
            },
        ),
        migrations.CreateModel(
            name="Turn",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("group", models.CharField(max_length=64, unique=True)),
            ],
            options={
                "db_table": "turns",
            },
        ),
        migrations.AddField(
            model_name="transferbatch",
            name="returned_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="transferbatch",
            name="until",
            field=models.DateField(null=True),
        ),
        migrations.AddIndex(
            model_name="transferbatch",
            index=models.Index(
                models.F("until"),
                condition=models.Q(("returned_at__isnull", True), ("until__isnull", False)),
                name="idx_transfer_batches_until",
            ),
        ),
        migrations.AddConstraint(
            model_name="transferbatch",
            constraint=models.CheckConstraint(
                condition=models.Q(("returned_at__isnull", True), ("until__isnull", False), _connector="OR"),
                name="transfer_batches_returned",
            ),
        ),
        migrations.AddConstraint(
            model_name="transferbatch",
            constraint=models.CheckConstraint(
                condition=models.Q(("undoes", models.F("id")), _negated=True), name="transfer_batches_not_itself"
            ),
        ),
        migrations.AddField(
            model_name="assignmentrule",
            name="to_team",
            field=models.ForeignKey(
                blank=True,
                db_column="to_team_id",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="accounts.team",
                verbose_name="team",
            ),
        ),
        migrations.AddField(
            model_name="assignmentrule",
            name="to_user",
            field=models.ForeignKey(
                blank=True,
                db_column="to_user_id",
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="person",
            ),
        ),
        migrations.AddField(
            model_name="movedfollowup",
            name="batch",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="moved_follow_ups",
                to="sales.transferbatch",
            ),
        ),
        migrations.AddField(
            model_name="movedfollowup",
            name="follow_up",
            field=models.ForeignKey(
                db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name="+", to="sales.followup"
            ),
        ),
        migrations.AddField(
            model_name="movedfollowup",
            name="from_user",
            field=models.ForeignKey(
                db_column="from_user_id",
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="turn",
            name="last_user",
            field=models.ForeignKey(
                db_column="last_user_id",
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddConstraint(
            model_name="assignmentrule",
            constraint=models.CheckConstraint(
                condition=models.Q(("to_user__isnull", True), ("to_team__isnull", True), _connector="OR"),
                name="assignment_rules_one_target",
            ),
        ),
        migrations.AddConstraint(
            model_name="assignmentrule",
            constraint=models.CheckConstraint(
                condition=models.Q(("position__range", (0, 100000))), name="assignment_rules_position"
            ),
        ),
        migrations.AddConstraint(
            model_name="movedfollowup",
            constraint=models.UniqueConstraint(fields=("batch", "follow_up"), name="moved_follow_ups_once"),
        ),
    ]
