"""How a lead comes in: who asks, for what trip, through which source."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any

from sales import normalization
from sales.demo import people, sources, trip_kinds, trips
from sales.demo.context import World, dice
from sales.demo.lead_history import Story
from sales.demo.places import Client, make_client
from sales.demo.sources import Campaign, Source
from sales.demo.trip_kinds import Kind
from sales.models import Activity, Lead, LeadSource

Channel = LeadSource.Channel
UNOWNED_SHARE = 0.2  # of what new clients ask


@dataclass(frozen=True)
class Featured:
    """One of the first four leads, which documents and scripts use: big, open for long, and the manager's or Wei's."""

    kind: Kind
    company: str
    source_id: int
    owner: int
    ahead: int  # days from inquiry to trip


FEATURED = (
    Featured(trip_kinds.BAND_TRIP, "Lincoln High School Marching Band", 11, people.WEI, 520),
    Featured(trip_kinds.CONVENTION, "New England Nurses Association", 8, people.MANAGER, 480),
    Featured(trip_kinds.OFFSITE, "Granite State Biosciences", 1, people.WEI, 455),
    Featured(trip_kinds.BAND_TRIP, "Diocesan Youth Choir", 10, people.MANAGER, 500),
)


def begin(world: World, number: int, at: datetime) -> Story:
    """The `number`th lead comes in."""
    rng = dice("lead", number)
    featured = FEATURED[number - 1] if number <= len(FEATURED) else None
    returning = None if featured else world.returning(rng, at)
    if featured:
        kind, client = featured.kind, _new_client(world, rng, featured.kind, featured.company)
        source, campaign = sources.BY_ID[featured.source_id], None
    elif returning:
        (kind, client), (source, campaign) = returning, (sources.REPEAT, None)
    else:
        kind = rng.choices(trip_kinds.KINDS, [each.weight for each in trip_kinds.KINDS])[0]
        client, (source, campaign) = _new_client(world, rng, kind), sources.pick(rng, kind.campaign)
    owner: int | None = featured.owner if featured else world.owner_of(rng, kind, at)
    if not featured and not returning and rng.random() < UNOWNED_SHARE:
        owner = None
    trip = trips.plan(rng, kind, client, at.date(), featured.ahead if featured else None)
    if not featured and rng.random() < 0.06:  # "we don't know yet"
        trip |= {"estimated_passengers": None, "estimated_value": None, "vehicles_needed": None}
    lead = _lead(world, rng, client, source, campaign, at, trip)
    lead.assigned_to = world.users[owner] if owner else None
    story = Story(world, rng, lead, kind, client, trip_at=trip["pickup_at"], at=at)
    _arrive(story, source)
    return story


def _new_client(world: World, rng: Random, kind: Kind, company: str = "") -> Client:
    number = world.clients_of[kind]
    world.clients_of[kind] += 1
    company = company or rng.choice(kind.companies or ("",))
    return make_client(rng, number + 11 * trip_kinds.KINDS.index(kind), company, kind.domain)


def _lead(
    world: World,
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
    return world.new(
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


def _arrive(story: Story, source: Source) -> None:
    """The first entry of the log: what the client did to be known."""
    rng, trip = story.rng, f"{story.lead.estimated_passengers or 'Some'} people to {story.lead.dropoff_location}."
    if source.channel in (Channel.WEB_FORM, Channel.ADS, Channel.DIRECTORY):
        if rng.random() < 0.7:
            story.hear(Activity.Type.QUOTE_REQUESTED, f"Quote requested: {source.name}", trip, by=None)
        else:
            story.hear(Activity.Type.EMAIL, "Asked by e-mail", trip, by=None)
    elif source.channel in (Channel.PHONE, Channel.REPEAT) or (
        source.channel == Channel.REFERRAL and rng.random() < 0.6
    ):
        story.hear(Activity.Type.CALL, "Called about a trip", trip, by=story.owner)
    else:
        told = "Invited to bid" if source.channel == Channel.BID else f"Address received: {source.name}"
        story.log(Activity.Type.NOTE, told, by=story.owner, notes=trip)
