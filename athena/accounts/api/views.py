"""`/auth`: logins and the user's own account; `/users`: the users who can own leads."""

from typing import Any

from django.db.models import Q, QuerySet, Value
from django.db.models.functions import StrIndex
from django.db.models.lookups import GreaterThan
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.exceptions import APIException, AuthenticationFailed
from rest_framework.permissions import AllowAny, IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from athena.accounts import lockout, services, tokens
from athena.accounts.models import User, validate_time_zone
from athena.accounts.roles import Role
from athena.api import fields, filters
from athena.api.filters import read_query
from athena.api.serializers import Row, StrictSerializer
from athena.api.throttles import PublicThrottle
from athena.api.viewsets import ActionViewSet, ViewSet
from athena.db import Fold
from athena.http.client_address import client_address


class MeRow(Row):
    id = serializers.IntegerField()
    email = serializers.EmailField()
    full_name = serializers.CharField()
    role = serializers.ChoiceField(Role.choices)
    team = serializers.IntegerField(allow_null=True)
    team_name = serializers.CharField(allow_null=True)
    time_zone = serializers.CharField()

    class Meta:
        expressions = {"team_name": "team__name"}


class UserRow(Row):
    id = serializers.IntegerField()
    full_name = serializers.CharField()
    email = serializers.EmailField()
    role = serializers.ChoiceField(Role.choices)
    team = serializers.IntegerField(allow_null=True)
    team_name = serializers.CharField(allow_null=True)
    is_active = serializers.BooleanField()

    class Meta:
        expressions = {"team_name": "team__name"}


class LoginBody(StrictSerializer):
    email = fields.OneLineField(max_length=254)
    password = fields.PasswordField()


class RefreshBody(StrictSerializer):
    refresh_token = fields.OneLineField(max_length=4096)


class MeBody(StrictSerializer):
    full_name = fields.OneLineField(max_length=150, required=False, allow_blank=False)
    time_zone = fields.OneLineField(max_length=64, required=False, allow_blank=False, validators=[validate_time_zone])

    class Meta:
        row = MeRow


class PasswordBody(StrictSerializer):
    current_password = fields.PasswordField()
    new_password = fields.PasswordField()


class LoginAnswer(serializers.Serializer[Any]):
    access_token = serializers.CharField()
    refresh_token = serializers.CharField()
    token_type = serializers.ChoiceField(["bearer"])
    expires_in = serializers.IntegerField(help_text="Seconds until the access token expires.")
    user = MeRow()


class CalendarAnswer(serializers.Serializer[Any]):
    token = serializers.CharField()
    url = serializers.CharField(help_text="The URL to subscribe to. Whoever has it can read the calendar.")


class Locked(APIException):
    status_code = status.HTTP_429_TOO_MANY_REQUESTS
    default_code = "locked_out"

    def __init__(self, error: lockout.LockedOut) -> None:
        super().__init__(str(error))
        self.wait = error.retry_after  # becomes Retry-After


_OPEN: dict[str, Any] = {
    "authentication_classes": [], "permission_classes": [AllowAny], "throttle_classes": [PublicThrottle],
}  # fmt: skip


