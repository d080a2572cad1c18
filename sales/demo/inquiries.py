"""How a lead comes in: who asks, for what trip, through which source."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any

from sales import normalization
from sales.demo import people, sources, trip_kinds, trips
from sales.demo.context import DemoContext, seeded_random
from sales.demo.lead_history import LeadHistory
from sales.demo.places import Client, make_client
from sales.demo.sources import Campaign, Source
from sales.demo.trip_kinds import TripKind
from sales.models import Activity, Lead, LeadSource

Channel = LeadSource.Channel
UNASSIGNED_SHARE = 0.2  # of the leads of new clients


@dataclass(frozen=True)
class Featured:
    """One of the first four leads, which documents and scripts use: big and open for a long time."""

    trip_kind: TripKind
    company: str
    source_id: int
    owner: int
    days_ahead: int  # days from inquiry to trip


FEATURED = (
    Featured(trip_kinds.BAND_TRIP, "Lincoln High School Marching Band", 11, people.WEI, 520),
    Featured(trip_kinds.CONVENTION, "New England Nurses Association", 8, people.MANAGER, 480),
    Featured(trip_kinds.OFFSITE, "Granite State Biosciences", 1, people.WEI, 455),
    Featured(trip_kinds.BAND_TRIP, "Diocesan Youth Choir", 10, people.MANAGER, 500),
)


def start_history(context: DemoContext, number: int, at: datetime) -> LeadHistory:
    """Create the lead with this number, as it came in at `at`."""
    rng = seeded_random("lead", number)
    featured = FEATURED[number - 1] if number <= len(FEATURED) else None
    returning = None if featured else context.pick_returning_client(rng, at)
    if featured:
        kind, client = featured.trip_kind, _create_client(context, rng, featured.trip_kind, featured.company)
        source, campaign = sources.BY_ID[featured.source_id], None
    elif returning:
        (kind, client), (source, campaign) = returning, (sources.REPEAT, None)
    else:
        kind = rng.choices(trip_kinds.TRIP_KINDS, [kind.weight for kind in trip_kinds.TRIP_KINDS])[0]
        client, (source, campaign) = _create_client(context, rng, kind), sources.pick_source(rng, kind.campaign)
    owner: int | None = featured.owner if featured else context.pick_owner(rng, kind, at)
    if not featured and not returning and rng.random() < UNASSIGNED_SHARE:
        owner = None
    trip = trips.build_trip(rng, kind, client, at.date(), featured.days_ahead if featured else None)
    if not featured and rng.random() < 0.06:  # the client does not know yet
        trip |= {"estimated_passengers": None, "estimated_value": None, "vehicles_needed": None}
    lead = _create_lead(context, rng, client, source, campaign, at, trip)
    lead.assigned_to = context.users[owner] if owner else None
    history = LeadHistory(context, rng, lead, kind, client, trip_at=trip["pickup_at"], at=at)
    _log_arrival(history, source)
    return history


def _create_client(context: DemoContext, rng: Random, kind: TripKind, company: str = "") -> Client:
    number = context.client_counts[kind]
    context.client_counts[kind] += 1
    company = company or rng.choice(kind.companies or ("",))
    return make_client(rng, number + 11 * trip_kinds.TRIP_KINDS.index(kind), company, kind.domain)


def _create_lead(
    context: DemoContext,
    rng: Random,
    client: Client,
    source: Source,
    campaign: Campaign | None,
    at: datetime,
    trip: Mapping[str, Any],
) -> Lead:
    utm = {}
    if source.utm:
        utm["utm_source"], utm["utm_medium"] = source.utm
    if campaign:
        utm["utm_campaign"] = campaign.name.replace(" ", "-")
        utm["utm_term"] = rng.choice(campaign.terms or ("",))
    last_utm = utm if rng.random() < 0.8 else {"utm_source": "newsletter", "utm_medium": "email"}
    return context.add_row(
        Lead,
        company_name=client.company,
        contact_name=client.contact,
        email=client.email,
        email_normalised=normalization.normalize_email(client.email),
        phone=client.phone,
        phone_normalised=normalization.normalize_phone(client.phone),
        source_id=source.id,
        last_source_id=source.id,
        campaign=campaign.name if campaign else "",
        **utm,
        **{f"last_{name}": value for name, value in last_utm.items()},
        bid_due_at=at + timedelta(days=rng.randint(20, 60)) if source.channel == Channel.BID else None,
        created_at=at,
        updated_at=at,
        **trip,
    )


def _log_arrival(history: LeadHistory, source: Source) -> None:
    """Log how the client got in touch. This is the first activity."""
    rng, trip = history.rng, f"{history.lead.estimated_passengers or 'Some'} people to {history.lead.dropoff_location}."
    if source.channel in (Channel.WEB_FORM, Channel.ADS, Channel.DIRECTORY):
        if rng.random() < 0.7:
            history.log_inbound(Activity.Type.QUOTE_REQUESTED, f"Quote requested: {source.name}", trip, by=None)
        else:
            history.log_inbound(Activity.Type.EMAIL, "Asked by email", trip, by=None)
    elif source.channel in (Channel.PHONE, Channel.REPEAT) or (
        source.channel == Channel.REFERRAL and rng.random() < 0.6
    ):
        history.log_inbound(Activity.Type.CALL, "Called about a trip", trip, by=history.owner)
    else:
        description = "Invited to bid" if source.channel == Channel.BID else f"Address received: {source.name}"
        history.log(Activity.Type.NOTE, description, by=history.owner, notes=trip)
