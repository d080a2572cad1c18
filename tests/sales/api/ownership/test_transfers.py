"""Transfers over HTTP: every clause of the contract."""

import pytest

from athena.accounts.models import User
from sales.models import Lead, LeadTransfer, TransferBatch

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
        ({"receivers": [{"user_id": 1}]}, "receivers"),  # and to_user_id
        ({"to_user_id": None}, "to_user_id"),
        ({"way": "in_turn"}, "way"),  # of one receiver
        ({"until": "2020-01-01"}, "until"),
        ({"until": "tomorrow"}, "until"),
        ({"until": "2020-01-01", "dry_run": True}, "until"),
    ],
)
def test_bulk_refused(api, admin, rep, make_lead, change, field):
    body = {"lead_ids": [make_lead().pk], "to_user_id": rep.pk, "reason": "x", **change}
    answer = api(admin).post(f"{URL}/bulk-transfer", body)
    assert (answer.status_code, list(answer.json()), LeadTransfer.objects.count()) == (400, [field], 0)


@pytest.mark.parametrize(
    ("receivers", "field"),
    [([], "receivers"), ([1], "receivers"), ([{"user": 1}], "receivers"), ([{"user_id": "1"}], "receivers"),
     ({"user_id": 1}, "receivers"), (None, "to_user_id"), ([{"user_id": n} for n in range(1, 202)], "receivers")],
)  # fmt: skip
def test_receivers_refused(api, admin, make_lead, receivers, field):
    body = {"lead_ids": [make_lead().pk], "receivers": receivers, "reason": "x"}
    answer = api(admin).post(f"{URL}/bulk-transfer", body)
    assert (answer.status_code, list(answer.json()), LeadTransfer.objects.count()) == (400, [field], 0)
    nobody = api(admin).post(f"{URL}/bulk-transfer", {"lead_ids": [make_lead().pk], "reason": "x"})
    assert (nobody.status_code, nobody.json()) == (400, {"to_user_id": ["This field is required."]})


def test_shared_out(api, manager, rep, colleague, make_lead):
    leads = [make_lead() for _ in range(3)]
    User.objects.filter(pk=colleague.pk).update(max_open_leads=0)
    body = {
        "lead_ids": [lead.pk for lead in leads], "receivers": [{"user_id": colleague.pk}, {"user_id": rep.pk}],
        "way": "fewest_open", "reason": "New desk", "until": "2099-01-05", "notes": "n",
    }  # fmt: skip
    User.objects.filter(pk=rep.pk).update(max_open_leads=2)
    dry = api(manager).post(f"{URL}/bulk-transfer", {**body, "dry_run": True}).json()
    answer = api(manager).post(f"{URL}/bulk-transfer", body).json()
    batch = TransferBatch.objects.get()
    assert answer == {
        "transferred_count": 2, "lead_ids": [leads[0].pk, leads[1].pk], "new_owner": rep.pk,
        "receivers": [{"user_id": rep.pk, "count": 2}], "follow_ups": 0,
        "skipped": [{"lead_id": leads[2].pk, "code": "no_capacity"}], "batch_id": batch.pk,
    }  # fmt: skip
    assert dry == {**answer, "batch_id": None}
    User.objects.update(max_open_leads=None)
    in_turn = {"lead_ids": [leads[2].pk, make_lead().pk], "receivers": body["receivers"], "reason": "x"}
    assert api(manager).post(f"{URL}/bulk-transfer", in_turn).json()["new_owner"] is None
    history = api(manager).get(f"{URL}/{leads[0].pk}/transfer-history").json()["transfers"][0]
    assert {history.pop("id"), history.pop("transferred_at")} - {None}
    assert history == {
        "from_user_id": None, "from_user_name": None, "to_user_id": rep.pk, "to_user_name": "Maria",
        "reason": "New desk", "notes": "n", "transferred_by": manager.pk, "transferred_by_name": "Manager",
        "batch_id": batch.pk, "until": "2099-01-05",
    }  # fmt: skip


def test_one_lead_for_whom_there_is_no_room(api, manager, rep, make_lead):
    User.objects.filter(pk=rep.pk).update(max_open_leads=0)
    answer = api(manager).post(f"{URL}/{make_lead().pk}/transfer", {"to_user_id": rep.pk})
    assert (answer.status_code, answer.json()["code"], LeadTransfer.objects.count()) == (409, "no_capacity", 0)


def test_undo(api, manager, admin, rep, colleague, stranger, make_lead):
    leads = [make_lead(assigned_to=rep) for _ in range(2)]
    body = {"lead_ids": [lead.pk for lead in leads], "to_user_id": colleague.pk, "reason": "x"}
    batch = api(manager).post(f"{URL}/bulk-transfer", body).json()["batch_id"]
    api(manager).post(f"{URL}/{leads[1].pk}/transfer", {"to_user_id": manager.pk})
    url = f"/api/v1/sales/transfers/{batch}/undo"

    def refused(user, path=url, body=None):
        answer = api(user).post(path, body)
        return answer.status_code, answer.json().get("code")

    assert refused(colleague) == (403, "not_your_transfer")
    assert refused(stranger) == refused(admin, url.replace(str(batch), "9999")) == (404, "not_found")
    assert refused(manager, body={"colour": "red"})[0] == refused(manager, url + "?colour=red")[0] == 400
    answer = api(manager).post(url)
    undo = TransferBatch.objects.get(undoes=batch)
    assert (answer.status_code, answer.json()) == (200, {
        "transferred_count": 1, "lead_ids": [leads[0].pk], "new_owner": rep.pk,
        "receivers": [{"user_id": rep.pk, "count": 1}], "follow_ups": 0,
        "skipped": [{"lead_id": leads[1].pk, "code": "moved_since"}], "batch_id": undo.pk,
    })  # fmt: skip
    assert refused(manager) == refused(admin) == (409, "already_undone")


def test_a_salesperson_undoes_their_own_transfer(api, rep, colleague, make_lead):
    lead = make_lead(assigned_to=rep)
    batch = api(rep).post(f"{URL}/{lead.pk}/transfer", {"to_user_id": colleague.pk}).json()["batch_id"]
    assert api(rep).post(f"/api/v1/sales/transfers/{batch}/undo").json()["new_owner"] == rep.pk


def test_an_unowned_lead_goes_back_to_nobody(api, manager, rep, make_lead):
    lead = make_lead()
    batch = api(manager).post(f"{URL}/{lead.pk}/transfer", {"to_user_id": rep.pk}).json()["batch_id"]
    answer = api(manager).post(f"/api/v1/sales/transfers/{batch}/undo").json()
    assert (answer["new_owner"], answer["receivers"]) == (None, [{"user_id": None, "count": 1}])


def test_an_unknown_or_inactive_receiver_fails_the_whole_call(api, admin, leaver, make_lead):
    body = {"lead_ids": [make_lead().pk], "to_user_id": 9999, "reason": "x"}
    assert api(admin).post(f"{URL}/bulk-transfer", body).status_code == 404
    assert api(admin).post(f"{URL}/bulk-transfer", {**body, "to_user_id": leaver.pk}).status_code == 400
    del body["to_user_id"]
    for other, status in ((9999, 404), (leaver.pk, 400)):
        body["receivers"] = [{"user_id": admin.pk}, {"user_id": other}]
        assert api(admin).post(f"{URL}/bulk-transfer", body).status_code == status
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
