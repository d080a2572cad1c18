"""The shape of every report: rows that each count a part of the leads or follow-ups, and their totals."""

from dataclasses import asdict, dataclass
from typing import Any, Generic, TypeVar


@dataclass(frozen=True)
class ReportRow:
    """What every row begins with.

    `key` is the id or the stored value that the row is about (None for rows without one, and for the totals); `name`
    is how people call it. A report's own row adds its numbers, in the order of the columns of its CSV file.
    """

    key: int | str | None
    name: str


RowT = TypeVar("RowT", bound=ReportRow)


@dataclass(frozen=True)
class ReportTable(Generic[RowT]):
    """A report's rows in the order in which they are shown, and the totals, which are a row named "total"."""

    rows: list[RowT]
    totals: RowT

    def to_dict(self) -> dict[str, Any]:
        """The table as the API answers it: `{rows, totals}`."""
        return {"rows": [asdict(row) for row in self.rows], "totals": asdict(self.totals)}
