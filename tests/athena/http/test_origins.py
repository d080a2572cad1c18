"""Which origins and page URLs of other sites may stand in a header."""

import pytest
from django.test import Client

from athena.http import origins
from sales import errors
from sales.models import IntakeForm
from sales.services.leads import intake_forms

ORIGINS = {
    "https://www.example.com": "https://www.example.com", "HTTPS://WWW.Example.COM": "https://www.example.com",
    "http://localhost:3000": "http://localhost:3000", "https://example.com:443": "https://example.com",
    "http://example.com:80": "http://example.com", "https://example.com:80": "https://example.com:80",
    "https://exämple.com": "https://xn--exmple-cua.com", "https://straße.de": "https://xn--strae-oqa.de",
    "https://[2001:db8::1]:8443": "https://[2001:db8::1]:8443", "https://example.com.": "https://example.com",
}  # fmt: skip
PAGES = {
    "https://example.com/thanks": "https://example.com/thanks", "https://Example.com/Thanks?a=1&b=%20#c":
    "https://example.com/Thanks?a=1&b=%20#c", "http://exämple.com:8080/": "http://xn--exmple-cua.com:8080/",
}  # fmt: skip
INVALID_URLS = [
    "", "example.com", "//example.com", "/thanks", "ftp://example.com", "javascript:alert(1)", "data:text/html,x",
    "https://", "https:///x", "https://user@evil.example", "https://user:pass@evil.example", "https://@evil.example",
    "https://example.com;script-src", "https://example.com,evil.example", "https://example.com evil.example",
    "https://example.com\tx", "https://example.com\nx", "https://example.com\r\nSet-Cookie: a=b", "https://*",
    "https://example.com'", 'https://example.com"', "https://example.com<x>", "https://example.com\\@evil.example",
    "https://example.com:0", "https://example.com:99999", "https://example.com:x", "https://exa mple.com",
    "https://-example.com", "https://example..com", "https://[::1", "https://\u2028example.com", "https://example.com\0",
    "https://example.com%0d%0a", "https://%65xample.com", " https://example.com", "https://example.com ", "'self'",
]  # fmt: skip
INVALID_PAGE_URLS = [f"https://example.com/{rest}" for rest in ("a b", "a;b", "a,b", "a'b", 'a"b', "a\nb", "<b>", "`")]
INVALID_ORIGINS = [
    "https://example.com/",
    "https://example.com/x",
    "https://example.com?x",
    "https://example.com#x",
    "null",
]


def is_refused(read, text):
    try:
        read(text)
    except ValueError:
        return True
    return False


def test_origins_and_page_urls_are_written_as_browsers_write_them():
    assert {text: origins.parse_origin(text) for text in ORIGINS} == ORIGINS
    assert {text: origins.parse_page_url(text) for text in PAGES} == PAGES


@pytest.mark.parametrize("text", INVALID_URLS)
def test_a_text_that_could_break_a_header_is_neither_origin_nor_page_url(text):
    assert is_refused(origins.parse_origin, text)
    assert is_refused(origins.parse_page_url, text)
    assert origins.origin_or_empty(text) == ""
    assert origins.page_url_or_empty(text) == ""


def test_an_origin_has_no_path_and_a_page_url_no_odd_characters():
    assert [text for text in INVALID_ORIGINS if not is_refused(origins.parse_origin, text)] == []
    assert [text for text in INVALID_PAGE_URLS if not is_refused(origins.parse_page_url, text)] == []


@pytest.mark.parametrize("text", [*filter(None, INVALID_URLS), *INVALID_PAGE_URLS])
def test_an_invalid_url_is_not_saved_and_a_stored_one_gets_into_no_header(db, manager, text):
    if text.strip() == text:
        with pytest.raises(errors.Invalid) as raised:
            intake_forms.save(by=manager, form=IntakeForm(name="Site", thank_you_url=text))
        assert set(raised.value.fields) == {"thank_you_url"}
    if text.split() == [text] and text not in INVALID_PAGE_URLS:
        with pytest.raises(errors.Invalid) as raised:
            intake_forms.save(by=manager, form=IntakeForm(name="Site", allowed_origins=text))
        assert set(raised.value.fields) == {"allowed_origins"}
    if "\0" in text:
        return  # no database stores NUL
    IntakeForm.objects.create(name="SQL", key="k", thank_you_url=text, allowed_origins=text)
    policy = Client().get("/intake/k/")["Content-Security-Policy"]
    parts = dict(part.strip().split(" ", 1) for part in policy.split(";"))
    for name in ("form-action", "frame-ancestors"):
        origin = parts[name].removeprefix("'self'").strip()  # one part of a text with spaces may be valid
        assert origin in ("", "https://example.com", "https://evil.example", "https://exa")
    response = Client().post(
        "/api/v1/intake/leads",
        "key=k&contact_name=A&phone=6175550123",
        content_type="application/x-www-form-urlencoded",
    )
    assert response.status_code == 303
    assert response["Location"].startswith("/intake/k/thanks/") == (text.strip() not in PAGES)


def test_an_intake_form_stores_urls_as_browsers_write_them(db, manager):
    form = IntakeForm(
        name="Site", allowed_origins="https://Exämple.com\nhttp://a.example:80", thank_you_url="https://É.fr/a"
    )
    intake_forms.save(by=manager, form=form)
    form.refresh_from_db()
    assert form.origins == ["https://xn--exmple-cua.com", "http://a.example"]
    assert form.thank_you_url == "https://xn--9ca.fr/a"
