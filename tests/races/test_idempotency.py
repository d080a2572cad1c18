"""Eight threads send the same POST with the same Idempotency-Key."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from athena.models import IdempotencyKey
from sales.api.leads.leads import LeadViewSet
from sales.models import Lead

pytestmark = pytest.mark.django_db(transaction=True)
THREADS = 8


def send_together(api, rep):
    start = threading.Barrier(THREADS)

    def send(_):
        start.wait(10)
        try:
            return api(rep).post("/api/v1/sales/leads", {"company_name": "Acme"}, headers={"Idempotency-Key": "k"})
        finally:
            connection.close()

    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(send, range(THREADS)))


def test_the_work_is_done_once(transactional_db, api, rep):
    answers = send_together(api, rep)
    lead = Lead.objects.get()
    assert {answer.status_code for answer in answers} <= {201, 409}
    assert {answer.json()["id"] for answer in answers if answer.status_code == 201} == {lead.pk}
    assert {answer.json()["code"] for answer in answers if answer.status_code == 409} <= {"idempotency_still_running"}
    assert IdempotencyKey.objects.get().status == 201


def test_control_without_claims_it_is_done_eight_times(transactional_db, api, rep, monkeypatch):
    monkeypatch.setattr(LeadViewSet, "idempotent", False)
    send_together(api, rep)
    assert Lead.objects.count() == THREADS
