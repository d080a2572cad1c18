"""Every page of a salesperson and of a manager, on a screen and on a phone."""

import pytest

from tests.browser.conftest import PHONE, WIDE

pytestmark = pytest.mark.live

BOTH = (
    "/admin/",
    "/admin/sales/lead/",
    "/admin/sales/lead/1/change/",
    "/admin/sales/lead/1/timeline/",
    "/admin/sales/lead/add/",
    "/admin/sales/followup/",
    "/admin/sales/followup/?day=overdue",
    "/admin/sales/followup/?day=coming&whose=me",
    "/admin/sales/followup/calendar/",
    "/admin/sales/activity/add/",
    "/admin/notifications/notification/",
    "/admin/notifications/preference/",
)
MANAGERS = (
    "/admin/sales/leadscoringrule/",
    "/admin/sales/leadscoringrule/1/change/",
    "/admin/sales/leadscoringrule/add/",
    "/admin/sales/leadscoringrule/matches/",
    "/admin/reports/follow-up-performance/",
    "/admin/reports/source-roi/",
    "/admin/reports/rule-effectiveness/",
    "/admin/sales/leadsource/",
    "/admin/sales/sourcespend/upload/",
    "/admin/sales/assignmentrule/add/",
    "/admin/sales/cadence/add/",
    "/admin/sales/scoringrun/",
    "/admin/sales/transferbatch/",
    "/admin/sales/leadimport/",
    "/admin/sales/leadimport/add/",
    "/admin/sales/lead/duplicates/",
    "/admin/notifications/delivery/",
)


@pytest.mark.parametrize("width", [WIDE, PHONE])
@pytest.mark.parametrize(("who", "paths"), [("maria", BOTH), ("manager", (*BOTH, *MANAGERS))])
def test_pages_are_sound(visit, who, paths, width):
    here, found = visit(who, width=width), {}
    for path in paths:
        here.go(path)
        if problems := here.problems():
            found[path] = problems
    assert found == {}
