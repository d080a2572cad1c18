"""Sending rows as a CSV file that is read while it is sent."""

from collections.abc import Iterable, Iterator, Sequence

from django.http import StreamingHttpResponse

from sales.exchange import file_writer


def csv_download(name: str, header: Sequence[str], rows: Iterable[Sequence[object]]) -> StreamingHttpResponse:
    """Return a response that downloads these rows as the CSV file `name`."""
    return stream_csv(name, file_writer.iter_csv(header, rows))


def stream_csv(name: str, parts: Iterator[bytes]) -> StreamingHttpResponse:
    """Return a response that downloads the parts of a CSV file as the file `name`."""
    return StreamingHttpResponse(
        parts,
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )
