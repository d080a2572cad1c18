"""The tables of sales. Every row of people's data is read through `.visible_to(user)`."""

from sales.models.activity import Activity, FieldChange
from sales.models.assignment import AssignmentRule
from sales.models.follow_up import FollowUp
from sales.models.lead import Lead
from sales.models.scoring import LeadScoreHistory, LeadScoringRule, RuleSet, ScoringBatch, ScoringRun
from sales.models.source import LeadSource, LostReason, SourceSpend
from sales.models.transfer import LeadTransfer, MovedFollowUp, TransferBatch, Turn

__all__ = [
    "Activity",
    "AssignmentRule",
    "FieldChange",
    "FollowUp",
    "Lead",
    "LeadScoreHistory",
    "LeadScoringRule",
    "LeadSource",
    "LeadTransfer",
    "LostReason",
    "MovedFollowUp",
    "RuleSet",
    "ScoringBatch",
    "ScoringRun",
    "SourceSpend",
    "TransferBatch",
    "Turn",
]
