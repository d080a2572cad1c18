"""The page behind an email's unsubscribe link."""

import pytest

from notifications.emails import unsubscribe_tokens
from notifications.models import Preference

FORM = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data; boundary=x"
MULTIPART_BODY = '--x\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n--x--\r\n'


@pytest.fixture
def token(rep):
    return unsubscribe_tokens.make_token(rep.pk, "lead_assigned")


def test_the_link_asks_first_and_needs_no_login(client, rep, token):
    question = client.get(f"/unsubscribe/{token}")
    assert "“New lead”" in question.content.decode()
    assert not Preference.objects.exists()
    answer = client.post(f"/unsubscribe/{token}")
    assert answer.status_code == 200
    assert "You are unsubscribed" in answer.content.decode()
    rows = Preference.objects.values_list("user", "kind", "channel", "wanted")
    assert list(rows) == [(rep.pk, "lead_assigned", "email", False)]


@pytest.mark.parametrize(
    ("content_type", "body"), [(FORM, "List-Unsubscribe=One-Click"), (MULTIPART, MULTIPART_BODY)], ids=["form", "parts"]
)
def test_an_email_program_unsubscribes_with_one_click(client, token, content_type, body):
    client.handler.enforce_csrf_checks = True
    assert client.post(f"/unsubscribe/{token}", body, content_type).status_code == 200
    assert Preference.objects.get().wanted is False


@pytest.mark.parametrize(
    "change",
    [lambda token: token[:-1], lambda token: f"x{token}", lambda token: "x", lambda token: token.replace(":", ".")],
    ids=["cut", "longer", "no token", "without signature"],
)
def test_an_invalid_link_is_not_found(client, token, change):
    url = f"/unsubscribe/{change(token)}"
    assert client.get(url).status_code == 404
    assert client.post(url).status_code == 404
    assert not Preference.objects.exists()
