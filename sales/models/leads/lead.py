"""The lead: a person or company that may charter a bus, the trip they want, and how far the sale is."""

from datetime import timedelta
from typing import Any, Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Coalesce, NullIf

from athena.accounts.models import User
from athena.db import Now
from athena.limits import MAX_AMOUNT, MAX_COUNT
from sales import normalization, schedule
from sales.models.fields import line_field, money_field, range_constraint, text_field, user_field
from sales.models.leads.source import LeadSource, LostReason
from sales.models.leads.visibility import build_scope

OPEN_STATUSES = ("new", "contacted", "qualified", "quoted")
CLOSED_STATUSES = ("won", "lost")
UTM_FIELDS = ("utm_source", "utm_medium", "utm_campaign", "utm_term", "utm_content")
IS_OPEN = Q(status__in=OPEN_STATUSES)
NOT_NORMALISED = Q(email_normalised__isnull=True) | Q(phone_normalised__isnull=True)


def lead_name(prefix: str = "") -> Coalesce:
    """The SQL for a lead's display name: the company, or else the contact.

    `prefix` is the path to the lead, such as `lead__`, in a query on another model.
    """
    return Coalesce(NullIf(F(f"{prefix}company_name"), models.Value("")), F(f"{prefix}contact_name"))


def is_unplanned() -> Q:
    """The condition for open leads without an open follow-up."""
    follow_ups = _related_rows(Lead.follow_ups.rel).filter(completed=False, cancelled_at__isnull=True)
    return IS_OPEN & ~Q(pk__in=follow_ups.values("lead_id"))


def is_hot() -> Q:
    """The condition for open leads with a score of at least the setting `HOT_SCORE`."""
    return IS_OPEN & Q(score__gte=settings.HOT_SCORE)


def is_hot_and_uncontacted() -> Q:
    """The condition for hot leads that nobody has contacted yet."""
    return is_hot() & Q(first_contacted_at__isnull=True)


class LeadQuerySet(models.QuerySet["Lead"]):
    def visible_to(self, user: User) -> Self:
        """The leads that `user` may read. Nobody reads archived leads here; the admin finds them by `in_scope_of`."""
        return self.filter(archived_at__isnull=True).in_scope_of(user)

    def in_scope_of(self, user: User) -> Self:
        """The leads that `user` may read, including archived ones."""
        if not user.is_active:
            return self.none()
        if user.reads_all_leads:
            return self
        return self.filter(build_scope(user, _related_rows(Lead.follow_ups.rel)))

    def open(self) -> Self:
        """The leads that are neither closed nor archived."""
        return self.filter(IS_OPEN, archived_at__isnull=True)

    def unplanned(self) -> Self:
        """The open leads without an open follow-up."""
        return self.open().filter(is_unplanned())

    def trip_passed(self) -> Self:
        """The open leads whose pickup date, in the company's time zone, has passed: they should be closed."""
        return self.open().filter(pickup_at__lt=schedule.get_day_start(schedule.company_today()))

    def hot_and_uncontacted(self) -> Self:
        """The hot open leads that nobody has contacted yet."""
        return self.open().filter(is_hot_and_uncontacted())

    def call_again(self, user: User | None = None) -> Self:
        """The won trips to offer again: those whose first anniversary is some months away.

        The settings `CALL_AGAIN_FROM_MONTHS` and `CALL_AGAIN_TO_MONTHS` say how many months. Trips that have a repeat
        lead already are left out, and so are trips of clients who have an open lead. With a `user`, only the open leads
        that they may read count as such; without one, all do. `self` is not restricted to what `user` may read.
        """
        today = schedule.company_today()
        first, last = (
            schedule.add_months(today, months - 12)
            for months in (settings.CALL_AGAIN_FROM_MONTHS, settings.CALL_AGAIN_TO_MONTHS)
        )
        open_leads = (Lead.objects.all() if user is None else Lead.objects.visible_to(user)).open().order_by()
        by_email = open_leads.exclude(email_normalised="").filter(email_normalised=models.OuterRef("email_normalised"))
        by_phone = open_leads.exclude(phone_normalised="").filter(phone_normalised=models.OuterRef("phone_normalised"))
        return self.filter(
            ~models.Exists(by_email),
            ~models.Exists(by_phone),
            status=Lead.Status.WON,
            archived_at__isnull=True,
            repeated_by__isnull=True,
            pickup_at__gte=schedule.get_day_start(first),
            pickup_at__lt=schedule.get_day_start(last + timedelta(days=1)),
        )

    def search(self, text: str) -> Self:
        """The leads whose company, contact, email or phone contain every word of `text`.

        A word may be part of another one. Case, accents, the order of the words and the punctuation of numbers do not
        matter. Leads written by plain SQL are found once the tick has indexed them (`LeadSearch`).
        """
        words = text.split()
        if not words:
            return self
        search_rows = _related_rows(Lead.search_row.related)
        for word in words:
            matches_word = Q()
            for variant in normalization.list_search_variants(word):
                matches_word |= Q(text__contains=variant)
            search_rows = search_rows.filter(matches_word)
        return self.filter(pk__in=search_rows.values("lead"))


