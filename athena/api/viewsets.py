"""The base classes of all viewsets of the API.

    class LeadViewSet(ViewSet):                     # or ActionViewSet, without a list and rows of its own
        queryset = Lead.objects.none()              # names the model, which decides the permissions
        rights = {"calculate_score": "sales.change_lead"}       # the permissions of other actions
        row = LeadRow                               # the rows of responses: `athena.api.serializers`
        filterset_class = LeadFilters               # `athena.api.filters`
        orderings, default_ordering = {"created_at": "created_at", "score": "score"}, "-created_at"

        def get_queryset(self):
            return Lead.objects.visible_to(self.caller)

        @extend_schema(request=LeadBody, responses={201: LeadRow})
        def create(self, request):
            lead = leads.create(by=self.caller, values=self.read_body(LeadBody))
            return Response(LeadRow.of(lead), status=201)

        @extend_schema(parameters=[HistoryQuery], responses=ScoreChange(many=True))
        @action(detail=True)
        def changes(self, request, pk):
            query = read_query(request, HistoryQuery, ARRAY_PARAMETERS)
            return array_response(request, ScoreChange.read(changes_of(self.pk, **query)).order_by("-changed_at"))

`list` and `retrieve` exist already. Each other action calls one service and returns a response. Errors are raised:
`athena.config.api_errors` turns them into responses. The route of a resource is one line in its `api/urls.py`.
"""

from collections.abc import Collection, Container
from functools import partial
from typing import Any, ClassVar

from django.db.models import QuerySet
from django.http import Http404
from rest_framework import viewsets
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response

from athena.api import idempotency, preconditions
from athena.api.filters import read_query, require_utf8
from athena.api.pagination import KeysetPagination
from athena.api.row_ids import parse_id_or_404
from athena.api.serializers import Row, StrictSerializer

_VERBS = {"GET": "view", "HEAD": "view", "OPTIONS": "view", "POST": "add", "PUT": "change", "PATCH": "change"}


class RolePermission(BasePermission):
    """Checks the user's permission: that of the action in `action_permissions`, or else that of the method and model.

    Nobody may use a view without either.
    """

    def has_permission(self, request: Request, view: Any) -> bool:
        user = request.user
        if not user or not user.is_authenticated:
            return False
        if view.action in (None, "metadata"):
            return True  # the method does not exist, or is OPTIONS: 405
        permission = self.find_permission(request.method, view)
        return permission is not None and bool(user.has_perm(permission))

    @staticmethod
    def find_permission(method: str | None, view: Any) -> str | None:
        """The permission that a request needs; None if nobody may send it."""
        permission: str | None = view.action_permissions.get(view.action)
        if permission is None and view.queryset is not None:
            options = view.queryset.model._meta
            permission = f"{options.app_label}.{_VERBS.get(method or '', 'delete')}_{options.model_name}"
        return permission


class ActionViewSet(viewsets.ViewSet):
    """A viewset of actions only, without a list and rows."""

    permission_classes = [RolePermission]
    lookup_value_regex = "[0-9]{1,19}"
    queryset: Any = None
    action_permissions: ClassVar[dict[str, str]] = {}
    idempotent: ClassVar[bool] = True  # whether a POST takes an Idempotency-Key
    query: ClassVar[type[StrictSerializer]] = StrictSerializer  # the query parameters of writing requests
    post: Any

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        require_utf8(request.META["QUERY_STRING"].encode("latin-1"))
        if self.action is None or request.method in ("GET", "HEAD"):
            return
        read_query(request, self.query)
        key = idempotency.read_key(request) if self.idempotent and request.method == "POST" else None
        if key is not None:
            _ = request._request.body  # read now, for the fingerprint: the parser would consume it
            self.post = partial(idempotency.run_once, self, self.post, key)
        _ = request.data  # an unreadable body is an error, even if the action does not use it

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        tag = preconditions.compute_etag(getattr(response, "data", None), self.row_keys)
        if request.method in ("GET", "HEAD") and preconditions.matches_if_none_match(
            request.headers.get("If-None-Match"), tag
        ):
            response = Response(status=304)
        if tag is not None:
            response.headers["ETag"] = tag
        return super().finalize_response(request, response, *args, **kwargs)

    @property
    def row_keys(self) -> Collection[str]:
        """The keys of a row as GET returns it."""
        return ()

    def check_visible(self) -> None:
        """Check that the caller may still see the row in the address. Raises `Http404`."""

    def read_body(self, serializer_class: type[StrictSerializer], *, partial: bool = False) -> dict[str, Any]:
        """The validated body of the request. Raises `ValidationError`."""
        serializer = serializer_class(data=self.request.data, partial=partial)
        serializer.is_valid(raise_exception=True)
        values: dict[str, Any] = serializer.validated_data
        return values

    @property
    def pk(self) -> int:
        """The id in the address. Raises `Http404` if no row can have it."""
        return parse_id_or_404(self.kwargs["pk"])

    @property
    def caller(self) -> Any:
        """The signed-in user."""
        return self.request.user

    def get_or_404(self, rows: "QuerySet[Any, Any]") -> Any:
        """The first of these rows. Raises `Http404` if there is none."""
        row = rows.first()
        if row is None:
            raise Http404
        return row


class ViewSet(ActionViewSet, viewsets.GenericViewSet):  # type: ignore[type-arg]
    """A viewset of rows: it lists them in pages, and returns one by its id."""

    pagination_class: Any = KeysetPagination
    row: ClassVar[type[Row]]
    detail_row: ClassVar[type[Row] | None] = None  # a single row, if it has more keys than `row`
    orderings: ClassVar[dict[str, str]] = {"id": "id"}
    default_ordering: ClassVar[str] = "-id"

    @property
    def row_keys(self) -> Collection[str]:
        row: type[Row] | None = self.detail_row or getattr(self, "row", None)
        return row.keys() if row is not None else ()

    @property
    def if_match(self) -> Container[int] | None:
        """The versions of the row that the header If-Match accepts; None for any. Raises `ValidationError`."""
        tags = preconditions.parse_if_match(self.request.headers.get("If-Match"))
        return None if tags is None else preconditions.UnchangedSinceRead(tags, self._compute_current_etag)

    def _compute_current_etag(self) -> str | None:
        row = self.rows().filter(pk=self.pk).first()
        return None if row is None else preconditions.compute_etag(self.add_details(row), self.row_keys)

    def check_visible(self) -> None:
        if "pk" in self.kwargs:
            self.get_or_404(self.get_queryset().filter(pk=self.pk).values("pk"))

    def rows(self) -> "QuerySet[Any, Any]":
        """The rows that the caller may see."""
        return self.row.read(self.get_queryset())

    def add_details(self, row: dict[str, Any]) -> dict[str, Any]:
        """Add the keys of `detail_row` that `row` lacks."""
        return row

    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return self.list_page(self.row, self.get_queryset())

    def list_page(self, row: type[Row], queryset: "QuerySet[Any, Any]") -> Response:
        """A page of the queryset, filtered and ordered by the query parameters."""
        return self.get_paginated_response(self.paginate_queryset(row.read(self.filter_queryset(queryset))))

    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        read_query(request, StrictSerializer)
        return Response(self.add_details(self.get_or_404(self.rows().filter(pk=self.pk))))

    def get_serializer_class(self) -> Any:
        """The serializer of responses, for the schema and the browsable API."""
        return getattr(self, "row", StrictSerializer)
