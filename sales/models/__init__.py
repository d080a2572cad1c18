"""The tables of sales. Read rows with personal data through `.visible_to(user)`."""

from sales.models.activity import Activity, FieldChange
from sales.models.assignment import AssignmentRule
from sales.models.cadence import Cadence, CadenceEnrolment, CadenceStep
from sales.models.follow_up import FollowUp
from sales.models.intake import Inquiry, IntakeForm
from sales.models.lead import Lead
from sales.models.lead_export import LeadExport
from sales.models.lead_import import ImportFile, ImportRow, LeadImport
from sales.models.privacy_request import PrivacyRequest
from sales.models.scoring import LeadScoreHistory, LeadScoringRule, RuleSet, ScoringBatch, ScoringRun
from sales.models.search import LeadSearch, NotDuplicate
from sales.models.source import LeadSource, LostReason, SourceSpend
from sales.models.transfer import LeadTransfer, MovedFollowUp, TransferBatch, Turn

__all__ = [
    "Activity",
    "AssignmentRule",
    "Cadence",
    "CadenceEnrolment",
    "CadenceStep",
    "FieldChange",
    "FollowUp",
    "ImportFile",
    "ImportRow",
    "Inquiry",
    "IntakeForm",
    "Lead",
    "LeadExport",
    "LeadImport",
    "LeadScoreHistory",
    "LeadScoringRule",
    "LeadSearch",
    "LeadSource",
    "LeadTransfer",
    "LostReason",
    "MovedFollowUp",
    "NotDuplicate",
    "PrivacyRequest",
    "RuleSet",
    "ScoringBatch",
    "ScoringRun",
    "SourceSpend",
    "TransferBatch",
    "Turn",
]
