"""Hosts and email addresses that leave Athena are ASCII, and two different ones stay different."""

import email
import email.policy
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from athena import host_names
from athena.accounts.models import User, fold_email
from athena.accounts.services import identify
from athena.config import environment
from athena.config.email_settings import read_email_settings
from notifications import delivery, outbox
from notifications.channels.email import compose
from notifications.models import Delivery, Notification
from sales import normalization
from sales.models import IntakeForm
from sales.services.leads import intake_forms

ROOT = Path(__file__).parent.parent.parent
SHARP = "xn--strae-oqa.example"

ASCII_HOSTS = {
    "straße.example": SHARP, "STRASSE.example": "strasse.example", "münchen.example": "xn--mnchen-3ya.example",
    "βόλος.example": "xn--nxasmm1c.example", "Faß.Example": "xn--fa-hia.example", "athena_web": "athena_web",
    "XN--STRAE-OQA.example": SHARP, "localhost": "localhost", "[::1]": "[::1]", "10.0.0.1": "10.0.0.1",
    "ex。example": "ex.example",
}  # fmt: skip


@pytest.mark.parametrize(("host", "expected"), ASCII_HOSTS.items())
def test_a_host_is_sent_in_ascii(host, expected):
    assert host_names.ascii_host(host) == expected
    assert host_names.ascii_address(f"a.B@{host}") == f"a.B@{expected}"
    if not host.startswith("["):
        assert host_names.ascii_url(f"https://{host}:8443/ä?b=ß") == f"https://{expected}:8443/%C3%A4?b=%C3%9F"
    assert host_names.ascii_origin(f"https://{host}") == f"https://{expected}"


@pytest.mark.parametrize("host", ["", "a b", "a..ß", "-ß.example", "\u2615.example", "a/b", "a\r\nb", "ß\x00", "[::g]"])
def test_an_invalid_host_is_refused(host):
    with pytest.raises(ValueError, match=r".*"):
        host_names.ascii_host(host)


SAME = [("Dana@Straße.example", f"dana@{SHARP}"), ("A@EX.example", "a@ex.example"), ("ａ@ex.example", "a@ex.example")]
DIFFERENT = [
    ("a@straße.example", "a@strasse.example"),
    ("a@βόλος.example", "a@βόλοσ.example"), ("a@fuß.example", "a@fuss.example"),
]  # fmt: skip


@pytest.mark.parametrize("spell", [fold_email, normalization.normalize_email])
def test_spellings_of_one_address_are_equal_and_other_addresses_differ(spell):
    assert all(spell(first) == spell(second) for first, second in SAME)
    assert all(spell(first) != spell(second) for first, second in DIFFERENT)


@given(st.text(st.one_of(st.sampled_from("aßẞςΣ@.-İıxn"), st.characters()), max_size=40))
def test_a_folded_address_stays_as_it_is(text):
    assert fold_email(fold_email(text)) == fold_email(text)


@pytest.mark.parametrize(
    ("read", "text", "expected"),
    [
        (lambda: environment.mailbox("NAME", ""), "Jürgen <a@straße.example>", f"Jürgen <a@{SHARP}>"),
        (lambda: environment.mailbox("NAME", ""), "a@straße.example", f"a@{SHARP}"),
        (lambda: environment.base_url("NAME", ""), "https://straße.example:8443/", f"https://{SHARP}:8443"),
        (lambda: environment.base_url("NAME", ""), "http://[::1]:8000", "http://[::1]:8000"),
        (lambda: environment.hosts("NAME"), "*, .straße.example, www.x.example, [::1], a_b", [
            "*", f".{SHARP}", "www.x.example", "[::1]", "a_b",
        ]),
        (lambda: environment.origins("NAME"), "https://*.straße.example,http://x.example:81", [
            f"https://*.{SHARP}", "http://x.example:81",
        ]),
        (lambda: read_email_settings("NAME", default_backend="").host, "smtp://u:p@straße.example:25", SHARP),
    ],
)  # fmt: skip
def test_settings_become_ascii(monkeypatch, read, text, expected):
    monkeypatch.setenv("NAME", text)
    assert read() == expected


@pytest.mark.parametrize(
    ("read", "texts"),
    [
        (lambda: environment.mailbox("NAME", ""), ["jürgen@x.example", "a@\u2615.example", "a@-ß.x", "A\x07 <a@x.y>"]),
        (lambda: environment.base_url("NAME", ""), ["https://\u2615.example", "https://a b", "https://-ß.x", "https://a%20b"]),
        (lambda: environment.hosts("NAME"),
         ["a b", "https://x.example", "x.example/a", "\u2615.example", "x.example:80"]),
        (lambda: environment.origins("NAME"), ["x.example", "https://x.example/a", "ftp://x.example", "https://\u2615.example"]),
    ],
)  # fmt: skip
def test_settings_that_cannot_become_ascii_are_refused_by_name(monkeypatch, read, texts):
    for text in texts:
        monkeypatch.setenv("NAME", text)
        with pytest.raises(environment.InvalidSetting, match=r"^Athena can't start: NAME must be .*\Z"):
            read()


