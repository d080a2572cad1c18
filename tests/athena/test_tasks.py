from datetime import timedelta

from django.contrib.sessions.models import Session
from django.utils import timezone

from athena.accounts.models import FailedLogin, LoginSession
from athena.models import IdempotencyKey, ThrottleCount
from athena.tasks import clean_up


def test_expired_rows_are_deleted_and_all_others_stay(rep):
    now = timezone.now()
    for age in (timedelta(minutes=-5), timedelta(days=2)):
        created_at, expires_at = now - age, now - age
        name = str(age)
        IdempotencyKey.objects.create(user=rep, key=name, fingerprint="x", created_at=created_at)
        FailedLogin.objects.create(account="x", address=name, at=created_at)
        ThrottleCount.objects.create(name=name, ends_at=int(expires_at.timestamp()))
        LoginSession.objects.create(user=rep, jti=name, expires_at=expires_at)
        Session.objects.create(session_key=name, session_data="", expire_date=expires_at)
    clean_up()
    recent_name = str(timedelta(minutes=-5))
    remaining = [
        model.objects.values_list(name, flat=True)
        for model, name in (
            (IdempotencyKey, "key"), (FailedLogin, "address"), (ThrottleCount, "name"), (LoginSession, "jti"),
            (Session, "session_key"),
        )
    ]  # fmt: skip
    assert [list(names) for names in remaining] == [[recent_name]] * 5
