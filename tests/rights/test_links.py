"""From page to page as people go: what a page offers leads somewhere that they may go, and no page says "None"."""

import re
from collections import Counter
from html.parser import HTMLParser
from urllib.parse import urljoin, urlsplit

import pytest

from sales.models import LeadImport, LeadTransfer, TransferBatch

SAME = 1  # addresses that differ in ids or values alone: more of them tell nothing new
MAX_PARAMETERS = 1  # of an address: several filters of a list together tell nothing new either
POSTED = {"logout", "jsi18n"}  # not walked to: one ends the walk, one is a script


class Page(HTMLParser):
    """Where a page leads (its links, and where its forms and buttons send to), and the text that people see."""

    def __init__(self) -> None:
        super().__init__()
        self.links: list[str] = []
        self.targets: list[str] = []
        self.words: list[str] = []
        self._hidden: list[str] = []

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        if tag == "a" and given.get("href"):
            self.links.append(given["href"])
        self.targets += [given[name] for name in ("action", "formaction") if given.get(name)]
        if tag in ("script", "style", "textarea", "option"):
            self._hidden.append(tag)

    def handle_endtag(self, tag):
        if self._hidden and self._hidden[-1] == tag:
            self._hidden.pop()

    def handle_data(self, data):
        if not self._hidden:
            self.words.append(data)


@pytest.fixture
def shown(world, people):
    """What is nobody's: a lead that was taken from nobody, and given to nobody."""
    batch = TransferBatch.objects.create(by=people["boss"])
    for giver, taker in ((None, people["owner"]), (people["owner"], None)):
        LeadTransfer.objects.create(lead=world.lead, batch=batch, from_user=giver, to_user=taker, transferred_by=None)
    LeadImport.objects.create(by=people["boss"], file_name="old.csv", state="done")


def walk(browser):
    """Each address that the pages lead to, with where it was offered, the answer and the text that people see."""
    found, todo, shapes = {}, [("/admin/", "")], Counter()
    while todo:
        address, offered_by = todo.pop(0)
        shape = re.sub(r"=[^&]*", "", re.sub(r"[0-9]+", "0", address))
        if address in found or shapes[shape] == SAME:
            continue
        shapes[shape] += 1
        response = browser.get(address)
        page = Page()
        found[address] = (offered_by, response, page.words)
        if response.status_code in (301, 302):
            todo.append((urljoin(address, response["Location"]), address))
        elif response.status_code == 200 and response["Content-Type"].startswith("text/html"):
            page.feed(response.content.decode())
            for link in (*page.links, *page.targets):
                parts = urlsplit(urljoin(address, link))
                steps = parts.path.strip("/").split("/")
                if parts.scheme or parts.netloc or steps[0] != "admin" or POSTED & set(steps):
                    continue
                query = re.sub(r"(^|&)(_changelist_filters|next|o|_facets|all|before)=[^&]*", "", parts.query)
                query = query.strip("&")
                if query.count("=") <= MAX_PARAMETERS:
                    todo.append((parts.path + (f"?{query}" if query else ""), address))
    return found


@pytest.mark.parametrize("who", ["owner", "mate", "helper", "boss", "far_boss", "free_boss", "admin"])
def test_whatever_is_offered_may_be_opened(browsers, shown, who):
    found = walk(browsers[who])
    assert len(found) > 50
    astray = {
        address: (response.status_code, offered_by)
        for address, (offered_by, response, _) in found.items()
        if response.status_code not in (200, 301, 302, 405)  # 405: a form's own address
    }
    assert astray == {}
    lost = {
        address: offered_by
        for address, (offered_by, response, _) in found.items()
        if response.status_code == 302 and "/admin/login/" in response["Location"]
    }
    assert lost == {}
    nones = {}  # (but for words of another package)
    for address, (*_, words) in found.items():
        text = re.sub(r"\s+", " ", " ".join(words))
        if "celery" not in address and (match := re.search(r".{0,40}\bNone\b.{0,40}", text)):
            nones[address] = match[0]
    assert nones == {}
