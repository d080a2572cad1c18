"""A class name of our style sheet means one thing: on our pages, and on those that Django's admin makes."""

import re
from collections import defaultdict
from pathlib import Path

import django
import django_celery_beat
import pytest

ROOT = Path(__file__).parent.parent.parent
STATIC = ROOT / "athena" / "static" / "athena"
SHEETS = re.findall(r'static "athena/(css/\w+\.css)"', (ROOT / "templates" / "admin" / "base_site.html").read_text())
TEMPLATES = [*(ROOT / "templates" / "admin").rglob("*.html"), ROOT / "templates" / "notifications" / "unsubscribe.html"]
ADMIN = Path(django.__file__).parent / "contrib" / "admin"
# Names of Django's admin that our sheet adjusts where they mean what they mean there.
ADJUSTED = {
    *("aligned", "breadcrumbs", "button", "datetime", "flex-container", "messagelist", "object-tools", "paginator"),
    *("closelink", "errorlist", "quiet", "submit-row", "text", "nowrap"),
}
# Names that begin with one of these are made of a value, such as the name of a field.
MADE = re.compile(r"(field-|model-|due-(?!time)|status-|kind-|series-|app-)")
LAYS_OUT = re.compile(r"(?:^|;)\s*(?:display|float|position|grid-[a-z-]+|flex)\s*:")


def rules() -> list[tuple[str, str]]:
    """The selector and the declarations of each rule of our style sheets."""
    sheets = "".join((STATIC / sheet).read_text() for sheet in SHEETS)
    text = re.sub(r"/\*.*?\*/", "", sheets, flags=re.DOTALL)
    return [(selector.strip(), body) for selector, body in re.findall(r"([^{};]+)\{([^{}]*)\}", text)]


def names_in(selector: str) -> set[str]:
    return set(re.findall(r"\.(-?[_a-zA-Z][\w-]*)", selector))


OURS = {name for selector, _ in rules() for name in names_in(selector) if not MADE.match(name)}


def used(text: str) -> list[tuple[str, str]]:
    """Each element's name with each of its classes, in a template or in HTML that a Python file makes."""
    plain = re.sub(r"{%.*?%}|{{.*?}}|{\w*}", " ", text)
    return [
        (element, name)
        for element, names in re.findall(r"<(\w+)\b[^<>]*?\sclass=\"([^\"]*)\"", plain)
        for name in names.split()
    ]


def of_django() -> set[str]:
    """Names in the style sheets, templates, scripts and code of Django's admin and of the schedules' pages."""
    names: set[str] = set()
    for folder in (ADMIN, Path(django_celery_beat.__file__).parent):
        for path in folder.rglob("*"):
            if {"vendor", "locale", "migrations"} & set(path.parts):
                continue
            if path.suffix == ".css":
                for selector in re.findall(r"([^{}]+)\{", re.sub(r"/\*.*?\*/", "", path.read_text(), flags=re.DOTALL)):
                    names |= names_in(selector)
            elif path.suffix in (".html", ".js", ".py"):
                text = path.read_text()
                quoted = re.findall(r"class(?:Name)?[\"']?\s*[=:]\s*[\"']([^\"']*)[\"']", text)
                quoted += re.findall(r"(?:[a-z]Class|classList\.\w+)\([\"']([^\"']*)[\"']", text)
                names |= {name for each in quoted for name in each.split()}
    return names


def test_no_name_of_ours_is_a_name_of_django() -> None:
    assert OURS & of_django() == ADJUSTED & OURS


def test_each_class_on_our_pages_has_a_rule() -> None:
    known = OURS | of_django() | {"visually-hidden"}
    for path in TEMPLATES:
        unknown = {name for _, name in used(path.read_text()) if name not in known and not MADE.match(name)}
        assert unknown - {"name", "bar", "value"} == set(), path  # parts of a chart, which `.chart text` styles


def test_each_rule_has_an_element() -> None:
    """Names that nothing bears any longer are waiting to be used for something else."""
    sources = [
        *TEMPLATES,
        *(path for folder in ("athena", "sales", "notifications") for path in (ROOT / folder).rglob("*.py")),
    ]
    text = "\n".join(path.read_text() for path in [*sources, *STATIC.glob("js/*.js")])
    assert [name for name in sorted(OURS - ADJUSTED) if not re.search(rf"[\"' ]{re.escape(name)}\b", text)] == []


def test_a_name_that_lays_out_is_borne_by_one_kind_of_element() -> None:
    """A grid for a list is no grid for a table: what decides how its children stand is one thing everywhere."""
    laid_out = {
        name
        for selector, body in rules()
        if LAYS_OUT.search(body)
        for part in selector.split(",")
        for name in [*names_in(part.split()[-1].split(">")[-1].split("+")[-1])]
        if name in OURS - ADJUSTED
    }
    elements = defaultdict(set)
    for path in TEMPLATES:
        for element, name in used(path.read_text()):
            if name in laid_out:
                elements[name].add("table" if element in ("table", "thead", "tbody", "tr", "th", "td") else "other")
    assert {name: kinds for name, kinds in elements.items() if kinds != {"other"}} == {}


@pytest.mark.parametrize("name", ["object-tools", "button"])
def test_djangos_names_are_recognized(name: str) -> None:
    assert name in of_django()
