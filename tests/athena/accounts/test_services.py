from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from athena.accounts import lockout, services, tokens
from athena.accounts.models import FailedLogin, LoginSession, User

ADDRESS = "203.0.113.7"
PASSWORD = "correct horse battery staple"
NEW_PASSWORD = "staple battery horse correct"


@pytest.fixture
def user(rep) -> User:
    rep.set_password(PASSWORD)
    rep.save()
    return rep


def identify(user: User, password: str = PASSWORD) -> User:
    return services.identify(email=user.email, password=password, address=ADDRESS)


def lock_out(user: User) -> None:
    for _ in range(lockout.MAX_ACCOUNT_FAILURES):
        lockout.record_failure(user.email, ADDRESS)


def test_the_right_password_identifies_its_user(user) -> None:
    assert identify(user) == user
    assert not FailedLogin.objects.exists()


def test_a_wrong_password_is_refused_and_counted(user) -> None:
    with pytest.raises(services.LoginRefused):
        identify(user, "wrong")
    assert FailedLogin.objects.get().address == ADDRESS


def test_an_unknown_account_is_refused_and_counted(db) -> None:
    with pytest.raises(services.LoginRefused):
        services.identify(email="nobody@example.com", password=PASSWORD, address=ADDRESS)
    assert FailedLogin.objects.count() == 1


def test_an_inactive_user_is_refused(user) -> None:
    services.deactivate(user_id=user.pk)
    with pytest.raises(services.LoginRefused):
        identify(user)


def test_during_a_lockout_the_right_password_is_refused(user) -> None:
    lock_out(user)
    with pytest.raises(lockout.LockedOut):
        identify(user)


def test_a_login_starts_a_session_for_the_configured_time(user, settings) -> None:
    settings.API_LOGIN_LIFETIME = timedelta(hours=1)
    login = services.log_in(email=user.email, password=PASSWORD, address=ADDRESS)
    session = LoginSession.objects.get()
    assert login.user == session.user == user
    assert tokens.find_user(login.access_token) == user
    assert session.expires_at == session.started_at + timedelta(hours=1)


def test_a_refresh_token_gives_a_new_pair_once(user) -> None:
    first = services.start_session(user=user)
    second = services.refresh(refresh_token=first.refresh_token)
    assert tokens.find_user(second.access_token) == user
    with pytest.raises(services.TokenRefused):
        services.refresh(refresh_token=first.refresh_token)


def test_a_second_use_within_the_grace_period_leaves_the_session(user) -> None:
    first = services.start_session(user=user)
    second = services.refresh(refresh_token=first.refresh_token)
    with pytest.raises(services.TokenRefused):
        services.refresh(refresh_token=first.refresh_token)
    assert services.refresh(refresh_token=second.refresh_token).user == user


def test_a_later_second_use_ends_the_session(user) -> None:
    first = services.start_session(user=user)
    second = services.refresh(refresh_token=first.refresh_token)
    LoginSession.objects.update(rotated_at=timezone.now() - services.REUSE_GRACE - timedelta(seconds=1))
    with pytest.raises(services.TokenRefused):
        services.refresh(refresh_token=first.refresh_token)
    assert LoginSession.objects.get().revoked_at is not None
    assert tokens.find_user(second.access_token) is None
    with pytest.raises(services.TokenRefused):
        services.refresh(refresh_token=second.refresh_token)


def test_refreshing_does_not_prolong_a_session_beyond_its_lifetime(user, settings) -> None:
    settings.API_LOGIN_LIFETIME = timedelta(hours=1)
    login = services.start_session(user=user)
    LoginSession.objects.update(started_at=timezone.now() - timedelta(minutes=50))
    services.refresh(refresh_token=login.refresh_token)
    session = LoginSession.objects.get()
    assert session.expires_at == session.started_at + timedelta(hours=1)


def test_an_expired_session_cannot_be_refreshed(user) -> None:
    login = services.start_session(user=user)
    LoginSession.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    with pytest.raises(services.TokenRefused):
        services.refresh(refresh_token=login.refresh_token)


def test_logging_out_ends_the_users_own_session_only(user, colleague) -> None:
    own, other = services.start_session(user=user), services.start_session(user=colleague)
    services.log_out(by=user, refresh_token=own.refresh_token)
    services.log_out(by=user, refresh_token=other.refresh_token)
    assert tokens.find_user(own.access_token) is None
    assert tokens.find_user(other.access_token) == colleague


def test_confirming_a_password_counts_failures(user) -> None:
    assert services.confirm_password(by=user, password=PASSWORD, address=ADDRESS)
    assert not FailedLogin.objects.exists()
    assert not services.confirm_password(by=user, password="wrong", address=ADDRESS)
    assert FailedLogin.objects.count() == 1


def test_during_a_lockout_no_password_is_confirmed(user) -> None:
    lock_out(user)
    with pytest.raises(lockout.LockedOut):
        services.confirm_password(by=user, password=PASSWORD, address=ADDRESS)


def change_password(user: User, current_password: str = PASSWORD, new_password: str = NEW_PASSWORD) -> None:
    services.change_password(by=user, current_password=current_password, new_password=new_password, address=ADDRESS)


def test_a_changed_password_ends_every_session_of_the_user(user, colleague) -> None:
    own, other = services.start_session(user=user), services.start_session(user=colleague)
    change_password(user)
    assert identify(user, NEW_PASSWORD) == user
    assert tokens.find_user(own.access_token) is None
    assert not LoginSession.objects.filter(user=user, revoked_at=None).exists()
    assert tokens.find_user(other.access_token) == colleague


@pytest.mark.parametrize(
    ("passwords", "field"),
    [
        ({"current_password": "wrong"}, "current_password"),
        ({"new_password": "12345"}, "new_password"),
    ],
)
def test_a_password_stays_if_the_change_is_invalid(user, passwords, field) -> None:
    with pytest.raises(ValidationError) as raised:
        change_password(user, **passwords)
    assert list(raised.value.message_dict) == [field]
    assert identify(user) == user


def test_a_password_that_somebody_else_has_just_changed_stays(user) -> None:
    other = User.objects.get(pk=user.pk)
    other.set_password("changed by somebody else")
    other.save()
    with pytest.raises(ValidationError):
        change_password(user)
    assert identify(user, "changed by somebody else") == user


def test_deactivation_ends_sessions_for_good(user, colleague) -> None:
    own, other = services.start_session(user=user), services.start_session(user=colleague)
    services.deactivate(user_id=user.pk)
    User.objects.filter(pk=user.pk).update(is_active=True)
    assert tokens.find_user(own.access_token) is None
    with pytest.raises(services.TokenRefused):
        services.refresh(refresh_token=own.refresh_token)
    assert tokens.find_user(other.access_token) == colleague


def test_a_profile_changes_for_its_user_only(user, colleague) -> None:
    updated = services.update_profile(by=user, changes={"full_name": "Maria Lopez", "digest_hour": 9})
    assert updated.full_name == "Maria Lopez"
    assert updated.digest_hour == 9
    colleague.refresh_from_db()
    assert colleague.full_name == "Tom"


def test_the_calendar_url_holds_the_token(user, settings) -> None:
    url = services.calendar_url(user)
    assert url.startswith(settings.BASE_URL)
    assert url.endswith(f"?token={tokens.make_calendar_token(user)}")
