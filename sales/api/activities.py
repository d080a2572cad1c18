"""`/sales/activities`: one activity of a lead, and its correction."""

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
        required=False, allow_null=True, help_text="Only for a quote. Becomes the lead's quote amount."
    )
    valid_until = fields.DateField(
        required=False, allow_null=True, help_text="Only for a quote with an amount: the last day on which it is valid."
    )


class CorrectionBody(ActivityBody):
    class Meta:
        row = ActivityRow


class ActivityViewSet(ActionViewSet):
    queryset = Activity.objects.none()

    @extend_schema(responses=ActivityRow)
    def retrieve(self, request: Request, pk: str) -> Response:
        """Get an activity of a lead that you may see."""
        read_query(request, StrictSerializer)
        rows = Activity.objects.visible_to(self.caller).filter(pk=self.pk)
        return Response(self.get_or_404(ActivityRow.read(rows)))

    @extend_schema(request=CorrectionBody, responses=ActivityRow)
    def partial_update(self, request: Request, pk: str) -> Response:
        """Correct an activity. Only the person who logged it or a manager may. The timeline keeps the old values.

        The lead's status, first contact and quote follow the correction, except where somebody has set them since.
        """
        changes = self.read_body(CorrectionBody, partial=True)
        activity = activities.correct(by=self.caller, activity_id=self.pk, changes=changes)
        return Response(ActivityRow.of(activity))
