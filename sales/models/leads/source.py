"""Lead sources, what they cost each month, and the reasons for losing a lead."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower

from athena.db import Now
from athena.limits import MAX_AMOUNT
from sales.models.fields import line_field, money_field, range_constraint, unique_name_constraint

CHANNELS = ["web_form", "phone", "ads", "directory", "partner", "referral", "repeat", "trade_show", "bid", "other"]


class LeadSource(models.Model):
    """Where leads come from: an ad campaign, a directory, a partner, a referral …"""

    class Channel(models.TextChoices):
        WEB_FORM = "web_form", "Web form"
        PHONE = "phone", "Phone"
        ADS = "ads", "Online advertising"
        DIRECTORY = "directory", "Directory or broker"
        PARTNER = "partner", "Partner operator"
        REFERRAL = "referral", "Referral"
        REPEAT = "repeat", "Repeat client"
        TRADE_SHOW = "trade_show", "Trade show"
        BID = "bid", "Bid or tender"
        OTHER = "other", "Other"

    class CostModel(models.TextChoices):
        NONE = "none", "Costs nothing"
        MONTHLY = "monthly", "Monthly spend"
        PER_LEAD = "per_lead", "Price for each lead"
        COMMISSION = "commission", "Commission on bookings (percent)"

    name = models.CharField(max_length=100, unique=True)
    channel = models.CharField(max_length=20, choices=Channel, default=Channel.OTHER, db_default=Channel.OTHER)
    cost_model = models.CharField(
        max_length=20, choices=CostModel, default=CostModel.MONTHLY, db_default=CostModel.MONTHLY
    )
    unit_cost = money_field(
        null=True,
        blank=True,
        help_text="The price of a lead or the commission in percent, depending on the cost model.",
    )
    is_active = models.BooleanField(default=True, db_default=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        db_table = "lead_sources"
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(
                condition=Q(channel__in=CHANNELS),
                name="lead_sources_channel_known",
            ),
            models.CheckConstraint(
                condition=Q(cost_model__in=["none", "monthly", "per_lead", "commission"]),
                name="lead_sources_cost_model_known",
            ),
            unique_name_constraint("lead_sources_name_in_any_case", "name"),
            range_constraint("lead_sources_unit_cost", "unit_cost", 0, MAX_AMOUNT),
        ]

    def __str__(self) -> str:
        return self.name


class SourceSpend(models.Model):
    """What a source, or one campaign of it, cost in a calendar month."""

    source = models.ForeignKey(LeadSource, models.PROTECT, related_name="spend")
    campaign = line_field(100)
    month = models.DateField(help_text="The first day of the month.")
    amount = money_field()
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        db_table = "source_spend"
        ordering = ["-month", "source"]
        verbose_name = verbose_name_plural = "source spend"
        constraints = [
            models.UniqueConstraint(fields=["source", "campaign", "month"], name="source_spend_once_a_month"),
            models.UniqueConstraint(
                "source",
                Lower("campaign"),
                "month",
                name="source_spend_campaign_in_any_case",
                violation_error_message="This campaign already has an amount for this month.",
            ),
            models.CheckConstraint(
                condition=Q(month__day=1),
                name="source_spend_first_of_month",
                violation_error_message="Enter the first day of the month.",
            ),
            range_constraint("source_spend_amount", "amount", 0, MAX_AMOUNT),
        ]

    def __str__(self) -> str:
        return f"{self.source}, {self.month:%B %Y}"


class LostReason(models.Model):
    """A reason for losing a lead, from a list that managers keep."""

    name = models.SlugField(max_length=50, unique=True, help_text="The name used in the API.")
    label = models.CharField(max_length=100)
    is_active = models.BooleanField(default=True, db_default=True)

    class Meta:
        db_table = "lost_reasons"
        ordering = ["id"]

    def __str__(self) -> str:
        return self.label
