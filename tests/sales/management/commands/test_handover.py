"""`manage.py handover`."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from sales.models import Lead


def run(*arguments):
    out = StringIO()
    call_command("handover", *arguments, stdout=out)
    return out.getvalue().splitlines()


def test_a_dry_run_shows_what_the_command_does(rep, colleague, manager, make_lead):
    for _ in range(3):
        make_lead(assigned_to=rep)
    arguments = ("--from", rep.email, "--to", colleague.email, "--to", manager.email.upper(), "--way", "fewest_open")
    plan = ["Tom: 2 leads", "Manager: 1 lead", "0 follow-ups, 0 assignment rules"]

    assert run(*arguments, "--dry-run") == [*plan, "Nothing was changed."]
    rep.refresh_from_db()
    assert rep.is_active
    assert Lead.objects.filter(assigned_to=rep).count() == 3

    assert run(*arguments) == [*plan, "Maria is deactivated."]
    rep.refresh_from_db()
    assert not rep.is_active
    assert Lead.objects.filter(assigned_to=rep).count() == 0


@pytest.mark.parametrize("to", [(), ("--to", "nobody@example.com"), ("--to", "gone@example.com")])
def test_an_impossible_handover_changes_nothing(rep, leaver, make_lead, to):
    make_lead(assigned_to=rep)
    with pytest.raises(CommandError):
        run("--from", rep.email, *to)
    rep.refresh_from_db()
    assert rep.is_active
