"""Idempotency-Key: a POST that is sent again is carried out once, and gets the first response again.

The claim of a key is committed before the work begins, so that a second request learns at once that the first is
running. The response is committed together with the work. A claim that a crash left behind can be taken over after a
minute (`CLAIM_LIFETIME`); a request that takes longer finds its claim gone and is rolled back.
"""

import hashlib
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import timezone
from rest_framework import exceptions
from rest_framework.request import Request
from rest_framework.response import Response

from athena.api.renderers import JSONRenderer
from athena.models import IdempotencyKey

CLAIM_LIFETIME = timedelta(seconds=60)
ANSWER_LIFETIME = timedelta(hours=24)
MAX_LENGTH = 255

Handler = Callable[..., Response]


class StillRunning(exceptions.APIException):
    status_code = 409
    default_detail = "The first request with this Idempotency-Key is still running. Try again in a moment."
    default_code = "idempotency_still_running"


class KeyReused(exceptions.APIException):
    status_code = 422
    default_detail = "This Idempotency-Key was used for another request."
    default_code = "idempotency_key_reused"


def read_key(request: Request) -> str | None:
    """The Idempotency-Key of the request, or None. Raises `ValidationError`."""
    key: str | None = request.headers.get("Idempotency-Key")
    if key is not None and not (0 < len(key) <= MAX_LENGTH and key.isascii() and key.isprintable()):
        raise exceptions.ValidationError({"Idempotency-Key": [f"Give 1 to {MAX_LENGTH} printable ASCII characters."]})
    return key


def run_once(view: Any, work: Handler, key: str, request: Request, *args: Any, **kwargs: Any) -> Response:
    """Call `work` unless a request with this key was carried out already; return its response or the first one.

    Responses 429 and 5xx are not kept, since trying again may help. Raises `StillRunning` and `KeyReused`.
    """
    row = _claim(int(request.user.pk or 0), key, _fingerprint(request))
    if row.status is not None:
        view.check_visible()
        return Response(row.answer, row.status, headers={"Idempotency-Replayed": "true"})
    claim = IdempotencyKey.objects.filter(pk=row.pk, status=None, created_at=row.created_at)
    try:
        with transaction.atomic():
            response = work(request, *args, **kwargs)
            if not _save_response(claim, response):
                raise StillRunning
    except Exception as error:
        try:
            response = view.handle_exception(error)
        except Exception:
            claim.delete()
            raise
        if response.status_code == 429 or response.status_code >= 500:
            claim.delete()
        else:
            _save_response(claim, response)
    return response


def _claim(user_id: int, key: str, fingerprint: str) -> IdempotencyKey:
    """A new claim (without a status), or the row with the response to the first request."""
    now = timezone.now()
    try:
        with transaction.atomic():
            return IdempotencyKey.objects.create(user_id=user_id, key=key, fingerprint=fingerprint, created_at=now)
    except IntegrityError:
        row = IdempotencyKey.objects.filter(user_id=user_id, key=key).first()
    if row is None:  # the other request has just given up its claim
        raise StillRunning
    if row.created_at < now - (CLAIM_LIFETIME if row.status is None else ANSWER_LIFETIME):
        return _take_over(row, fingerprint)
    if row.fingerprint != fingerprint:
        raise KeyReused
    if row.status is None:
        raise StillRunning
    return row


def _take_over(row: IdempotencyKey, fingerprint: str) -> IdempotencyKey:
    fresh = {"fingerprint": fingerprint, "status": None, "answer": None, "created_at": timezone.now()}
    old = IdempotencyKey.objects.filter(pk=row.pk, status=row.status, created_at=row.created_at)
    if not old.update(**fresh):
        raise StillRunning
    for name, value in fresh.items():
        setattr(row, name, value)
    return row


def _save_response(claim: "QuerySet[IdempotencyKey]", response: Any) -> bool:
    """Save the response. Returns False if another request has taken over the claim."""
    answer = None if response.data is None else json.loads(JSONRenderer().render(response.data))
    return bool(claim.update(status=response.status_code, answer=answer))


def _fingerprint(request: Request) -> str:
    parts = (request.method or "", request.get_full_path(), hashlib.sha256(request._request.body).hexdigest())
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def delete_expired() -> int:
    """Delete expired keys. Returns their number."""
    return IdempotencyKey.objects.filter(created_at__lt=timezone.now() - ANSWER_LIFETIME).delete()[0]
