"""A lead with a row of every kind: activities, follow-ups, transfers."""

from datetime import date

from athena.accounts.models import User
from sales.models import Lead, LeadSource
from sales.services import activities
from sales.services.follow_ups import follow_ups
from sales.services.leads import leads
from sales.services.ownership import transfers


def create_eventful_lead(rep: User, colleague: User, manager: User) -> Lead:
    """Create a lead of `rep` from the source "Fair", with an email, two follow-ups, and transfers away and back."""
    source, _ = LeadSource.objects.get_or_create(name="Fair")
    lead = leads.create(by=rep, values={"company_name": "Band", "source": source.pk})
    activities.log(by=rep, lead_id=lead.pk, activity_type="email", direction="inbound")
    for day in (date(2026, 1, 5), date(2027, 1, 5)):
        follow_ups.create(by=rep, lead_id=lead.pk, follow_up_type="call", scheduled_date=day)
    for receiver in (colleague, rep):
        transfers.transfer(by=manager, leads=Lead.objects.filter(pk=lead.pk), to_user_id=receiver.pk)
    return lead
