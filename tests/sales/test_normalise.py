import pytest

from sales import normalise


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        (" Dana.Ruiz@Example.ORG ", "dana.ruiz@example.org"),
        ("ｄａｎａ@example.org", "dana@example.org"),
        ("STRASSE@example.org", "strasse@example.org"),
        ("straße@example.org", "strasse@example.org"),
        ("", ""),
        ("   ", ""),
        ("ß" * 254, "s" * 254),
    ],
)
def test_an_address_has_one_spelling(typed, kept):
    assert normalise.email(typed) == kept


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("(617) 555-0123", "+16175550123"),
        ("617.555.0123", "+16175550123"),
        ("1 617 555 0123 ext. 4", "+16175550123"),
        ("+49 30 901820", "+4930901820"),
        ("٦١٧٥٥٥٠١٢٣", "+16175550123"),
        ("", ""),
        ("ask for Dana", ""),
        ("12", ""),
        ("9" * 50, ""),
    ],
)
def test_a_number_has_one_spelling(typed, kept):
    assert normalise.phone(typed) == kept


def test_a_number_without_country_is_of_the_companys_region(settings):
    settings.PHONE_REGION = "DE"
    assert normalise.phone("030 901820") == "+4930901820"
