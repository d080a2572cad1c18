"""All URLs of Athena."""

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path
from django.views.generic import RedirectView
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView
from rest_framework.routers import SimpleRouter

from athena.accounts.api.urls import ROUTES as ACCOUNTS
from athena.runtime import health, metrics
from notifications.api import ROUTES as NOTIFICATIONS
from notifications.emails.unsubscribe_page import unsubscribe
from sales.api.leads import intake_pages
from sales.api.urls import ROUTES as SALES

router = SimpleRouter(trailing_slash=False)
for prefix, viewset in {**ACCOUNTS, **SALES, **NOTIFICATIONS}.items():
    router.register(prefix, viewset, basename=prefix.replace("/", "-"))

urlpatterns: list[URLPattern | URLResolver] = [
    path("", RedirectView.as_view(pattern_name="admin:index")),
    path("admin/", admin.site.urls),
    path("intake/<slug:key>/", intake_pages.show_form, name="intake"),
    path("intake/<slug:key>/thanks/", intake_pages.show_thanks, name="intake-thanks"),
    path("healthz", health.alive),
    path("readyz", health.ready),
    path("metrics", metrics.show),
    path("unsubscribe/<str:token>", unsubscribe, name="unsubscribe"),
    path("api/v1/schema", SpectacularAPIView.as_view(), name="schema"),
    path("api/v1/docs", SpectacularSwaggerSplitView.as_view(url_name="schema", template_name="docs.html"), name="docs"),
    path("api/v1/", include(router.urls)),
]

handler400 = "athena.config.api_errors.bad_request"
handler403 = "athena.config.api_errors.forbidden"
handler404 = "athena.config.api_errors.not_found"
handler500 = "athena.config.api_errors.server_error"
