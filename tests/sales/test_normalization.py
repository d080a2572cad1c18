import pytest

from sales import normalization


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
    assert normalization.normalize_email(typed) == kept


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
    assert normalization.normalize_phone(typed) == kept


def test_a_number_without_country_is_of_the_companys_region(settings):
    settings.PHONE_REGION = "DE"
    assert normalization.normalize_phone("030 901820") == "+4930901820"


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("Émile's  ÉCOLE", "emile's ecole"), ("Straße", "strasse"), ("Łódź Ørsted", "lodz orsted"),
        ("O’Brien", "o'brien"), ("ＡＢＣ①", "abc1"), ("", ""), (" \t\n", ""), ("e\u0301", "e"), ("İzmir", "izmir"),
    ],
)  # fmt: skip
def test_text_without_case_and_accents(typed, kept):
    assert normalization.fold_text(typed) == kept


def test_a_search_looks_in_all_of_it():
    text = normalization.build_search_text(
        "École", "Ann", "A@x.example", "(617) 555-0123", numbers=("(617) 555-0123", "+16175550123")
    )
    assert text == "ecole ann a@x.example (617) 555-0123 6175550123 16175550123"


@pytest.mark.parametrize(
    ("typed", "stands_for"),
    [
        ("École", ["ecole"]), ("(617)", ["(617)", "617"]), ("555-0123", ["555-0123", "5550123"]),
        ("+1.617", ["+1.617", "1617"]), ("617", ["617"]), ("ed57177ec", ["ed57177ec"]), ("100%", ["100%"]),
        ("\u0301", ["\u0301"]),
    ],
)  # fmt: skip
def test_what_a_typed_word_stands_for(typed, stands_for):
    assert normalization.list_search_variants(typed) == stands_for


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("The Harbor Tours Co., Inc.", "harbor tours"), ("O'Brien & Sons, Ltd.", "obrien sons"), ("Inc.", ""),
        ("ÉCOLE-Saint Jean", "ecole saint jean"), ("", ""),
    ],
)  # fmt: skip
def test_a_company_without_its_legal_form(typed, kept):
    assert normalization.normalize_company(typed) == kept
