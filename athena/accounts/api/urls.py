"""What `/api/v1` offers about accounts: one line a resource."""

from rest_framework.viewsets import ViewSetMixin

from athena.accounts.api.views import AuthViewSet, UserViewSet

ROUTES: dict[str, type[ViewSetMixin]] = {
    "auth": AuthViewSet,
    "users": UserViewSet,
}
