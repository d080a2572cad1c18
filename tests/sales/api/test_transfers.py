"""Transfers over HTTP: every clause of the contract."""

import pytest

from sales.models import Lead, LeadTransfer

URL = "/api/v1/sales/leads"


def test_single_by_query_as_the_specification_does(api, admin, rep, make_lead):
    lead = make_lead()
    url = f"{URL}/{lead.pk}/transfer?to_user_id={rep.pk}&reason=Reassignment%20due%20to%20territory%20change"
    answer = api(admin).post(url)
    made = LeadTransfer.objects.get()
    expected = {"lead_id": lead.pk, "transferred_to": rep.pk, "transfer_id": made.pk, "batch_id": made.batch_id}
    assert (answer.status_code, answer.json()) == (200, expected)
    assert made.transfer_reason == "Reassignment due to territory change"
    again = api(admin).post(url)
    assert (again.status_code, again.json()) == (200, {**expected, "transfer_id": None, "batch_id": None})
    assert LeadTransfer.objects.count() == 1


def test_single_by_body_and_both(api, admin, rep, colleague, make_lead):
    lead = make_lead()
    url = f"{URL}/{lead.pk}/transfer"
    assert api(admin).post(f"{url}?to_user_id={rep.pk}", {"to_user_id": colleague.pk}).json() == {
        "to_user_id": ["The query and the body differ."]
    }
    assert api(admin).post(f"{url}?to_user_id={rep.pk}", {"to_user_id": rep.pk, "notes": "x"}).status_code == 200


@pytest.mark.parametrize(
    ("query", "status"),
    [("", 400), ("?to_user_id=x", 400), ("?to_user_id=9999", 404), ("?to_user_id={gone}", 400), ("?to={rep}", 400)],
)
def test_single_refused(api, admin, rep, leaver, make_lead, query, status):
    url = f"{URL}/{make_lead().pk}/transfer" + query.format(gone=leaver.pk, rep=rep.pk)
    assert (api(admin).post(url).status_code, LeadTransfer.objects.count()) == (status, 0)


def test_rights(api, rep, colleague, stranger, manager, make_lead):
    own, teams, foreign = (make_lead(assigned_to=who) for who in (rep, colleague, stranger))

    def status(user, lead, to):
        return api(user).post(f"{URL}/{lead.pk}/transfer?to_user_id={to.pk}").status_code

    assert status(rep, teams, rep) == 403
    assert status(rep, foreign, rep) == 404
    assert status(manager, foreign, rep) == 404
    assert status(rep, own, stranger) == 403
    assert status(rep, own, colleague) == 200
    bulk = {"lead_ids": [teams.pk], "to_user_id": rep.pk, "reason": "x"}
    assert api(rep).post(f"{URL}/bulk-transfer", bulk).status_code == 403
    assert LeadTransfer.objects.count() == 1


def test_bulk(api, manager, rep, colleague, stranger, make_lead):
    first, second, already = (make_lead(assigned_to=who) for who in (colleague, None, rep))
    foreign = make_lead(assigned_to=stranger)
    ids = [second.pk, first.pk, first.pk, already.pk, foreign.pk, 9999]
    body = {"lead_ids": ids, "to_user_id": rep.pk, "reason": "Load balancing"}
    dry = api(manager).post(f"{URL}/bulk-transfer", {**body, "dry_run": True})
    assert LeadTransfer.objects.count() == 0
    answer = api(manager).post(f"{URL}/bulk-transfer", body)
    batch = LeadTransfer.objects.first().batch_id
    expected = {
        "transferred_count": 2,
        "lead_ids": [first.pk, second.pk],
        "new_owner": rep.pk,
        "receivers": [{"user_id": rep.pk, "count": 2}],
        "follow_ups": 0,
        "skipped": [
            {"lead_id": already.pk, "code": "already_owner"},
            {"lead_id": foreign.pk, "code": "not_found"},
            {"lead_id": 9999, "code": "not_found"},
        ],
        "batch_id": batch,
    }
    assert (answer.status_code, answer.json()) == (200, expected)
    assert dry.json() == {**expected, "batch_id": None}
    assert set(Lead.objects.filter(assigned_to=rep)) == {first, second, already}


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"lead_ids": []}, "lead_ids"),
        ({"lead_ids": [0]}, "lead_ids"),
        ({"lead_ids": ["1"]}, "lead_ids"),
        ({"lead_ids": [True]}, "lead_ids"),
        ({"lead_ids": list(range(1, 10_002))}, "lead_ids"),
        ({"reason": ""}, "reason"),
        ({"reason": None}, "reason"),
        ({"to_user_id": "2"}, "to_user_id"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_bulk_refused(api, admin, rep, make_lead, change, field):
    body = {"lead_ids": [make_lead().pk], "to_user_id": rep.pk, "reason": "x", **change}
    answer = api(admin).post(f"{URL}/bulk-transfer", body)
    assert (answer.status_code, list(answer.json()), LeadTransfer.objects.count()) == (400, [field], 0)


def test_an_unknown_or_inactive_receiver_fails_the_whole_call(api, admin, leaver, make_lead):
    body = {"lead_ids": [make_lead().pk], "to_user_id": 9999, "reason": "x"}
    assert api(admin).post(f"{URL}/bulk-transfer", body).status_code == 404
    assert api(admin).post(f"{URL}/bulk-transfer", {**body, "to_user_id": leaver.pk}).status_code == 400
    assert LeadTransfer.objects.count() == 0


def test_history_is_newest_first(api, admin, rep, colleague, stranger, make_lead):
    lead = make_lead()
    for to in (rep, colleague):
        api(admin).post(f"{URL}/{lead.pk}/transfer", {"to_user_id": to.pk, "reason": f"to {to}", "notes": "n"})
    answer = api(rep).get(f"{URL}/{lead.pk}/transfer-history").json()
    assert (answer["lead_id"], answer["transfer_count"]) == (lead.pk, 2)
    got = [
        (t["from_user_id"], t["to_user_id"], t["reason"], t["transferred_by"], t["notes"]) for t in answer["transfers"]
    ]
    assert got == [(rep.pk, colleague.pk, "to Tom", admin.pk, "n"), (None, rep.pk, "to Maria", admin.pk, "n")]
    assert api(stranger).get(f"{URL}/{lead.pk}/transfer-history").status_code == 404
