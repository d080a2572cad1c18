"""The routes of `/api/v1/sales` and `/api/v1/intake`: one line per resource."""

from rest_framework.viewsets import ViewSetMixin

from sales.api.activities import ActivityViewSet
from sales.api.follow_ups.cadences import CadenceViewSet
from sales.api.follow_ups.follow_ups import FollowUpViewSet
from sales.api.leads.intake import IntakeViewSet
from sales.api.leads.leads import LeadViewSet
from sales.api.ownership.transfers import TransferViewSet
from sales.api.reports.report_views import ReportViewSet
from sales.api.scoring.scoring_rules import ScoringRuleViewSet, ScoringRunViewSet, ScoringViewSet
from sales.api.sources import LostReasonViewSet, SourceViewSet

ROUTES: dict[str, type[ViewSetMixin]] = {
    "sales/leads": LeadViewSet,
    "sales/activities": ActivityViewSet,
    "sales/follow-ups": FollowUpViewSet,
    "sales/cadences": CadenceViewSet,
    "sales/scoring/rules": ScoringRuleViewSet,
    "sales/scoring/runs": ScoringRunViewSet,
    "sales/scoring": ScoringViewSet,
    "sales/transfers": TransferViewSet,
    "sales/sources": SourceViewSet,
    "sales/lost-reasons": LostReasonViewSet,
    "sales/reports": ReportViewSet,
    "intake/leads": IntakeViewSet,
}