def _related_rows(relation: models.ForeignObjectRel) -> models.QuerySet[models.Model]:
    """All rows of the model at the other end, unordered. (That model imports this module.)"""
    return relation.related_model._base_manager.order_by()


class Lead(models.Model):
    """A possible booking. Adding a field: docs/development/adding-a-field.md."""

    class Status(models.TextChoices):
        NEW = "new", "New"
        CONTACTED = "contacted", "Contacted"
        QUALIFIED = "qualified", "Qualified"
        QUOTED = "quoted", "Quoted"
        WON = "won", "Won"
        LOST = "lost", "Lost"

    class TripType(models.TextChoices):
        ONE_WAY = "one_way", "One way"
        ROUND_TRIP = "round_trip", "Round trip"
        MULTI_DAY = "multi_day", "Multi-day tour"
        SHUTTLE = "shuttle", "Shuttle"

    class VehicleType(models.TextChoices):
        MOTORCOACH = "motorcoach", "Motorcoach"
        MINIBUS = "minibus", "Minibus"
        SCHOOL_BUS = "school_bus", "School bus"
        VAN = "van", "Van"
        OTHER = "other", "Other"

    company_name = line_field()
    contact_name = line_field()
    email = line_field(254)
    email_normalised = models.CharField(max_length=254, null=True, editable=False)
    phone = line_field(50)
    phone_normalised = models.CharField(max_length=32, null=True, editable=False)
    notes = text_field()
    status = models.CharField(max_length=20, choices=Status, default=Status.NEW, db_default=Status.NEW)

    trip_type = line_field(20, choices=TripType)
    pickup_at = models.DateTimeField(null=True, blank=True)
    return_at = models.DateTimeField(null=True, blank=True)
    pickup_location = line_field()
    dropoff_location = line_field()
    itinerary = text_field()
    estimated_passengers = models.IntegerField(null=True, blank=True)
    vehicle_type = line_field(20, choices=VehicleType)
    vehicles_needed = models.IntegerField(null=True, blank=True)
    accessible_seats = models.IntegerField(null=True, blank=True)

    estimated_value = money_field(null=True, blank=True)
    quote_amount = money_field(null=True, blank=True)
    quote_valid_until = models.DateField(null=True, blank=True)
    bid_due_at = models.DateTimeField(null=True, blank=True)
    booked_value = money_field(null=True, blank=True)
    is_repeat = models.BooleanField(default=False, db_default=False)
    repeat_of = models.OneToOneField(
        "self", models.PROTECT, null=True, editable=False, related_name="repeated_by"
    )  # the won trip that this lead repeats a year later

    source = models.ForeignKey(LeadSource, models.PROTECT, null=True, blank=True, related_name="leads")
    campaign = line_field(100)
    utm_source = line_field(100)
    utm_medium = line_field(100)
    utm_campaign = line_field(100)
    utm_term = line_field(100)
    utm_content = line_field(100)
    last_source = models.ForeignKey(LeadSource, models.PROTECT, null=True, blank=True, related_name="+", db_index=False)
    last_utm_source = line_field(100)
    last_utm_medium = line_field(100)
    last_utm_campaign = line_field(100)
    last_utm_term = line_field(100)
    last_utm_content = line_field(100)

    assigned_to = user_field("assigned_to", related_name="leads", null=True, blank=True)
    score = models.IntegerField(default=0, db_default=0, editable=False)
    score_raw = models.IntegerField(default=0, db_default=0, editable=False)
    score_updated_at = models.DateTimeField(null=True, editable=False)
    last_follow_up_date = models.DateTimeField(null=True, editable=False)
    next_follow_up_date = models.DateTimeField(null=True, editable=False)
    follow_up_count = models.IntegerField(default=0, db_default=0, editable=False)

    first_contacted_at = models.DateTimeField(null=True, editable=False)
    # When managers were notified that nobody contacts the hot lead, or that it is unassigned.
    hot_escalated_at = models.DateTimeField(null=True, editable=False)
    unowned_escalated_at = models.DateTimeField(null=True, editable=False)
    qualified_at = models.DateTimeField(null=True, editable=False)
    quoted_at = models.DateTimeField(null=True, editable=False)
    won_at = models.DateTimeField(null=True, editable=False)  # when it was first booked; kept when the lead is reopened
    closed_at = models.DateTimeField(null=True, editable=False)
    lost_reason = models.ForeignKey(
        LostReason, models.PROTECT, null=True, blank=True, to_field="name", db_column="lost_reason",
        related_name="+", db_index=False,
    )  # fmt: skip
    last_activity_at = models.DateTimeField(null=True, editable=False)
    archived_at = models.DateTimeField(null=True, editable=False)
    merged_into = models.ForeignKey(
        "self", models.PROTECT, null=True, editable=False, related_name="merged", db_index=False
    )
    version = models.IntegerField(default=1, db_default=1, editable=False)
    created_by = user_field("created_by", null=True, editable=False)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    updated_at = models.DateTimeField(db_default=Now(), editable=False)

    objects = LeadQuerySet.as_manager()

    class Meta:
        db_table = "leads"
        ordering = ["-created_at", "-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=[*OPEN_STATUSES, *CLOSED_STATUSES]), name="leads_status_known"
            ),
            models.CheckConstraint(condition=~Q(company_name="") | ~Q(contact_name=""), name="leads_named"),
            models.CheckConstraint(
                condition=~Q(status="lost") | Q(lost_reason__isnull=False), name="leads_lost_has_a_reason"
            ),
            models.CheckConstraint(
                condition=Q(pickup_at__isnull=True) | Q(return_at__isnull=True) | Q(return_at__gte=F("pickup_at")),
                name="leads_return_after_pickup",
            ),
            models.CheckConstraint(condition=~Q(merged_into=F("id")), name="leads_not_merged_into_itself"),
            models.CheckConstraint(condition=Q(score__range=(0, 100)), name="leads_score"),
            range_constraint("leads_estimated_passengers", "estimated_passengers", 0, MAX_COUNT),
            range_constraint("leads_vehicles_needed", "vehicles_needed", 0, MAX_COUNT),
            range_constraint("leads_accessible_seats", "accessible_seats", 0, MAX_COUNT),
            range_constraint("leads_estimated_value", "estimated_value", 0, MAX_AMOUNT),
            range_constraint("leads_quote_amount", "quote_amount", 0, MAX_AMOUNT),
            range_constraint("leads_booked_value", "booked_value", 0, MAX_AMOUNT),
        ]
        # Keep indexes few: a new score writes to every one, except partial indexes that do not contain the lead.
        indexes = [
            models.Index(
                F("score").desc(),
                F("id").desc(),
                name="idx_leads_score",
                condition=Q(status__in=OPEN_STATUSES, archived_at__isnull=True),
            ),
            models.Index(F("created_at").desc(), F("id").desc(), name="idx_leads_created"),
            models.Index("status", F("created_at").desc(), F("id").desc(), name="idx_leads_status"),
            models.Index("assigned_to", F("created_at").desc(), F("id").desc(), name="idx_leads_assigned"),
            models.Index("next_follow_up_date", "id", name="idx_leads_next_follow_up"),
            models.Index("id", name="idx_leads_not_normalised", condition=NOT_NORMALISED),
            models.Index("email_normalised", name="idx_leads_email"),
            models.Index("phone_normalised", name="idx_leads_phone"),
            models.Index("lost_reason", name="idx_leads_lost_reason", condition=Q(lost_reason__isnull=False)),
            models.Index("id", name="idx_leads_archived", condition=Q(archived_at__isnull=False)),
            models.Index("closed_at", name="idx_leads_won", condition=Q(status="won")),
            models.Index("merged_into", name="idx_leads_merged_into", condition=Q(merged_into__isnull=False)),
        ]

    def __str__(self) -> str:
        return str(self.company_name or self.contact_name)

    @property
    def is_open(self) -> bool:
        """Whether the lead is neither won nor lost. (Archived leads can be open.)"""
        return self.status in OPEN_STATUSES


class LeadRelatedQuerySet(models.QuerySet[Any, Any]):
    """Rows that belong to a lead and are visible to whoever may read the lead."""

    def visible_to(self, user: User) -> Self:
        """The rows of the leads that `user` may read."""
        return self.filter(lead__in=Lead.objects.visible_to(user).order_by().values("pk"))
