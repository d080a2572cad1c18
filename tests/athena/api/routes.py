"""The routes of the API, as the router has them. Tests of all routes use this table."""

import re
from functools import cache
from typing import Any

from drf_spectacular.generators import SchemaGenerator

from athena.urls import router

BASE = "/api/v1/"
PUBLIC_ROUTES = {"auth/login", "auth/refresh", "intake/leads", "unsubscribe/{pk}"}
FORM_ROUTES = {"intake/leads"}  # also accept form data, which web sites send
CALENDAR_ROUTE = "sales/follow-ups/calendar.ics"  # has its own token and returns iCalendar
URLS: list[Any] = router.urls
ROUTES = sorted(
    (
        re.sub(r"\(\?P<(\w+)>[^)]+\)", r"{\1}", pattern.pattern._regex.strip("^$"))
        .replace("\\Z", "")
        .replace("\\.", "."),
        method,
        action,
    )
    for pattern in URLS
    for method, action in pattern.callback.actions.items()
)
READ_ROUTES = [route for route, method, _ in ROUTES if method == "get" and route != CALENDAR_ROUTE]
WRITE_ROUTES = [(route, method) for route, method, _ in ROUTES if method in ("post", "put", "patch")]


@cache
def get_served_schema() -> dict[str, Any]:
    """The schema that `/api/v1/schema` serves."""
    schema: dict[str, Any] = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    return schema
