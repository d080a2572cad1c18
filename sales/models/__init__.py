"""The tables of sales. Read rows with personal data through `.visible_to(user)`."""

from sales.models.follow_ups.cadence import Cadence, CadenceEnrolment, CadenceStep
from sales.models.follow_ups.follow_up import FollowUp
from sales.models.imports.lead_export import LeadExport
from sales.models.imports.lead_import import ImportFile, ImportRow, LeadImport
from sales.models.leads.activity import Activity, FieldChange
from sales.models.leads.intake import Inquiry, IntakeForm
from sales.models.leads.lead import Lead
from sales.models.leads.not_duplicate import NotDuplicate
from sales.models.leads.search import LeadSearch
from sales.models.leads.source import LeadSource, LostReason, SourceSpend
from sales.models.ownership.assignment_rule import AssignmentRule
from sales.models.ownership.transfer import LeadTransfer, MovedFollowUp, TransferBatch, Turn
from sales.models.privacy_request import PrivacyRequest
from sales.models.scoring.scoring import LeadScoreHistory, LeadScoringRule, RuleSet, ScoringBatch, ScoringRun

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
