"""A class name of our style sheets has one meaning, on our pages and on the pages of Django's admin."""

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
# Class names of Django's admin whose looks our style sheets adjust.
ADJUSTED = {
    *("aligned", "breadcrumbs", "button", "datetime", "flex-container", "messagelist", "object-tools", "paginator"),
    *("closelink", "errorlist", "quiet", "submit-row", "text", "nowrap"),
}
# Class names that begin with one of these are built from a value, such as the name of a field.
GENERATED = re.compile(r"(field-|model-|due-(?!time)|status-|kind-|series-|app-)")
LAYOUT_PROPERTY = re.compile(r"(?:^|;)\s*(?:display|float|position|grid-[a-z-]+|flex)\s*:")


def list_rules() -> list[tuple[str, str]]:
    """The selector and the declarations of each rule of our style sheets."""
    sheets = "".join((STATIC / sheet).read_text() for sheet in SHEETS)
    text = re.sub(r"/\*.*?\*/", "", sheets, flags=re.DOTALL)
    return [(selector.strip(), body) for selector, body in re.findall(r"([^{};]+)\{([^{}]*)\}", text)]


def find_class_names(selector: str) -> set[str]:
    """The class names in a CSS selector."""
    return set(re.findall(r"\.(-?[_a-zA-Z][\w-]*)", selector))


OUR_NAMES = {name for selector, _ in list_rules() for name in find_class_names(selector) if not GENERATED.match(name)}


def list_element_classes(text: str) -> list[tuple[str, str]]:
    """Each element's name with each of its classes, in a template or in HTML that a Python file makes."""
    plain = re.sub(r"{%.*?%}|{{.*?}}|{\w*}", " ", text)
    return [
        (element, name)
        for element, names in re.findall(r"<(\w+)\b[^<>]*?\sclass=\"([^\"]*)\"", plain)
        for name in names.split()
    ]


def find_django_names() -> set[str]:
    """Names in the style sheets, templates, scripts and code of Django's admin and of the schedules' pages."""
    names: set[str] = set()
    for folder in (ADMIN, Path(django_celery_beat.__file__).parent):
        for path in folder.rglob("*"):
            if {"vendor", "locale", "migrations"} & set(path.parts):
                continue
            if path.suffix == ".css":
                for selector in re.findall(r"([^{}]+)\{", re.sub(r"/\*.*?\*/", "", path.read_text(), flags=re.DOTALL)):
                    names |= find_class_names(selector)
            elif path.suffix in (".html", ".js", ".py"):
                text = path.read_text()
                quoted = re.findall(r"class(?:Name)?[\"']?\s*[=:]\s*[\"']([^\"']*)[\"']", text)
                quoted += re.findall(r"(?:[a-z]Class|classList\.\w+)\([\"']([^\"']*)[\"']", text)
                names |= {name for text in quoted for name in text.split()}
    return names


def test_no_class_name_of_ours_is_one_of_django() -> None:
    assert OUR_NAMES & find_django_names() == ADJUSTED & OUR_NAMES


def test_each_class_on_our_pages_has_a_rule() -> None:
    known = OUR_NAMES | find_django_names() | {"visually-hidden"}
    for path in TEMPLATES:
        unknown = {
            name
            for _, name in list_element_classes(path.read_text())
            if name not in known and not GENERATED.match(name)
        }
        assert unknown - {"name", "bar", "value"} == set(), path  # parts of a chart, which `.chart text` styles


def test_each_rule_has_an_element() -> None:
    """A class name that no element uses any longer could be reused by mistake."""
    sources = [
        *TEMPLATES,
        *(path for folder in ("athena", "sales", "notifications") for path in (ROOT / folder).rglob("*.py")),
    ]
    text = "\n".join(path.read_text() for path in [*sources, *STATIC.glob("js/*.js")])
    assert [name for name in sorted(OUR_NAMES - ADJUSTED) if not re.search(rf"[\"' ]{re.escape(name)}\b", text)] == []


def test_a_layout_class_is_used_for_one_kind_of_element() -> None:
    """A grid for a list does not fit a table: a layout class is for tables everywhere or nowhere."""
    laid_out = {
        name
        for selector, body in list_rules()
        if LAYOUT_PROPERTY.search(body)
        for part in selector.split(",")
        for name in [*find_class_names(part.split()[-1].split(">")[-1].split("+")[-1])]
        if name in OUR_NAMES - ADJUSTED
    }
    elements = defaultdict(set)
    for path in TEMPLATES:
        for element, name in list_element_classes(path.read_text()):
            if name in laid_out:
                elements[name].add("table" if element in ("table", "thead", "tbody", "tr", "th", "td") else "other")
    assert {name: kinds for name, kinds in elements.items() if kinds != {"other"}} == {}


@pytest.mark.parametrize("name", ["object-tools", "button"])
def test_class_names_of_django_are_found(name: str) -> None:
    assert name in find_django_names()
