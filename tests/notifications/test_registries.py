"""The registries of kinds and channels: for each new one, a failing test lists the places that lack it.

`docs/development/adding-a-notification-channel.md` shows what these tests say. The demo is not among the places: it
writes no notifications, because nobody should be notified about made-up leads (`tests/sales/demo/test_generator.py`).
"""

import re
from pathlib import Path

import pytest
from django.core.exceptions import FieldError
from django.template import TemplateDoesNotExist
from django.template.loader import get_template
from django.urls import reverse

from athena.accounts.models import User
from notifications import channels, kinds
from notifications.channels import Channel
from notifications.kinds import Kind, never_stale
from tests.notifications.examples import EXAMPLES

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs" / "notifications.md"
GUIDE = "docs/development/adding-a-notification-channel.md"
MAX_KIND_NAME, MAX_CHANNEL_NAME = 50, 20  # the widths of their columns

# Named exceptions, each with its reason.
WITHOUT_TEMPLATES: dict[str, str] = {}
WITHOUT_KINDS: dict[str, str] = {}  # channels that no kind names


def read_table(heading: str) -> dict[str, list[str]]:
    """The first table below a heading of the notifications' page: by its first column, the cells of each row."""
    section = DOCS.read_text().split(f"## {heading}\n", 1)[1].split("\n## ", 1)[0]
    rows = [line.strip("|").split("|") for line in section.splitlines() if line.startswith("|")]
    return {row[0].strip(): [cell.strip() for cell in row[1:]] for row in rows[2:]}


def find_gaps_of_kind(kind: Kind, preferences_page: str) -> list[str]:
    """What has to be done for this kind, one sentence for each missing piece."""
    gaps = []
    if len(kind.name) > MAX_KIND_NAME:
        gaps.append(f"Give it a name of at most {MAX_KIND_NAME} characters.")
    if not kind.description.endswith("."):
        gaps.append("Give it a description that ends with a period: the preferences page shows it.")
    if kind.find_stale is None:
        gaps.append("Give it a staleness rule: `find_stale=` in its entry, `never_stale` if it stays true.")
    for name in kind.channels:
        if name not in channels.get_all():
            gaps.append(f"Its channel “{name}” does not exist: see notifications/channels/.")
    for name in kind.off_by_default - set(kind.channels):
        gaps.append(f"Add “{name}” to its `channels`, or remove it from `off_by_default`.")
    for ending in ("subject.txt", "txt", "html") if kind.name not in WITHOUT_TEMPLATES else ():
        try:
            get_template(f"notifications/{kind.name}.{ending}")
        except TemplateDoesNotExist:
            gaps.append(f"Write templates/notifications/{kind.name}.{ending}, or add it to WITHOUT_TEMPLATES here.")
    if kind.name not in {name for name, _ in EXAMPLES}:
        gaps.append("Add an example of its context to tests/notifications/examples.py.")
    if kind.label not in read_table("What you are notified about"):
        gaps.append(f"Add the row “{kind.label}” to the first table of docs/notifications.md.")
    if kind.find_stale is not never_stale and kind.label not in read_table("Out-of-date notifications are not sent"):
        gaps.append(f"Add the row “{kind.label}” to the table of out-of-date notifications in docs/notifications.md.")
    if kind.label not in preferences_page:
        gaps.append("It is not on the preferences page: see notifications/forms.py.")
    return gaps


def find_gaps_of_channel(channel: type[Channel], preferences_page: str) -> list[str]:
    """What has to be done for this channel, one sentence for each missing piece."""
    gaps = []
    if len(channel.name) > MAX_CHANNEL_NAME:
        gaps.append(f"Give it a name of at most {MAX_CHANNEL_NAME} characters.")
    row = read_table("Channels").get(channel.label)
    if row is None:
        gaps.append(
            f"Add the row “{channel.label}” to the table of channels in docs/notifications.md, with its settings."
        )
    elif row[-1] != "none":
        example = (ROOT / ".env.example").read_text()
        gaps += [
            f"Add the setting {name} to .env.example."
            for name in re.findall(r"`(\w+)`", row[-1])
            if not re.search(rf"(?m)^#?{name}=", example)
        ]
    try:
        User.objects.filter(channel.reachable_users)
    except FieldError as error:
        gaps.append(f"Its `reachable_users` names no column of users: {error}")
    is_used = channel.name in channels.get_used()
    if not is_used and channel.name not in WITHOUT_KINDS:
        gaps.append("No kind names it: add it to the `channels` of a kind, or to WITHOUT_KINDS here.")
    if is_used and channel.label not in preferences_page:
        gaps.append("It is not on the preferences page: see notifications/forms.py.")
    module = channel.__module__.rpartition(".")[2]
    if channel.sends and not (ROOT / "tests" / "notifications" / "channels" / f"test_{module}.py").exists():
        gaps.append(f"Write tests/notifications/channels/test_{module}.py: what each answer of its server leads to.")
    return gaps


