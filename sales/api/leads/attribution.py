"""The fields that say which campaign brought an inquiry."""

from athena.api import fields
from athena.api.serializers import StrictSerializer


class Attribution(StrictSerializer):
    campaign = fields.OneLineField(max_length=100, required=False)
    utm_source = fields.OneLineField(max_length=100, required=False)
    utm_medium = fields.OneLineField(max_length=100, required=False)
    utm_campaign = fields.OneLineField(max_length=100, required=False)
    utm_term = fields.OneLineField(max_length=100, required=False)
    utm_content = fields.OneLineField(max_length=100, required=False)
