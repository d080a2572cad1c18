"""The tables of sales. Every row of people's data is read through `.visible_to(user)`."""

from sales.models.activity import Activity, FieldChange
from sales.models.follow_up import FollowUp
from sales.models.lead import Lead
from sales.models.lead_import import ImportFile, ImportRow, LeadExport, LeadImport, PrivacyRequest
from sales.models.scoring import LeadScoreHistory, LeadScoringRule, RuleSet, ScoringBatch, ScoringRun
from sales.models.source import LeadSource, LostReason, SourceSpend
from sales.models.transfer import LeadTransfer, TransferBatch

__all__ = [
    "Activity",
    "FieldChange",
    "FollowUp",
    "ImportFile",
    "ImportRow",
    "Lead",
    "LeadExport",
    "LeadImport",
    "LeadScoreHistory",
    "LeadScoringRule",
    "LeadSource",
    "LeadTransfer",
    "LostReason",
    "PrivacyRequest",
    "RuleSet",
    "ScoringBatch",
    "ScoringRun",
    "SourceSpend",
    "TransferBatch",
]