def format_gaps(what: str, gaps: list[str]) -> str:
    return "\n".join([f"{what} is not complete (see {GUIDE}):", *(f"- {gap}" for gap in gaps)])


@pytest.fixture
def preferences_page(browse, rep) -> str:
    return browse(rep).get(reverse("admin:notifications_preference_changelist")).content.decode()


@pytest.mark.parametrize("name", [kind.name for kind in kinds.get_all()])
def test_a_kind_is_known_everywhere(name, preferences_page):
    gaps = find_gaps_of_kind(kinds.get_kind(name), preferences_page)
    assert gaps == [], format_gaps(f"The kind “{name}”", gaps)


@pytest.mark.parametrize("name", list(channels.get_all()))
def test_a_channel_is_known_everywhere(name, preferences_page):
    gaps = find_gaps_of_channel(channels.get_all()[name], preferences_page)
    assert gaps == [], format_gaps(f"The channel “{name}”", gaps)


def test_the_documents_and_lists_name_nothing_that_is_gone():
    labels = {kind.label for kind in kinds.get_all()}
    assert set(read_table("What you are notified about")) == labels
    assert set(read_table("Out-of-date notifications are not sent")) <= labels
    assert set(read_table("Channels")) == {channel.label for channel in channels.get_all().values()}
    names = {kind.name for kind in kinds.get_all()}
    assert {name for name, _ in EXAMPLES} == names
    assert WITHOUT_TEMPLATES.keys() <= names
    assert WITHOUT_KINDS.keys() <= channels.get_all().keys()
    templates = {path.name.partition(".")[0] for path in (ROOT / "templates" / "notifications").glob("*.subject.txt")}
    assert templates == names - WITHOUT_TEMPLATES.keys()


def test_a_kind_of_which_nobody_knows_is_told_all_that_is_missing(preferences_page):
    kind = Kind(
        "x",
        "Carrier pigeon lost",
        "A pigeon is lost",
        channels=("email", "pigeon"),
        off_by_default=frozenset({"in_app"}),
    )
    assert find_gaps_of_kind(kind, preferences_page) == [
        "Give it a description that ends with a period: the preferences page shows it.",
        "Give it a staleness rule: `find_stale=` in its entry, `never_stale` if it stays true.",
        "Its channel “pigeon” does not exist: see notifications/channels/.",
        "Add “in_app” to its `channels`, or remove it from `off_by_default`.",
        "Write templates/notifications/x.subject.txt, or add it to WITHOUT_TEMPLATES here.",
        "Write templates/notifications/x.txt, or add it to WITHOUT_TEMPLATES here.",
        "Write templates/notifications/x.html, or add it to WITHOUT_TEMPLATES here.",
        "Add an example of its context to tests/notifications/examples.py.",
        "Add the row “Carrier pigeon lost” to the first table of docs/notifications.md.",
        "Add the row “Carrier pigeon lost” to the table of out-of-date notifications in docs/notifications.md.",
        "It is not on the preferences page: see notifications/forms.py.",
    ]


def test_a_channel_of_which_nobody_knows_is_told_all_that_is_missing(pigeon, preferences_page):
    assert find_gaps_of_channel(pigeon, preferences_page) == [
        "Add the row “Carrier pigeon” to the table of channels in docs/notifications.md, with its settings.",
        "No kind names it: add it to the `channels` of a kind, or to WITHOUT_KINDS here.",
        "Write tests/notifications/channels/test_pigeon.py: what each answer of its server leads to.",
    ]


def test_what_is_missing_comes_with_the_page_that_says_how():
    message = format_gaps("The kind “x”", ["Write it."])
    assert message == f"The kind “x” is not complete (see {GUIDE}):\n- Write it."
    assert (ROOT / GUIDE).exists()
