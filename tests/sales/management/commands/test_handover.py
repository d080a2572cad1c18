"""`manage.py handover`."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from sales.models import Lead


def run(*arguments):
    out = StringIO()
    call_command("handover", *arguments, stdout=out)
    return out.getvalue().splitlines()


def test_says_what_would_happen_and_then_does_it(rep, colleague, manager, make_lead):
    for _ in range(3):
        make_lead(assigned_to=rep)
    arguments = ("--from", rep.email, "--to", colleague.email, "--to", manager.email.upper(), "--way", "fewest_open")
    said = ["Tom: 2 leads", "Manager: 1 leads", "0 follow-ups, 0 assignment rules"]
    assert run(*arguments, "--dry-run") == [*said, "Nothing was changed"]
    rep.refresh_from_db()
    assert (rep.is_active, Lead.objects.filter(assigned_to=rep).count()) == (True, 3)
    assert run(*arguments) == [*said, "Maria is deactivated"]
    rep.refresh_from_db()
    assert (rep.is_active, Lead.objects.filter(assigned_to=rep).count()) == (False, 0)


@pytest.mark.parametrize("to", [(), ("--to", "nobody@example.com"), ("--to", "gone@example.com")])
def test_what_it_can_not_do_it_says(rep, leaver, make_lead, to):
    make_lead(assigned_to=rep)
    with pytest.raises(CommandError):
        run("--from", rep.email, *to)
    rep.refresh_from_db()
    assert rep.is_active
