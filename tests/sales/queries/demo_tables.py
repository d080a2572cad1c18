"""A small demo and its tables as plain rows, for tests that compute a result naively, without the queries."""

from datetime import date
from types import SimpleNamespace

from athena.accounts.models import User
from sales.demo import generator
from sales.models import Activity, FieldChange, FollowUp, Lead, LeadScoreHistory, LeadSource, LeadTransfer, SourceSpend

MODELS = (Activity, FieldChange, FollowUp, Lead, LeadScoreHistory, LeadSource, LeadTransfer, SourceSpend, User)


def load(leads: int) -> SimpleNamespace:
    """Load the demo; return all rows, in no order, by the names of their models."""
    generator.load(today=date(2026, 11, 25), leads=leads)
    return SimpleNamespace(**{model.__name__: list(model._default_manager.order_by("?")) for model in MODELS})
