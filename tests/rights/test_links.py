"""Follow the links from page to page: each leads to a page that the user may open, and no page shows "None"."""

import re
from collections import Counter
from html.parser import HTMLParser
from urllib.parse import urljoin, urlsplit

import pytest

from sales.models import LeadImport, LeadTransfer, TransferBatch

MAX_SIMILAR_URLS = 1  # of URLs that differ only in ids or values, one is enough
MAX_PARAMETERS = 1  # of a URL; combined filters of a list are skipped
SKIPPED_PATHS = {"logout", "jsi18n"}  # not followed: one ends the session, one is a script


class Page(HTMLParser):
    """Collects the links of a page, the targets of its forms and buttons, and its visible text."""

    def __init__(self) -> None:
        super().__init__()
        self.links: list[str] = []
        self.targets: list[str] = []
        self.words: list[str] = []
        self._hidden: list[str] = []

    def handle_starttag(self, tag, attributes):
        values = dict(attributes)
        if tag == "a" and values.get("href"):
            self.links.append(values["href"])
        self.targets += [values[name] for name in ("action", "formaction") if values.get(name)]
        if tag in ("script", "style", "textarea", "option"):
            self._hidden.append(tag)

    def handle_endtag(self, tag):
        if self._hidden and self._hidden[-1] == tag:
            self._hidden.pop()

    def handle_data(self, data):
        if not self._hidden:
            self.words.append(data)


@pytest.fixture
def rows_without_users(world, people):
    """Rows without users: transfers of a lead from nobody and to nobody."""
    batch = TransferBatch.objects.create(by=people["manager"])
    for from_user, to_user in ((None, people["owner"]), (people["owner"], None)):
        LeadTransfer.objects.create(
            lead=world.lead, batch=batch, from_user=from_user, to_user=to_user, transferred_by=None
        )
    LeadImport.objects.create(by=people["manager"], file_name="old.csv", state="done")


def walk(browser):
    """By URL that the pages lead to: the page that links to it, the response and the visible text."""
    visits, queue, shapes = {}, [("/admin/", "")], Counter()
    while queue:
        url, linked_from = queue.pop(0)
        shape = re.sub(r"=[^&]*", "", re.sub(r"[0-9]+", "0", url))
        if url in visits or shapes[shape] == MAX_SIMILAR_URLS:
            continue
        shapes[shape] += 1
        response = browser.get(url)
        page = Page()
        visits[url] = (linked_from, response, page.words)
        if response.status_code in (301, 302):
            queue.append((urljoin(url, response["Location"]), url))
        elif response.status_code == 200 and response["Content-Type"].startswith("text/html"):
            page.feed(response.content.decode())
            for link in (*page.links, *page.targets):
                parts = urlsplit(urljoin(url, link))
                path_parts = parts.path.strip("/").split("/")
                if parts.scheme or parts.netloc or path_parts[0] != "admin" or SKIPPED_PATHS & set(path_parts):
                    continue
                query = re.sub(r"(^|&)(_changelist_filters|next|o|_facets|all|before)=[^&]*", "", parts.query)
                query = query.strip("&")
                if query.count("=") <= MAX_PARAMETERS:
                    queue.append((parts.path + (f"?{query}" if query else ""), url))
    return visits


@pytest.mark.parametrize(
    "who", ["owner", "colleague", "helper", "manager", "other_manager", "company_manager", "admin"]
)
def test_every_link_may_be_opened(browsers, rows_without_users, who):
    visits = walk(browsers[who])
    assert len(visits) > 50
    unexpected = {
        url: (response.status_code, linked_from)
        for url, (linked_from, response, _) in visits.items()
        if response.status_code not in (200, 301, 302, 405)  # 405: the target of a form
    }
    assert unexpected == {}
    login_redirects = {
        url: linked_from
        for url, (linked_from, response, _) in visits.items()
        if response.status_code == 302 and "/admin/login/" in response["Location"]
    }
    assert login_redirects == {}
    none_texts = {}  # except in texts of another package
    for url, (*_, words) in visits.items():
        text = re.sub(r"\s+", " ", " ".join(words))
        if "celery" not in url and (match := re.search(r".{0,40}\bNone\b.{0,40}", text)):
            none_texts[url] = match[0]
    assert none_texts == {}
