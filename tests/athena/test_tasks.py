from datetime import timedelta

from django.contrib.sessions.models import Session
from django.utils import timezone

from athena.accounts.models import FailedLogin, LoginSession
from athena.models import IdempotencyKey, ThrottleCount
from athena.tasks import clean_up


def test_what_is_over_goes_and_all_else_stays(rep):
    now = timezone.now()
    for age in (timedelta(minutes=-5), timedelta(days=2)):
        past, end = now - age, now - age
        name = str(age)
        IdempotencyKey.objects.create(user=rep, key=name, fingerprint="x", created_at=past)
        FailedLogin.objects.create(account="x", address=name, at=past)
        ThrottleCount.objects.create(name=name, ends_at=int(end.timestamp()))
        LoginSession.objects.create(user=rep, jti=name, expires_at=end)
        Session.objects.create(session_key=name, session_data="", expire_date=end)
    clean_up()
    young = str(timedelta(minutes=-5))
    left = [
        model.objects.values_list(name, flat=True)
        for model, name in (
            (IdempotencyKey, "key"), (FailedLogin, "address"), (ThrottleCount, "name"), (LoginSession, "jti"),
            (Session, "session_key"),
        )
    ]  # fmt: skip
    assert [list(names) for names in left] == [[young]] * 5
