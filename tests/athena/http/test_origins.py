"""Other sites' addresses: what may stand in a header, and what may not."""

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
NO_ADDRESS = [
    "", "example.com", "//example.com", "/thanks", "ftp://example.com", "javascript:alert(1)", "data:text/html,x",
    "https://", "https:///x", "https://user@evil.example", "https://user:pass@evil.example", "https://@evil.example",
    "https://example.com;script-src", "https://example.com,evil.example", "https://example.com evil.example",
    "https://example.com\tx", "https://example.com\nx", "https://example.com\r\nSet-Cookie: a=b", "https://*",
    "https://example.com'", 'https://example.com"', "https://example.com<x>", "https://example.com\\@evil.example",
    "https://example.com:0", "https://example.com:99999", "https://example.com:x", "https://exa mple.com",
    "https://-example.com", "https://example..com", "https://[::1", "https://\u2028example.com", "https://example.com\0",
    "https://example.com%0d%0a", "https://%65xample.com", " https://example.com", "https://example.com ", "'self'",
]  # fmt: skip
NO_PAGE = [f"https://example.com/{rest}" for rest in ("a b", "a;b", "a,b", "a'b", 'a"b', "a\nb", "<b>", "`")]
NO_ORIGIN = ["https://example.com/", "https://example.com/x", "https://example.com?x", "https://example.com#x", "null"]


def refused(read, text):
    try:
        read(text)
    except ValueError:
        return True
    return False


def test_they_come_out_as_browsers_write_them():
    assert {text: origins.parse_origin(text) for text in ORIGINS} == ORIGINS
    assert {text: origins.parse_page_url(text) for text in PAGES} == PAGES


@pytest.mark.parametrize("text", NO_ADDRESS)
def test_what_could_do_more_in_a_header_is_neither(text):
    assert refused(origins.parse_origin, text)
    assert refused(origins.parse_page_url, text)
    assert origins.origin_or_empty(text) == ""
    assert origins.page_url_or_empty(text) == ""


def test_an_origin_ends_with_its_host_and_a_page_holds_nothing_odd():
    assert [text for text in NO_ORIGIN if not refused(origins.parse_origin, text)] == []
    assert [text for text in NO_PAGE if not refused(origins.parse_page_url, text)] == []


@pytest.mark.parametrize("text", [*filter(None, NO_ADDRESS), *NO_PAGE])
def test_no_form_is_saved_with_one_and_none_that_is_there_gets_into_a_header(db, manager, text):
    if text.strip() == text:
        with pytest.raises(errors.Invalid) as caught:
            intake_forms.save(by=manager, form=IntakeForm(name="Site", thank_you_url=text))
        assert set(caught.value.fields) == {"thank_you_url"}
    if text.split() == [text] and text not in NO_PAGE:
        with pytest.raises(errors.Invalid) as caught:
            intake_forms.save(by=manager, form=IntakeForm(name="Site", allowed_origins=text))
        assert set(caught.value.fields) == {"allowed_origins"}
    if "\0" in text:
        return  # no database takes it
    IntakeForm.objects.create(name="SQL", key="k", thank_you_url=text, allowed_origins=text)
    policy = Client().get("/intake/k/")["Content-Security-Policy"]
    parts = dict(part.strip().split(" ", 1) for part in policy.split(";"))
    for name in ("form-action", "frame-ancestors"):
        origin = parts[name].removeprefix("'self'").strip()  # of a text with spaces one part may be sound
        assert origin in ("", "https://example.com", "https://evil.example", "https://exa")
    sent = Client().post("/api/v1/intake/leads", "key=k&contact_name=A&phone=6175550123",
                         content_type="application/x-www-form-urlencoded")  # fmt: skip
    assert sent.status_code == 303
    assert sent["Location"].startswith("/intake/k/thanks/") == (text.strip() not in PAGES)


def test_a_form_keeps_them_in_that_spelling(db, manager):
    form = IntakeForm(
        name="Site", allowed_origins="https://Exämple.com\nhttp://a.example:80", thank_you_url="https://É.fr/a"
    )
    intake_forms.save(by=manager, form=form)
    form.refresh_from_db()
    assert form.origins == ["https://xn--exmple-cua.com", "http://a.example"]
    assert form.thank_you_url == "https://xn--9ca.fr/a"
