import pytest

from athena.config.email_settings import EmailSettings, read_email_settings
from athena.config.environment import InvalidSetting

DEFAULT = "notifications.channels.eml.EmailBackend"
SMTP = "django.core.mail.backends.smtp.EmailBackend"
NEEDS = (
    "must look like smtp://host:25, smtp+tls://user:password@host:587 or smtp+ssl://user:password@host:465,"
    " or name a provider and its settings like postmark://?server_token=…."
)


@pytest.fixture
def read(monkeypatch):
    def call(url: str) -> EmailSettings:
        monkeypatch.setenv("EMAIL_URL", url)
        return read_email_settings("EMAIL_URL", default_backend=DEFAULT)

    return call


def test_without_a_setting_the_default_backend_sends(read):
    assert read("") == EmailSettings(DEFAULT)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("smtp://mail.example.com", EmailSettings(SMTP, "mail.example.com", None)),
        ("smtp://mail.example.com:25", EmailSettings(SMTP, "mail.example.com", 25)),
        (
            "smtp+tls://u:p%40@mail.example.com:587",
            EmailSettings(SMTP, "mail.example.com", 587, user="u", password="p@", use_tls=True),
        ),
        (
            "smtp+ssl://u:p@mail.example.com:465",
            EmailSettings(SMTP, "mail.example.com", 465, user="u", password="p", use_ssl=True),
        ),
    ],
)
def test_an_smtp_server(read, url, expected):
    assert read(url) == expected


@pytest.mark.parametrize(
    ("url", "backend", "settings"),
    [
        (
            "mailgun://?api_key=a%26b&sender_domain=mg.example.com",
            "anymail.backends.mailgun.EmailBackend",
            {"MAILGUN_API_KEY": "a&b", "MAILGUN_SENDER_DOMAIN": "mg.example.com"},
        ),
        ("unisender-go://", "anymail.backends.unisender_go.EmailBackend", {}),
    ],
)
def test_a_provider(read, url, backend, settings):
    assert read(url) == EmailSettings(backend, provider_settings=settings)


@pytest.mark.parametrize(
    "url",
    [
        "http://user:hunter2@h",
        "smtp://user:hunter2@h:x",
        "mail.example.com",
        "smtp://",
        "http://?token=hunter2",
        "postmark://hunter2",
        "a.b://?token=hunter2",
        "nobody://?token=hunter2",
        "postmark://?hunter2",
    ],
)
def test_an_invalid_url_is_not_repeated_since_it_may_hold_a_password(read, url):
    with pytest.raises(InvalidSetting) as raised:
        read(url)
    assert str(raised.value) == f"Athena can't start: EMAIL_URL {NEEDS}"
