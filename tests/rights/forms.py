"""What a browser sends from the form of a page."""

from html.parser import HTMLParser
from io import BytesIO


class Fields(HTMLParser):
    """Collects what a browser would send from the form of a page without changes."""

    def __init__(self) -> None:
        super().__init__()
        self.values: dict[str, str] = {}
        self._open = ""

    def handle_starttag(self, tag, attributes):
        values = dict(attributes)
        name, kind = values.get("name") or "", values.get("type")
        if tag == "input" and name and kind != "submit" and (kind != "checkbox" or "checked" in values):
            self.values[name] = values.get("value") or "on" * (kind == "checkbox")
        elif tag in ("select", "textarea"):
            self._open = name
            self.values[name] = ""
        elif tag == "option" and "selected" in values:
            self.values[self._open] = values.get("value") or ""

    def handle_data(self, data):
        if self._open and data.strip() and self.get_starttag_text().startswith("<textarea"):
            self.values[self._open] = data.strip()

    def handle_endtag(self, tag):
        if tag in ("select", "textarea"):
            self._open = ""


def untouched(page: str) -> dict[str, str]:
    """The unchanged values of the forms of a page."""
    fields = Fields()
    fields.feed(page)
    return fields.values


class RereadableFile(BytesIO):
    """A file that can be uploaded several times."""

    name = "leads.csv"

    def read(self, *size):
        self.seek(0)
        return super().read()
