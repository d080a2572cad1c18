"""A small demo, and the tables of it as plain rows: what a naive pass needs, which knows nothing of the queries."""

from datetime import date
from types import SimpleNamespace

from athena.accounts.models import User
from sales.demo import generator
from sales.models import (
    Activity,
    FieldChange,
    FollowUp,
    Lead,
    LeadScoreHistory,
    LeadSource,
    LeadTransfer,
    SourceSpend,
)  # fmt: skip


def load(leads: int) -> SimpleNamespace:
    """Every row that there is, read whole and in no order."""
    generator.load(today=date(2026, 11, 25), leads=leads)
    models = (
        Activity, FieldChange, FollowUp, Lead, LeadScoreHistory, LeadSource, LeadTransfer, SourceSpend, User,
    )  # fmt: skip
    return SimpleNamespace(**{model.__name__: list(model._default_manager.order_by("?")) for model in models})
