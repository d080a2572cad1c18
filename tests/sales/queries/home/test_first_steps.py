"""The first steps: which are done, who has them, and the number of queries."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from notifications import outbox
from notifications.emails import test_email
from notifications.models import Delivery
from sales.models import IntakeForm, LeadImport, LeadSource
from sales.queries.home.first_steps import EmailTestState, get_first_steps
from sales.services.first_steps import hide

NOTHING = {"people": False, "sources": False, "leads": False, "email": False}
LATER = "2099-01-01T00:00Z"


def send(to, key="x", **columns):
    """An email to a user whose delivery has these columns."""
    outbox.add(kind="lead_assigned", recipient_id=to.pk, dedupe_key=key, context={})
    Delivery.objects.filter(notification__dedupe_key=key).update(**columns)


SENT = {"state": "sent", "ended_at": LATER}


def test_a_new_system_has_everything_to_do(admin):
    assert get_first_steps(admin).done == NOTHING


@pytest.mark.parametrize(
    ("step", "take"),
    [
        ("people", lambda make_user, **_: make_user("sam")),
        ("sources", lambda **_: LeadSource.objects.create(name="Web site")),
        ("leads", lambda make_lead, **_: make_lead()),
        ("email", lambda admin, **_: send(admin, **SENT)),
    ],
)
def test_a_step_is_done_when_the_database_says_so(admin, make_user, make_lead, step, take):
    take(admin=admin, make_user=make_user, make_lead=make_lead)

    steps = get_first_steps(admin)

    assert steps.done == NOTHING | {step: True}
    assert steps.done_count == 1
    assert steps.has_leads is (step == "leads")


def test_inactive_people_do_not_count(admin, leaver):
    assert get_first_steps(admin).done["people"] is False


def test_a_manager_has_some_of_the_steps_and_a_salesperson_none(manager, rep):
    assert get_first_steps(manager).done == {"sources": False, "leads": False, "email": False}
    assert get_first_steps(rep) is None


def test_they_end_when_all_of_a_users_steps_are_done(admin, manager, make_lead):
    make_lead(), LeadSource.objects.create(name="Web site")
    assert get_first_steps(admin).done_count == 3
    assert get_first_steps(manager).done_count == 2

    send(admin, **SENT)

    assert get_first_steps(admin) is None
    assert get_first_steps(manager) is None


def test_they_end_only_for_the_user_who_hides_them(admin, manager):
    hide(by=admin)
    assert get_first_steps(admin) is None
    assert get_first_steps(manager) is not None


def test_demo_data_leaves_nothing_to_set_up(admin, settings):
    settings.DEMO = True
    with CaptureQueriesContext(connection) as captured:
        assert get_first_steps(admin) is None
    assert len(captured) == 0


@pytest.mark.parametrize(
    ("columns", "done"),
    [
        ({"state": "waiting", "last_error": "", "ended_at": None}, False),
        ({"state": "waiting", "last_error": "refused", "ended_at": None}, False),
        ({"state": "sent", "last_error": "", "ended_at": LATER}, True),
        ({"state": "dead", "last_error": "no such address", "ended_at": LATER}, False),
        ({"state": "off", "last_error": "", "ended_at": LATER}, False),
    ],
)
def test_the_users_own_test_email_counts_more_than_emails_to_others(admin, columns, done):
    send(admin, **SENT)
    test_email.send_test_email(by=admin)
    test_email.find_last_delivery(admin).update(**columns)
    sent = Delivery.objects.get(notification__kind=test_email.KIND)
    steps = get_first_steps(admin)
    assert steps.done["email"] is done
    assert steps.test == EmailTestState(sent.state, sent.last_error, sent.ended_at, sent.next_attempt_at)


def test_somebody_elses_test_email_is_not_shown(admin, manager):
    test_email.send_test_email(by=manager)
    assert get_first_steps(admin).test is None


def test_a_form_and_a_checked_import_are_shown(admin, manager):
    assert not get_first_steps(admin).has_form
    assert get_first_steps(admin).waiting_import is None

    IntakeForm.objects.create(name="Web site", key="k")
    LeadImport.objects.create(by=manager, file_name="theirs.csv", state="checked")
    checked = LeadImport.objects.create(by=admin, file_name="leads.csv", state="checked")
    LeadImport.objects.create(by=admin, file_name="gone.csv", state="discarded")

    assert get_first_steps(admin).has_form
    assert get_first_steps(admin).waiting_import == checked.pk


def test_it_takes_one_query(admin, manager, make_lead, django_assert_num_queries):
    with django_assert_num_queries(1):
        get_first_steps(admin)
    for number in range(3):
        make_lead(), LeadSource.objects.create(name=f"S{number}"), send(admin, f"x{number}", **SENT)
    test_email.send_test_email(by=admin)
    with django_assert_num_queries(1):
        assert get_first_steps(admin) is not None
    test_email.find_last_delivery(admin).update(**SENT)
    with django_assert_num_queries(1):
        assert get_first_steps(admin) is None
