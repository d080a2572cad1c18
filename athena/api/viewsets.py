"""What every viewset of the API is made of.

    class LeadViewSet(ViewSet):                     # or ActionViewSet, which has no list and no rows of its own
        queryset = Lead.objects.none()              # names the model: rights come from the role table
        rights = {"calculate_score": "sales.change_lead"}       # what a verb of its own needs
        row = LeadRow                               # the shape that goes out: `athena.api.serializers`
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

`list` and `retrieve` are there; each other verb is written out, calls one service and answers. Errors are raised, never
answered: `athena.config.api_errors` has the table. A resource's address is one line in its `api/urls.py`.
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
    """Asks the role table: by the request's method on the view's model, or what `action_permissions` says of an action.

    A view without a model and without an entry in `action_permissions` is nobody's.
    """

    def has_permission(self, request: Request, view: Any) -> bool:
        user = request.user
        if not user or not user.is_authenticated:
            return False
        if view.action in (None, "metadata"):
            return True  # there is no such method, nor OPTIONS: 405
        right = self.find_permission(request.method, view)
        return right is not None and bool(user.has_perm(right))

    @staticmethod
    def find_permission(method: str | None, view: Any) -> str | None:
        """The permission that a request needs, or None where nobody may."""
        right: str | None = view.action_permissions.get(view.action)
        if right is None and view.queryset is not None:
            options = view.queryset.model._meta
            right = f"{options.app_label}.{_VERBS.get(method or '', 'delete')}_{options.model_name}"
        return right


class ActionViewSet(viewsets.ViewSet):
    """A viewset of verbs: what is not written out in it is not there."""

    permission_classes = [RolePermission]
    lookup_value_regex = "[0-9]{1,19}"
    queryset: Any = None
    action_permissions: ClassVar[dict[str, str]] = {}
    idempotent: ClassVar[bool] = True  # whether a POST takes an Idempotency-Key
    query: ClassVar[type[StrictSerializer]] = StrictSerializer  # the parameters of a change: none, mostly
    post: Any

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        require_utf8(request.META["QUERY_STRING"].encode("latin-1"))
        if self.action is None or request.method in ("GET", "HEAD"):
            return
        read_query(request, self.query)
        key = idempotency.read_key(request) if self.idempotent and request.method == "POST" else None
        if key is not None:
            _ = request._request.body  # kept for its fingerprint: the parser would use it up
            self.post = partial(idempotency.run_once, self, self.post, key)
        _ = request.data  # a body that can't be read is an error, also where nothing is asked of it

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
        """The keys of a row as GET answers it; none where there are no rows."""
        return ()

    def check_visible(self) -> None:
        """That what the address names is still the caller's to see. Raises `Http404`."""

    def read_body(self, shape: type[StrictSerializer], *, partial: bool = False) -> dict[str, Any]:
        """The request's body, read by `shape`. Raises `ValidationError`."""
        serializer = shape(data=self.request.data, partial=partial)
        serializer.is_valid(raise_exception=True)
        values: dict[str, Any] = serializer.validated_data
        return values

    @property
    def pk(self) -> int:
        """The id in the address. Raises `Http404` for one that no row can have."""
        return parse_id_or_404(self.kwargs["pk"])

    @property
    def caller(self) -> Any:
        """The user who is logged in (a view that lets others in does not ask)."""
        return self.request.user

    def get_or_404(self, rows: "QuerySet[Any, Any]") -> Any:
        """The one row. Raises `Http404`."""
        row = rows.first()
        if row is None:
            raise Http404
        return row


class ViewSet(ActionViewSet, viewsets.GenericViewSet):  # type: ignore[type-arg]
    """A viewset of rows, which lists them in pages and gives one by its id."""

    pagination_class: Any = KeysetPagination
    row: ClassVar[type[Row]]
    detail_row: ClassVar[type[Row] | None] = None  # the shape of one row by itself, where it has more than `row`
    orderings: ClassVar[dict[str, str]] = {"id": "id"}
    default_ordering: ClassVar[str] = "-id"

    @property
    def row_keys(self) -> Collection[str]:
        shape: type[Row] | None = self.detail_row or getattr(self, "row", None)
        return shape.keys() if shape is not None else ()

    @property
    def if_match(self) -> Container[int] | None:
        """The versions of the row that the request is about; None for any. Raises `ValidationError`."""
        tags = preconditions.parse_if_match(self.request.headers.get("If-Match"))
        return None if tags is None else preconditions.UnchangedSinceRead(tags, self._tag_now)

    def _tag_now(self) -> str | None:
        row = self.rows().filter(pk=self.pk).first()
        return None if row is None else preconditions.compute_etag(self.add_details(row), self.row_keys)

    def check_visible(self) -> None:
        if "pk" in self.kwargs:
            self.get_or_404(self.get_queryset().filter(pk=self.pk).values("pk"))

    def rows(self) -> "QuerySet[Any, Any]":
        """What the caller may see, as rows."""
        return self.row.read(self.get_queryset())

    def add_details(self, row: dict[str, Any]) -> dict[str, Any]:
        """A row as GET answers it by itself (`shown`): where that is more than `row`, what is added."""
        return row

    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return self.list_page(self.row, self.get_queryset())

    def list_page(self, row: type[Row], queryset: "QuerySet[Any, Any]") -> Response:
        """A page of the queryset, filtered and ordered as the request's parameters say."""
        return self.get_paginated_response(self.paginate_queryset(row.read(self.filter_queryset(queryset))))

    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        read_query(request, StrictSerializer)
        return Response(self.add_details(self.get_or_404(self.rows().filter(pk=self.pk))))

    def get_serializer_class(self) -> Any:
        """What goes out, for the schema and the browsable API."""
        return getattr(self, "row", StrictSerializer)
