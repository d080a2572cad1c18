"""The table of the API's routes, as the router has them: what tests hold against every route starts here."""

import re
from functools import cache
from typing import Any

from drf_spectacular.generators import SchemaGenerator

from athena.urls import router

BASE = "/api/v1/"
OPEN = {"auth/login", "auth/refresh", "intake/leads", "unsubscribe/{pk}"}
FORMS = {"intake/leads"}  # take what a page of a web site sends, too
CALENDAR = "sales/follow-ups/calendar.ics"  # it has a token of its own, and answers iCalendar
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
READS = [route for route, method, _ in ROUTES if method == "get" and route != CALENDAR]
WRITES = [(route, method) for route, method, _ in ROUTES if method in ("post", "put", "patch")]


@cache
def served() -> dict[str, Any]:
    """The schema that `/api/v1/schema` serves."""
    schema: dict[str, Any] = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    return schema