def test_athena_sends_ascii_with_such_settings(tmp_path):
    env = {
        "BASE_URL": "https://straße.example", "DEFAULT_FROM_EMAIL": "Jürgen <athena@straße.example>",
        "ALLOWED_HOSTS": "münchen.example", "CSRF_TRUSTED_ORIGINS": "https://münchen.example",
        "VAR_DIR": str(tmp_path), "ENV_FILE": os.devnull, "DATABASE_URL": "",
    }  # fmt: skip
    code = (
        "import django, json; django.setup()\n"
        "from django.conf import settings as s\n"
        "from datetime import datetime, UTC\n"
        "from notifications.models import Notification; from athena.accounts.models import User\n"
        "from notifications.channels.email import compose\n"
        "row = Notification(pk=1, kind='lead_assigned', recipient=User(pk=2, email='tom@straße.example'),"
        " context={'lead_id': 7, 'lead_name': 'B', 'by_name': 'G', 'email': 'x@straße.example'},"
        " created_at=datetime.now(UTC), not_before=datetime.now(UTC))\n"
        "print(json.dumps([s.ALLOWED_HOSTS, s.CSRF_TRUSTED_ORIGINS, compose(row).message().as_string()]))"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60,
        env=os.environ | env | {"DJANGO_SETTINGS_MODULE": "athena.settings"},
    )  # fmt: skip
    allowed, trusted, raw = json.loads(result.stdout)
    assert SHARP in allowed
    assert "xn--mnchen-3ya.example" in allowed
    assert trusted == ["https://xn--mnchen-3ya.example"]
    message = email.message_from_string(raw, policy=email.policy.default)
    assert raw.partition("\n\n")[0].isascii()
    assert message["To"] == f"tom@{SHARP}"
    assert message["From"] == f"Jürgen <athena@{SHARP}>"
    assert message["Message-ID"].endswith(f"@{SHARP}>")
    assert message["List-Unsubscribe"].strip().startswith(f"<https://{SHARP}/unsubscribe/")
    for part in ("plain", "html"):
        links = re.findall(r"https?://([^/\s\"]+)", message.get_body((part,)).get_content())
        assert set(links) == {SHARP}


def notify(address, **context):
    """Create a user with this email address and a notification for them."""
    user = User(email=address, full_name="Tom", role="rep")
    user.set_password("right")
    user.save()
    outbox.add(
        kind="follow_up_due", recipient_id=user.pk, dedupe_key=address,
        context={"lead_id": 7, "lead_name": "B", "when": "today", "follow_up_type": "call", **context},
    )  # fmt: skip
    return Notification.objects.select_related("recipient").get(dedupe_key=address)


def test_a_user_with_such_a_domain_logs_in_and_gets_email(db):
    row = notify("Tom@Straße.example", email="x@straße.example")
    for typed in ("tom@straße.example", f"TOM@{SHARP.upper()}"):
        assert identify(email=typed, password="right", address="") == row.recipient
    assert not User.objects.filter(email="tom@strasse.example").exists()
    message = compose(row)
    assert message.recipients() == [f"tom@{SHARP}"]
    assert f'href="mailto:x@{SHARP}"' in message.alternatives[0].content


@pytest.mark.parametrize("address", ["jürgen@x.example", "a@\u2615.example", "nobody", "@x.example"])
def test_an_address_that_no_header_can_carry_fails_with_the_reason(db, address):
    notify(address)
    assert delivery.deliver() == {"dead": 1}
    assert "No email can be sent to this address" in Delivery.objects.get().last_error


def test_an_intake_form_knows_such_a_site_by_what_browsers_send(db, manager, client):
    form = IntakeForm(
        name="Web",
        allowed_origins="https://straße.example\nhttps://x.example",
        thank_you_url="https://straße.example/ä",
    )
    intake_forms.save(by=manager, form=form)
    page = client.get(f"/intake/{form.key}/")
    assert f"frame-ancestors 'self' https://{SHARP} https://x.example" in page["Content-Security-Policy"]
    assert f"form-action 'self' https://{SHARP}" in page["Content-Security-Policy"]
    response = client.post(
        "/api/v1/intake/leads", {"key": form.key, "contact_name": "D", "email": "d@x.example"}, "application/json",
        headers={"Origin": f"https://{SHARP}"},
    )  # fmt: skip
    assert response.status_code == 202
    assert response["Access-Control-Allow-Origin"] == f"https://{SHARP}"
    body = "contact_name=E&email=e%40x.example&key=" + form.key
    response = client.post("/api/v1/intake/leads", body, "application/x-www-form-urlencoded")
    assert response.status_code == 303
    assert response["Location"] == f"https://{SHARP}/%C3%A4"
