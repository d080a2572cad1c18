"""The routes of accounts under `/api/v1`."""

from rest_framework.viewsets import ViewSetMixin

from athena.accounts.api.views import AuthViewSet, UserViewSet

ROUTES: dict[str, type[ViewSetMixin]] = {
    "auth": AuthViewSet,
    "users": UserViewSet,
}
