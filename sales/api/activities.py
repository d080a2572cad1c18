"""`/sales/activities`: one entry of a lead's log, and its correction."""

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from athena.api import fields
from athena.api.filters import read_query
from athena.api.serializers import StrictSerializer
from athena.api.viewsets import ActionViewSet
from sales.api.serializers.activities import ActivityRow
from sales.models import Activity
from sales.services import activities


class ActivityBody(StrictSerializer):
    activity_type = fields.ChoiceField(choices=Activity.Type.choices)
    direction = fields.ChoiceField(choices=Activity.Direction.choices, required=False, allow_null=True)
    description = fields.OneLineField(max_length=500, required=False)
    notes = fields.LongTextField(required=False)
    occurred_at = fields.DateTimeField(required=False)
    amount = fields.MoneyField(
        required=False, allow_null=True, help_text="Of a quote: becomes the lead's quote amount."
    )
    valid_until = fields.DateField(
        required=False, allow_null=True, help_text="Of a quote with an amount: its last day."
    )


class CorrectionBody(ActivityBody):
    class Meta:
        row = ActivityRow


class ActivityViewSet(ActionViewSet):
    queryset = Activity.objects.none()

    @extend_schema(responses=ActivityRow)
    def retrieve(self, request: Request, pk: str) -> Response:
        """An entry of the log of a lead that you can see."""
        read_query(request, StrictSerializer)
        rows = Activity.objects.visible_to(self.caller).filter(pk=self.pk)
        return Response(self.get_or_404(ActivityRow.read(rows)))

    @extend_schema(request=CorrectionBody, responses=ActivityRow)
    def partial_update(self, request: Request, pk: str) -> Response:
        """Correct what was logged wrongly: its author, or a manager. What it said before stays in the timeline.

        What followed from it for the lead (status, first contact, quote) follows the correction, but for what somebody
        has set by hand since.
        """
        changes = self.read_body(CorrectionBody, partial=True)
        activity = activities.correct(by=self.caller, activity_id=self.pk, changes=changes)
        return Response(ActivityRow.of(activity))