class AuthViewSet(ActionViewSet):
    permission_classes = [IsAuthenticated]
    idempotent = False

    def get_authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="api"'

    @extend_schema(request=LoginBody, responses=LoginAnswer, auth=[])
    @action(detail=False, methods=["post"], **_OPEN)
    def login(self, request: Request) -> Response:
        """Get tokens for an email address and a password.

        An unknown or inactive account gets the same 401 as a wrong password.

        429 after 5 failures in 15 minutes for one account, or 20 in an hour for any account, from one address.
        """
        try:
            return _build_login_response(services.log_in(**self.read_body(LoginBody), address=client_address(request)))
        except lockout.LockedOut as error:
            raise Locked(error) from error
        except services.LoginRefused as error:
            raise AuthenticationFailed("The email address or the password is wrong.", "login_failed") from error

    @extend_schema(request=RefreshBody, responses=LoginAnswer, auth=[])
    @action(detail=False, methods=["post"], **_OPEN)
    def refresh(self, request: Request) -> Response:
        """Exchange a refresh token for a new pair of tokens.

        Each refresh token works once; using it again later ends the session.

        A session can be refreshed for 30 days, unless the server is configured otherwise.
        """
        try:
            return _build_login_response(services.refresh(**self.read_body(RefreshBody)))
        except services.TokenRefused as error:
            raise AuthenticationFailed("This refresh token is invalid or has expired.", "token_not_valid") from error

    @extend_schema(request=RefreshBody, responses={204: None})
    @action(detail=False, methods=["post"])
    def logout(self, request: Request) -> Response:
        """End the session of this refresh token."""
        services.log_out(by=self.caller, **self.read_body(RefreshBody))
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(methods=["GET"], responses=MeRow)
    @extend_schema(methods=["PATCH"], request=MeBody, responses=MeRow)
    @action(detail=False, methods=["get", "patch"])
    def me(self, request: Request) -> Response:
        """Get your own account; PATCH changes your name and time zone."""
        user = self.caller
        read_query(request, StrictSerializer)
        if request.method == "PATCH":
            user = services.update_profile(by=user, changes=self.read_body(MeBody, partial=True))
        return Response(MeRow.of(user))

    @extend_schema(methods=["GET"], responses=CalendarAnswer)
    @extend_schema(methods=["POST"], request=None, responses=CalendarAnswer)
    @action(detail=False, methods=["get", "post"], url_path="me/calendar")
    def calendar(self, request: Request) -> Response:
        """Get the secret token and the URL of your calendar; POST replaces them."""
        user = self.caller
        read_query(request, StrictSerializer)
        if request.method == "POST":
            self.read_body(StrictSerializer)
            user = services.renew_calendar_token(by=user)
        return Response({"token": tokens.make_calendar_token(user), "url": services.calendar_url(user)})

    @extend_schema(request=PasswordBody, responses={204: None})
    @action(detail=False, methods=["post"], url_path="change-password")
    def change_password(self, request: Request) -> Response:
        """Change your password. All your tokens and sessions end.

        A wrong `current_password` counts as a failed login.
        """
        body = self.read_body(PasswordBody)
        try:
            services.change_password(by=self.caller, **body, address=client_address(request))
        except lockout.LockedOut as error:
            raise Locked(error) from error
        return Response(status=status.HTTP_204_NO_CONTENT)


def _build_login_response(login: services.Login) -> Response:
    return Response(
        {
            "access_token": login.access_token,
            "refresh_token": login.refresh_token,
            "token_type": "bearer",
            "expires_in": tokens.ACCESS_SECONDS,
            "user": MeRow.of(login.user),
        }
    )


class UserFilters(filters.StrictFilterSet):
    search = filters.TextFilter(method="filter_search", help_text="Text in the name or the email address.")
    role = filters.ChoicesFilter(choices=Role.choices)
    team = filters.IdsFilter(or_none=True)
    is_active = filters.BooleanFilter(lookup_expr="exact")

    def filter_search(self, queryset: Any, name: str, value: str) -> "QuerySet[User]":
        part = Fold(Value(value))
        in_name, in_email = StrIndex(Fold("full_name"), part), StrIndex("email", part)
        rows: QuerySet[User] = queryset.filter(Q(GreaterThan(in_name, 0)) | Q(GreaterThan(in_email, 0)))
        return rows


class UserViewSet(ViewSet):
    """All signed-in users may look up the users who can own leads."""

    permission_classes = [IsAuthenticated]
    row = UserRow
    filterset_class = UserFilters
    orderings = {"full_name": "full_name", "email": "email", "id": "id"}
    default_ordering = "full_name"

    def get_queryset(self) -> "QuerySet[User]":
        return User.objects.all()
