"""Tables as CSV."""

import csv
import io

from athena.http.csv_responses import csv_response, list_columns


def test_a_response_is_a_csv_file():
    rows = [
        {"name": 'Łódź, "fair"', "quote": {"median": -1.5, "p90": None}},
        {"name": "=cmd", "quote": {"median": 2, "p90": 3}},
    ]
    response = csv_response("speed", list_columns(rows[0]), rows)
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    assert response["Content-Disposition"] == 'attachment; filename="speed.csv"'
    assert response.content.startswith(b"\xef\xbb\xbf")
    assert list(csv.reader(io.StringIO(response.content.decode("utf-8-sig")))) == [
        ["name", "quote.median", "quote.p90"],
        ['Łódź, "fair"', "-1.5", ""],
        ["'=cmd", "2", "3"],
    ]
