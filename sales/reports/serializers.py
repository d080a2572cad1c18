"""What the serializers of all reports share."""

from typing import Any

from rest_framework import serializers


class RowSerializer(serializers.Serializer[Any]):
    """The first keys of every row."""

    key = serializers.JSONField(
        allow_null=True, help_text="The id of the source or person, or the stored value; null if there is none."
    )
    name = serializers.CharField()
