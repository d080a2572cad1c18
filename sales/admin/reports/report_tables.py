"""What each report's page shows: what can be chosen, its table and its chart."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from athena.formatting import format_money, format_percent
from sales.admin.reports.charts import Chart, bar_chart
from sales.queries.reports import losses, source_roi, speed
from sales.queries.reports.effectiveness import effectiveness_table
from sales.queries.reports.performance import performance_table

Row = dict[str, Any]
VERDICTS = {
    "better": "Won more often",
    "worse": "Won less often",
    "unclear": "No difference to be seen",
    "too_few": "Too few leads to say",
}


@dataclass(frozen=True)
class Report:
    """A report as a page. Of each column: a key (`a.b` is `b` in `a`), its heading, and its kind.

    `ask(user, period, whose=…, **choices)` gives `{rows, totals}`. `costs` are the columns that are known of the whole
    company alone: a page about some of its people leaves them out, and `note` says so.
    """

    title: str
    about: str
    whose: str  # what belongs to the team or person that one chooses
    choices: dict[str, dict[str, str]]
    columns: list[tuple[str, str, str]]
    ask: Callable[..., dict[str, Any]]
    chart: Callable[[list[Row]], Chart | None]
    costs: tuple[str, ...] = ()
    note: str = ""
    row_page: str = ""  # the page behind a row, by its key


def _roi_chart(rows: list[Row]) -> Chart | None:
    series = {"Booked revenue": "booked_revenue", "Spend": "spend"}
    if any(row["spend"] is None for row in rows):
        del series["Spend"]
    bars = [(row["name"], [float(row[key]) for key in series.values()]) for row in rows]
    return bar_chart(" and ".join(series).capitalize(), "Amount, in the company's currency", list(series), bars)


def _worth_chart(rows: list[Row]) -> Chart | None:
    bars = [(row["name"], [row["won_with_rate"], row["won_without_rate"]]) for row in rows]
    return bar_chart("Won of the closed leads", "Per cent", ["That match the rule", "The others"], bars, format_percent)


REPORTS = {
    "performance": Report(
        "How follow-ups go",
        "Follow-ups planned for the period. Overdue: pending, and their day is over. On time: of the completed ones, "
        "those done on or before the day that was promised first. Cancelled ones count nowhere else.",
        "follow-ups assigned to",
        {"by": {"person": "Person", "type": "Type", "outcome": "Outcome"}},
        [
            ("total", "Planned", "count"), ("completed", "Completed", "count"), ("pending", "Pending", "count"),
            ("overdue", "Overdue", "count"), ("completion_rate", "Completed, %", "percent"),
            ("on_time_rate", "On time, %", "percent"), ("cancelled", "Cancelled", "count"),
        ],
        performance_table,
        lambda rows: bar_chart(
            "Completed and overdue follow-ups", "Follow-ups", ["Completed", "Overdue"],
            [(row["name"], [row["completed"], row["overdue"]]) for row in rows],
        ),
    ),
    "roi": Report(
        "What sources earn",
        "Leads by when they were taken in (or when they travel), and how many of them were ever qualified, quoted and "
        "won. Booked revenue is of those that are won now. Spend is the company's: months that the period cuts count "
        "by their days. ROI = (revenue − spend) ÷ spend, in per cent.",
        "leads owned by",
        {
            "by": {"source": "Source", "channel": "Channel", "campaign": "Campaign"},
            "cohort": {"created": "Taken in", "trip": "Travelling"},
        },
        [
            ("leads", "Leads", "count"), ("qualified", "Qualified", "count"), ("quoted", "Quoted", "count"),
            ("won", "Won", "count"), ("won_rate", "Won, %", "percent"), ("booked_revenue", "Revenue", "money"),
            ("spend", "Spend", "money"), ("cost_per_lead", "Cost per lead", "money"),
            ("cost_per_booking", "Cost per booking", "money"), ("roi", "ROI", "share"),
            ("median_days_to_booking", "Days to booking", "rate"),
        ],
        source_roi.source_roi,
        _roi_chart,
        costs=source_roi.COSTS,
        note="Spend is the company's, and nobody knows which of it brought these leads: so there is no spend, cost or "
        "return of a team or a person.",
    ),
    "speed": Report(
        "How fast sales go",
        "Of the leads taken in in the period: the time until they were first contacted, quoted and booked. Half took "
        "no longer than the median; nine of ten no longer than the second figure. Waiting: open leads not there yet.",
        "leads owned by",
        {"by": {"person": "Person", "source": "Source"}},
        [
            ("leads", "Leads", "count"),
            ("first_contact.median_hours", "First contact, hours", "rate"),
            ("first_contact.p90_hours", "9 of 10", "rate"), ("first_contact.waiting", "Waiting", "count"),
            ("quote.median_days", "Quote, days", "rate"), ("quote.p90_days", "9 of 10", "rate"),
            ("quote.waiting", "Waiting", "count"), ("booking.median_days", "Booking, days", "rate"),
            ("booking.p90_days", "9 of 10", "rate"), ("booking.waiting", "Waiting", "count"),
        ],
        speed.speed,
        lambda rows: bar_chart(
            "Time to first contact", "Hours", ["Median", "Nine of ten"],
            [(row["name"], [row["first_contact"]["median_hours"], row["first_contact"]["p90_hours"]]) for row in rows],
        ),
    ),
    "losses": Report(
        "Why leads are lost",
        "Leads that were lost in the period and not reopened since. Their value is what was quoted, or else expected.",
        "leads owned by",
        {"by": {"reason": "Reason", "source": "Source", "value": "Value"}},
        [
            ("lost", "Lost", "count"), ("share", "Share, %", "percent"), ("quoted", "Had a quote", "count"),
            ("value", "Value", "money"), ("unvalued", "Without a value", "count"),
            ("median_days_to_loss", "Days until lost", "rate"),
        ],
        losses.losses,
        lambda rows: bar_chart("Lost leads", "Leads", ["Lost"], [(row["name"], [row["lost"]]) for row in rows]),
    ),
    "effectiveness": Report(
        "What the rules are worth",
        "Of the leads that were won or lost: the share won of those that match an active rule, and of the others. The "
        "lift is the one share divided by the other; in 95 of 100 cases the truth lies between “from” and “to”. A rule "
        "about what comes with a sale anyway (a quote, a meeting) looks better than it is. Rules are judged by the "
        "leads that you may read; with a period, by those of them that were taken in then.",
        "leads owned by",
        {},
        [
            ("matches", "Leads that match", "count"), ("closed_with", "Won or lost", "count"),
            ("won_with_rate", "Won, %", "percent"), ("closed_without", "Others won or lost", "count"),
            ("won_without_rate", "Others won, %", "percent"), ("lift", "Lift", "ratio"), ("lift_low", "from", "ratio"),
            ("lift_high", "to", "ratio"), ("verdict", "What that says", "verdict"),
        ],
        effectiveness_table,
        _worth_chart,
        row_page="admin:sales_leadscoringrule_change",
    ),
}  # fmt: skip


def in_a_file(row: Row) -> Row:
    """A row for the file of a page: ROI in per cent, as the page and its other rates have it."""
    roi = row.get("roi")
    named = {"roi_percent" if name == "roi" else name: value for name, value in row.items()}
    return named if roi is None else named | {"roi_percent": round(roi * 100, 2)}


def cell(row: Row, key: str, kind: str) -> tuple[str, str]:
    """What a cell shows, and its class."""
    value: Any = row
    for part in key.split("."):
        value = value[part]
    if kind == "verdict":
        return VERDICTS.get(value, ""), "quiet" if value in ("unclear", "too_few") else ""
    if value is None:
        return "–", "number"
    match kind:
        case "money":
            shown = format_money(value)
        case "percent":
            shown = format_percent(value)
        case "share":
            shown = format_percent(value * 100)
        case "rate":
            shown = f"{value:,.1f}"
        case "ratio":
            shown = f"{value:,.2f}"
        case _:
            shown = f"{value:,}"
    return shown, "number"
