"""What a report is made of. Each report is one `Report` in a module of this folder, listed in `registry.py`."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from decimal import Decimal
from typing import Any, ClassVar, Generic

from rest_framework import serializers

from athena.accounts.models import User
from athena.api.serializers import StrictSerializer
from athena.formatting import UNKNOWN
from sales.queries.reports.table import ReportTable, RowT

Number = int | float | Decimal


@dataclass(frozen=True)
class Cell:
    """A cell of the page's table."""

    text: str
    css: str


def write_count(count: Number) -> str:
    return f"{count:,}"


def write_decimal(number: Number) -> str:
    return f"{number:,.1f}"


def write_ratio(ratio: Number) -> str:
    return f"{ratio:,.2f}"


class Column(ABC, Generic[RowT]):
    """A column of the report's page.

    A column that `is_company_only` is left out of a report on a team or a person. `css` is the class of its cells.
    """

    heading: str
    is_company_only: bool = False
    css: ClassVar[str] = ""

    @abstractmethod
    def build_cell(self, row: RowT) -> Cell: ...


@dataclass(frozen=True)
class NumberColumn(Column[RowT]):
    """A column of numbers; an unknown number (None) is a dash."""

    heading: str
    get_value: Callable[[RowT], Number | None]
    write: Callable[[Any], str] = write_count
    is_company_only: bool = False
    css: ClassVar[str] = "number"

    def build_cell(self, row: RowT) -> Cell:
        value = self.get_value(row)
        return Cell(UNKNOWN if value is None else self.write(value), self.css)


@dataclass(frozen=True)
class Series(Generic[RowT]):
    """One bar for each row of the chart. A series that `is_company_only` is left out like such a column."""

    label: str
    get_value: Callable[[RowT], Number | None]
    is_company_only: bool = False


@dataclass(frozen=True)
class ReportChart(Generic[RowT]):
    """The bar chart above the table. `unit` is written below its axis; `write` turns a number into a label.

    Without a title, the chart is named for its series. Without `write`, labels have as many decimals as the axis needs.
    """

    unit: str
    series: Sequence[Series[RowT]]
    title: str = ""
    write: Callable[[float], str] | None = None


@dataclass(frozen=True)
class Choice:
    """A selection on the report's page, which is also a parameter of the API: its label, and labels by stored value.

    The first value is the default.
    """

    label: str
    options: Mapping[str, str]

    @property
    def default(self) -> str:
        return next(iter(self.options))


@dataclass(frozen=True)
class Endpoint:
    """The report in the API.

    `respond(user, params)` gives the data of the answer. Without it the report is answered as a table: JSON or, with
    `format=csv`, a file; `parameters` must then be `TableParameters` or extend them.
    """

    description: str
    parameters: type[StrictSerializer]
    response: type[serializers.Serializer[Any]] | serializers.BaseSerializer[Any]
    permission: str = "sales.report_lead"
    respond: Callable[[User, Mapping[str, Any]], Any] | None = None


@dataclass(frozen=True)
class Report(Generic[RowT]):
    """A report in the API, on its page in the admin, in the tabs of the reports and as a CSV file.

    The API's route is `/api/v1/sales/reports/<slug>` and the page `/admin/reports/<slug>/`. The report is computed by
    `compute(user, period, scope, **choices)`, with a value for each of `choices`.
    """

    slug: str
    title: str
    description: str  # what the page says about the numbers
    scope_label: str  # what belongs to the chosen team or person, such as "leads owned by"
    compute: Callable[..., ReportTable[RowT]]
    columns: Sequence[Column[RowT]]
    chart: ReportChart[RowT]
    endpoint: Endpoint
    choices: Mapping[str, Choice] = field(default_factory=dict)
    narrow_scope_note: str = ""  # what the page of a team or a person says about columns that are left out
    row_page: str = ""  # the URL name of the admin page about a row's key
    build_file_row: Callable[[RowT], dict[str, Any]] = asdict  # a row of the page's CSV file

    @property
    def name(self) -> str:
        """The slug as a Python name."""
        return self.slug.replace("-", "_")

    def build_file_name(self, choices: Mapping[str, str]) -> str:
        """The name of the CSV file without its ending, such as `losses-by-reason`."""
        return f"{self.slug}-by-{choices['by']}" if "by" in choices else self.slug
