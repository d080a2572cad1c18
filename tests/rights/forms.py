"""What a browser sends of a page."""

from html.parser import HTMLParser
from io import BytesIO


class Fields(HTMLParser):
    """What a browser would send of a page's form if nobody touched it."""

    def __init__(self) -> None:
        super().__init__()
        self.values: dict[str, str] = {}
        self._open = ""

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        name, kind = given.get("name") or "", given.get("type")
        if tag == "input" and name and kind != "submit" and (kind != "checkbox" or "checked" in given):
            self.values[name] = given.get("value") or "on" * (kind == "checkbox")
        elif tag in ("select", "textarea"):
            self._open = name
            self.values[name] = ""
        elif tag == "option" and "selected" in given:
            self.values[self._open] = given.get("value") or ""

    def handle_data(self, data):
        if self._open and data.strip() and self.get_starttag_text().startswith("<textarea"):
            self.values[self._open] = data.strip()

    def handle_endtag(self, tag):
        if tag in ("select", "textarea"):
            self._open = ""


def untouched(page: str) -> dict[str, str]:
    """The values of the page's forms, as they came."""
    fields = Fields()
    fields.feed(page)
    return fields.values


class FileAgain(BytesIO):
    """A file that can be sent any number of times."""

    name = "leads.csv"

    def read(self, *size):
        self.seek(0)
        return super().read()
