"""Imports of leads: each with its file, until it is read, and its rows."""

from typing import Any, Self

from django.db import models
from django.db.models import Q

from athena.accounts.models import User
from athena.accounts.roles import Role
from athena.db import Now
from sales.models.fields import line_field, user_field
from sales.models.leads.lead import Lead


class OwnFilesQuerySet(models.QuerySet[Any]):
    """Imports and exports, which only the user who made them and administrators may see."""

    def visible_to(self, user: User) -> Self:
        if not user.is_active:
            return self.none()
        return self if user.role == Role.ADMIN else self.filter(by=user.pk)


class LeadImport(models.Model):
    """An import of a file of leads, which is read, checked, reviewed by its user, imported, and perhaps undone."""

    class State(models.TextChoices):
        READING = "reading", "Reading"
        CHECKING = "checking", "Checking"
        CHECKED = "checked", "Ready to review"
        IMPORTING = "importing", "Importing"
        DONE = "done", "Imported"
        UNDOING = "undoing", "Undoing"
        UNDONE = "undone", "Undone"
        REFUSED = "refused", "Could not be read"
        DISCARDED = "discarded", "Discarded"
        FAILED = "failed", "Stopped by an error"

    class Duplicates(models.TextChoices):
        SKIP = "skip", "Skip duplicates"
        UPDATE = "update", "Update existing leads"
        CREATE = "create", "Create new leads for duplicates"

    UNFINISHED = ("reading", "checking", "importing", "undoing")

    file_name = line_field(255)
    state = models.CharField(max_length=10, choices=State, default=State.READING, db_default=State.READING)
    duplicates = models.CharField(max_length=10, choices=Duplicates, blank=True, default="", db_default="")
    columns = models.JSONField(default=list)  # by column of the file: the field that it fills, or null (`mapping`)
    header = models.JSONField(default=list)  # the headers of the file
    sheet = line_field(100)  # of an Excel file: the sheet that is read
    sheets = models.JSONField(default=list, db_default=models.Value([], models.JSONField()))  # the names of all
    remarks = models.JSONField(default=list, db_default=models.Value([], models.JSONField()))  # how the file was read
    # By field: how its column writes dates or amounts, if that makes a difference (`notation.StoredNotation`).
    notations = models.JSONField(default=dict, db_default=models.Value({}, models.JSONField()))
    reading_until = models.DateTimeField(null=True)  # a worker has claimed the file until then
    total = models.IntegerField(default=0, db_default=0)
    processed = models.IntegerField(default=0, db_default=0)  # rows that the current step has done
    error = line_field(500)
    by = user_field("by_id")
    undone_by = user_field("undone_by", null=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    finished_at = models.DateTimeField(null=True)
    undone_at = models.DateTimeField(null=True)

    objects = OwnFilesQuerySet.as_manager()

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
        """The sheets that the user may choose instead."""
        return [name for name in self.sheets if name != self.sheet]

    @property
    def unused_headers(self) -> list[str]:
        """The headers of the columns that are not imported."""
        return [header for header, name in zip(self.header, self.columns, strict=True) if name is None]


class ImportFile(models.Model):
    """The uploaded file, until a worker on any machine has read it.

    An Excel file with several sheets stays until the import is started or discarded.
    """

    lead_import = models.OneToOneField(LeadImport, models.CASCADE, related_name="file")
    content = models.BinaryField()
    size = models.IntegerField()

    class Meta:
        db_table = "import_files"

    def __str__(self) -> str:
        return f"File of import {self.lead_import_id}"


class ImportRow(models.Model):
    """A row of the file, and what became of it."""

    class State(models.TextChoices):
        STAGED = "staged", "Not checked yet"
        READY = "ready", "Ready"
        WRONG = "wrong", "Wrong"
        CREATED = "created", "Created"
        UPDATED = "updated", "Updated"
        SKIPPED = "skipped", "Skipped"
        UNDONE = "undone", "Undone"
        KEPT = "kept", "Not undone"

    IMPORTED_STATES = (State.CREATED, State.UPDATED)
    CREATE_STEP, UPDATE_STEP = 0, 1  # leads are updated when all new ones are created

    lead_import = models.ForeignKey(LeadImport, models.CASCADE, related_name="rows", db_index=False)
    line = models.IntegerField()
    state = models.CharField(max_length=10, choices=State, default=State.STAGED, db_default=State.STAGED)
    cells = models.JSONField(default=list)  # as they are in the file
    values = models.JSONField(default=dict)  # of its cells, by field of the lead
    problems = models.JSONField(default=dict)  # what is wrong with it, or why it was skipped, by column
    # What was changed in cells so that they could be read, by column.
    cleaned = models.JSONField(default=dict, db_default=models.Value({}, models.JSONField()))
    email_normalised = models.CharField(max_length=254, blank=True, default="", db_default="")
    phone_normalised = models.CharField(max_length=32, blank=True, default="", db_default="")
    lead_number = models.BigIntegerField(null=True)  # the number of a lead in the row's column Lead
    same_as = models.ForeignKey(Lead, models.SET_NULL, null=True, related_name="+", db_index=False)
    same_line = models.IntegerField(null=True)  # the first row of the file with the same email or phone
    step = models.SmallIntegerField(default=0, db_default=0)  # CREATE_STEP or UPDATE_STEP
    lead = models.ForeignKey(Lead, models.SET_NULL, null=True, related_name="import_rows")
    changes = models.JSONField(null=True)  # of an update: by field, the values before and after
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
