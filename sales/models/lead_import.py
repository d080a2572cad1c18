"""Files that bring leads in or take them out: each import with its rows, and who exported what."""

from typing import Self

from django.db import models
from django.db.models import Q

from athena.accounts.models import User
from athena.accounts.roles import Role
from athena.db import Now
from sales.models.fields import line_field, user_field
from sales.models.lead import Lead


class OwnFiles(models.QuerySet):  # type: ignore[type-arg]
    """A file holds what its owner chose: it is theirs, and the administrators'."""

    def visible_to(self, user: User) -> Self:
        if not user.is_active:
            return self.none()
        return self if user.role == Role.ADMIN else self.filter(by=user.pk)


class LeadImport(models.Model):
    """A file of leads on its way in: read, checked, looked at by whoever sent it, imported, perhaps undone."""

    class State(models.TextChoices):
        READING = "reading", "Being read"
        CHECKING = "checking", "Being checked"
        CHECKED = "checked", "To be looked at"
        IMPORTING = "importing", "Being imported"
        DONE = "done", "Imported"
        UNDOING = "undoing", "Being undone"
        UNDONE = "undone", "Undone"
        REFUSED = "refused", "Could not be read"
        DISCARDED = "discarded", "Thrown away"
        FAILED = "failed", "Stopped by an error"

    class Duplicates(models.TextChoices):
        SKIP = "skip", "Leave them out"
        UPDATE = "update", "Update the lead that is there"
        CREATE = "create", "Make a second lead"

    UNFINISHED = ("reading", "checking", "importing", "undoing")

    file_name = line_field(255)
    state = models.CharField(max_length=10, choices=State, default=State.READING, db_default=State.READING)
    duplicates = models.CharField(max_length=10, choices=Duplicates, blank=True, default="", db_default="")
    columns = models.JSONField(default=list)  # the field that each column of the file holds, or null
    header = models.JSONField(default=list)  # what the file calls them
    sheet = line_field(100)  # the one that is read, of an Excel file
    sheets = models.JSONField(default=list, db_default=models.Value([], models.JSONField()))  # all that it has
    remarks = models.JSONField(default=list, db_default=models.Value([], models.JSONField()))  # how the file was read
    # By field: how its column writes dates or amounts (`exchange.notation`); "written" is empty where that is doubted.
    notations = models.JSONField(default=dict, db_default=models.Value({}, models.JSONField()))
    reading_until = models.DateTimeField(null=True)  # until then a worker is at it
    total = models.IntegerField(default=0, db_default=0)
    processed = models.IntegerField(default=0, db_default=0)  # of the step that is under way
    error = line_field(500)
    by = user_field("by_id")
    undone_by = user_field("undone_by", null=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    finished_at = models.DateTimeField(null=True)
    undone_at = models.DateTimeField(null=True)

    objects = OwnFiles.as_manager()

    class Meta:
        db_table = "lead_imports"
        ordering = ["-id"]
        verbose_name = "import"
        constraints = [
            models.CheckConstraint(
                condition=Q(
                    state__in=[
                        *("reading", "checking", "checked", "importing", "done"),
                        *("undoing", "undone", "refused", "discarded", "failed"),
                    ]
                ),
                name="lead_imports_state_known",
            ),
            models.CheckConstraint(
                condition=Q(duplicates__in=["", "skip", "update", "create"]), name="lead_imports_duplicates_known"
            ),
        ]

    def __str__(self) -> str:
        return f"Import {self.pk} ({self.file_name})"

    @property
    def other_sheets(self) -> list[str]:
        """The sheets that may be read instead."""
        return [name for name in self.sheets if name != self.sheet]

    @property
    def unused(self) -> list[str]:
        """The headers of the columns that are not imported."""
        return [header for header, name in zip(self.header, self.columns, strict=True) if name is None]


class ImportFile(models.Model):
    """The bytes that were sent, until they are read: whichever machine's worker comes first reads them.

    Those of an Excel file with several sheets stay until the import is started or thrown away.
    """

    lead_import = models.OneToOneField(LeadImport, models.CASCADE, related_name="file")
    content = models.BinaryField()
    size = models.IntegerField()

    class Meta:
        db_table = "import_files"

    def __str__(self) -> str:
        return f"File of import {self.lead_import_id}"


class ImportRow(models.Model):
    """A row of the file, and what has become of it."""

    class State(models.TextChoices):
        STAGED = "staged", "Not checked yet"
        READY = "ready", "Ready"
        WRONG = "wrong", "Wrong"
        CREATED = "created", "Created"
        UPDATED = "updated", "Updated"
        SKIPPED = "skipped", "Left out"
        UNDONE = "undone", "Undone"
        KEPT = "kept", "Kept as it is"

    lead_import = models.ForeignKey(LeadImport, models.CASCADE, related_name="rows", db_index=False)
    line = models.IntegerField()
    state = models.CharField(max_length=10, choices=State, default=State.STAGED, db_default=State.STAGED)
    cells = models.JSONField(default=list)  # as they are in the file
    values = models.JSONField(default=dict)  # what they say, by the lead's fields
    problems = models.JSONField(default=dict)  # what is wrong with it, by column; or why it was left as it is
    # What was done to cells so that they could be read, by column.
    cleaned = models.JSONField(default=dict, db_default=models.Value({}, models.JSONField()))
    email_normalised = models.CharField(max_length=254, blank=True, default="", db_default="")
    phone_normalised = models.CharField(max_length=32, blank=True, default="", db_default="")
    lead_number = models.BigIntegerField(null=True)  # the key of the lead that the file names for this row
    same_as = models.ForeignKey(Lead, models.SET_NULL, null=True, related_name="+", db_index=False)
    same_line = models.IntegerField(null=True)  # an earlier row of the file with the same e-mail or phone
    step = models.SmallIntegerField(default=0, db_default=0)  # 0: makes a lead. 1: changes one, when all are made
    lead = models.ForeignKey(Lead, models.SET_NULL, null=True, related_name="import_rows")
    changes = models.JSONField(null=True)  # what an update changed: by field, the value before and after
    written_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "import_rows"
        ordering = ["line"]
        constraints = [
            models.UniqueConstraint(fields=["lead_import", "line"], name="import_rows_line_once"),
            models.CheckConstraint(
                condition=Q(state__in=["staged", "ready", "wrong", "created", "updated", "skipped", "undone", "kept"]),
                name="import_rows_state_known",
            ),
            models.CheckConstraint(condition=Q(step__in=[0, 1]), name="import_rows_step_known"),
        ]
        indexes = [
            models.Index("lead_import", "state", "step", "line", name="idx_import_rows_state"),
            models.Index(
                *("lead_import", "email_normalised", "line"),
                condition=~Q(email_normalised=""),
                name="idx_import_rows_email",
            ),
            models.Index(
                *("lead_import", "phone_normalised", "line"),
                condition=~Q(phone_normalised=""),
                name="idx_import_rows_phone",
            ),
        ]

    def __str__(self) -> str:
        return f"Line {self.line}"


class LeadExport(models.Model):
    """Who took which leads out, and how many. `leads` is unknown where the download was cut off."""

    by = user_field("by_id")
    file_format = models.CharField(max_length=4, choices=[("csv", "CSV"), ("xlsx", "Excel")])
    filters = models.JSONField(default=dict)  # the list's, as they stood in its address
    leads = models.IntegerField(null=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    objects = OwnFiles.as_manager()

    class Meta:
        db_table = "lead_exports"
        ordering = ["-id"]
        verbose_name = "export"
        constraints = [
            models.CheckConstraint(condition=Q(file_format__in=["csv", "xlsx"]), name="lead_exports_format_known")
        ]

    def __str__(self) -> str:
        return f"Export {self.pk}"


class PrivacyRequest(models.Model):
    """That a person's data was handed out or erased: who ran it and when. Of the person it keeps a keyed hash."""

    class Action(models.TextChoices):
        EXPORT = "export", "Handed out"
        ERASE = "erase", "Erased"

    action = models.CharField(max_length=10, choices=Action)
    person = models.CharField(max_length=64)  # HMAC-SHA256 of the normalised address, by the server's key
    ran_by = line_field(150)
    leads = models.IntegerField(default=0, db_default=0)
    rows = models.IntegerField(default=0, db_default=0)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        db_table = "privacy_requests"
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(condition=Q(action__in=["export", "erase"]), name="privacy_requests_action_known")
        ]

    def __str__(self) -> str:
        return f"{self.get_action_display()} {self.created_at:%Y-%m-%d}"
