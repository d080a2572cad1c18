"""What a client may not send: values of fields, bodies, parameters, URLs and headers, by the rule they break."""

LEADS, FOLLOW_UPS, RULES = "/sales/leads", "/sales/follow-ups", "/sales/scoring/rules"
REPORT = "/sales/reports/follow-up-performance"
LEAD, FOLLOW_UP = f"{LEADS}/$lead", f"{FOLLOW_UPS}/$follow_up"
MEGABYTE = 1_048_576

ID = ['"12"', "1.0", "true", "-1", "0", "9223372036854775808", "9" * 400, '"１２"', "[1]", "{}", "1e2"]
COUNT = ["-1", "100001", "1.5", '"5"', '"５"', "true", "1e2", "[]", "-9223372036854775809"]
MONEY = [
    "1.005",
    "0.001",
    "-0.01",
    "10000000000",
    "9999999999.999",
    '""',
    '" "',
    '"5"',
    '"5.00"',
    "true",
    "[5]",
    "1e300",
]
DATE = [
    *('"1999-12-31"', '"2101-01-01"', '"2026-02-30"', '"2026-1-5"', '"20260105"', '"2026-01-05T00:00:00Z"'),
    *('"２０２６-01-05"', '"0000-00-00"', '"tomorrow"', "20260105", '"2026-W01-1"', '""'),
]
DATETIME = [
    *('"0001-01-01T00:00:00+14:00"', '"9999-12-31T23:59:59-14:00"', '"2026-05-01T09:30:00"', '"2026-05-01"'),
    *('"2026-05-01T24:00:00Z"', '"2026-02-30T09:00:00Z"', '"1999-12-31T23:59:59Z"', '"2101-01-01T00:00:00Z"'),
    *('"2100-12-31T23:30:00-01:00"', '"2026-05-01 09:30:00Z"', '"2026-05-01T09:30:00+25:00"', "1746091800"),
    '"2026-05-01T09:30:60Z"',
]
CLOCK = ['"24:00"', '"9:00"', '"09:00+02:00"', '"09:00Z"', '"09:60"', '"0900"', "900", '"noon"']
BOOLEAN = ["1", "0", '"true"', '"yes"', "[]"]
CHOICE = ['"New"', '"new "', '"nope"', "1", '["new"]', '{"new": 1}']
TEXT = ['"a\\u0000b"', '"a\\ud800b"', '"\\udfff"', "5", "true", '["a"]', '{"a": 1}']
ONE_LINE = [*TEXT, '"a\\nb"', '"a\\u001bb"', '"a\\u2028b"', '"a\\u0085b"', f'"{"x" * 201}"']
LONG_TEXT = [*TEXT, f'"{"x" * 10_001}"', f'"{"é" * 10_001}"']
EMAIL = ['"nobody"', '"a@b"', '"a b@example.com"', '"a@example.com\\nBcc: b@example.com"', f'"{"a" * 250}@b.com"']

NEW_LEAD = '"company_name": "Hostile"'
NEW_FOLLOW_UP = '"lead_id": $lead, "follow_up_type": "call", "scheduled_date": "2026-12-01"'
BULK = '"to_user_id": $user, "reason": "Because"'
NEW_RULE = (
    '"rule_name": "Hostile", "rule_type": "attribute", "condition_field": "estimated_passengers", '
    '"condition_operator": "at_least", "condition_value": "40"'
)
VALUES = [  # rule, path, the other fields of the body, field, values that the field refuses
    ("ids", LEADS, NEW_LEAD, "source", ID),
    ("ids", LEADS, NEW_LEAD, "assigned_to", ['"none"', "999999999999"]),
    ("ids", f"{LEADS}/bulk-transfer", BULK, "lead_ids", ['"12"', "[]", '["1"]', "[1.0]", "[true]", "[0]", "[[1]]"]),
    ("ids", f"{LEADS}/bulk-transfer", BULK, "lead_ids", ["1", '{"0": 1}', f"[{'1,' * 10_000}1]"]),
    ("integers", f"{FOLLOW_UP}/complete", '"outcome": "successful"', "next_follow_up_days", ["0", "366", "1.5", '"3"']),
    ("integers", RULES, NEW_RULE, "points", ["101", "-101", "1.0", '"5"', "1e1", "true", "null"]),
    ("counts", LEADS, NEW_LEAD, "estimated_passengers", COUNT),
    ("money", LEADS, NEW_LEAD, "estimated_value", MONEY),
    ("dates", LEADS, NEW_LEAD, "quote_valid_until", DATE),
    ("times", LEADS, NEW_LEAD, "pickup_at", DATETIME),
    ("times", FOLLOW_UPS, NEW_FOLLOW_UP, "scheduled_time", CLOCK),
    ("end before start", LEADS, f'{NEW_LEAD}, "pickup_at": "2026-05-02T09:00:00Z"', "return_at",
     ['"2026-05-01T09:00:00Z"', '"2026-05-02T10:00:00+02:00"']),
    ("booleans", LEADS, NEW_LEAD, "is_repeat", BOOLEAN),
    ("choices", LEADS, NEW_LEAD, "status", [*CHOICE, '""']),
    ("choices", FOLLOW_UPS, '"lead_id": $lead, "scheduled_date": "2026-12-01"', "follow_up_type", [*CHOICE, "null"]),
    ("one line", LEADS, NEW_LEAD, "contact_name", ONE_LINE),
    ("one line", LEADS, '"contact_name": ""', "company_name", ['""', '"  \\t "']),
    ("long text", LEADS, NEW_LEAD, "notes", LONG_TEXT),
    ("one line", RULES, NEW_RULE.replace('"rule_name": "Hostile", ', '"points": 1, '), "rule_name", ["null"]),
    ("e-mail addresses", LEADS, NEW_LEAD, "email", EMAIL),
    ("unknown keys", LEADS, NEW_LEAD, "colour", ['"red"', "null", "{}"]),
    ("unknown keys", LEADS, NEW_LEAD, "Company_Name", ['"Hostile"']),
    ("unknown keys", FOLLOW_UPS, NEW_FOLLOW_UP, "__class__", ['"Lead"']),
    ("unknown keys", f"{FOLLOW_UP}/complete", '"outcome": "successful"', "score", ["100"]),
    ("depth", LEADS, NEW_LEAD, "colour", ["[" * 31 + "]" * 31]),
]  # fmt: skip

DEEP = [
    b'{"company_name": ' + b"[" * 32 + b"]" * 32 + b"}",
    b'{"a":' * 33 + b"1" + b"}" * 33,
    b"[" * 100_000 + b"]" * 100_000,
    b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    b"[" * 100_000,
]
NOT_JSON = {
    "numbers": [
        b'{"estimated_value": %s}' % number for number in (b"NaN", b"Infinity", b"-Infinity", b"1e400", b"01", b"+1")
    ],
    "duplicate keys": [
        b'{"company_name": "A", "company_name": "B"}',
        b'{"company_name": "A", "company_nam\\u0065": "A"}',
        b'{"company_name": "A", "notes": {"a": 1, "a": 1}}',
        b'{"company_name": "A", "notes": [[{"a": 1, "a": 2}]]}',
    ],
    "encoding": [
        b'\xef\xbb\xbf{"company_name": "A"}',
        b'{"company_name": "\xff"}',
        b'{"company_name": "\xc0\xaf"}',
        b'{"company_name": "\xed\xa0\x80"}',
        b'{"company_name": "caf\xe9"}',
        '{"company_name": "A"}'.encode("utf-16"),
        '{"company_name": "A"}'.encode("utf-32-le"),
        b'{"\\ud800": 1}',
        b'{"\\u0000": 1}',
        b'{"company_name": "a\x00b"}',
        b'{"company_name": "a\nb"}',
    ],
    "top level": [b"[]", b"null", b"5", b"true", b'"text"', b'[{"company_name": "A"}]'],
    "not JSON": [b"{", b" ", b"\x00", b'{"company_name": "A",}', b"{'company_name': 'A'}", b"{}{}", b"{} // no",
                 b"company_name=A", b"<lead/>", b'{"company_name": "A"}\x00'],
    "depth": DEEP,
}  # fmt: skip

LEAD_BODY = b'{"company_name": "Hostile"}'
MULTIPART = b'--x\r\nContent-Disposition: form-data; name="company_name"\r\n\r\nHostile\r\n--x--\r\n'
CONTENT_TYPES = [
    ("application/x-www-form-urlencoded", b"company_name=Hostile"),
    ("multipart/form-data; boundary=x", MULTIPART),
    ("multipart/form-data", MULTIPART),
    *((kind, LEAD_BODY) for kind in ("text/plain", "text/json", "application/xml", "application/vnd.api+json")),
    *(
        (kind, LEAD_BODY)
        for kind in ("", "nonsense", "application/", "*/*", "application/*", "application/json, text/plain")
    ),
    ("application/json; charset=utf-16", '{"company_name": "A"}'.encode("utf-16")),
    *((f"application/json; charset={name}", LEAD_BODY) for name in ("latin-1", "us-ascii", "utf-8-sig", '""', "utf-7")),
    ("application/json; version=1; charset=cp1252", LEAD_BODY),
]

FILTERS = {  # by parameter of /sales/leads: values that it refuses
    "colour": ["red", ""],
    "status": ["", "nope", "New", "new,lost", "new&status=nope", "new' OR '1'='1"],
    "source": ["", "x", "1.0", "-1", "0", "true", "１２", "9223372036854775808", "1&source=", "1;DROP TABLE leads",
               "none"],
    "assigned_to": ["null", "None", "1,2", "none&assigned_to=x"],
    "min_score": ["", "abc", "1.5", "1e3", "99999999999", "５", "+1", " 1", "1&min_score=2", "NaN"],
    "created_after": ["2026-13-01", "1999-12-31", "2026-05-01T00:00:00", "0001-01-01T00:00:00+14:00", "now",
                      "1&created_after=2"],
    "unplanned": ["1", "True", "yes", "", "true&unplanned=false"],
    "search": ["", "\x00", "a\nb", "a\r\nSet-Cookie: a=b", "x" * 201, "a&search=b", "%%FF"],
    "limit": ["0", "201", "x", "-1", "1.0", "１", "", "9" * 3_000, "1&limit=2"],
    "cursor": ["", "x", "a:b:c", "..", "\x00", "eyJ9:1:x", "%%FF"],
    "ordering": ["colour", "-", "--score", "", "score,id", "score&ordering=-score", "pk;DROP TABLE leads", "__class__"],
    "count": ["1", "", "True", "true&count=true"],
}  # fmt: skip
QUERIES = [  # other paths: parameter and values that it refuses
    (f"{FOLLOW_UPS}/my-tasks", "date", ["2026-02-30", "today", "2026-01-01&date=2026-01-02"]),
    (f"{FOLLOW_UPS}/my-tasks", "overdue", ["maybe", "1"]),
    (f"{FOLLOW_UPS}/my-tasks", "view", ["everything", ""]),
    (f"{FOLLOW_UPS}/my-tasks", "user_id", ["x", "１", ""]),
    (f"{FOLLOW_UPS}/lead/$lead", "include_completed", ["0", "False"]),
    (FOLLOW_UPS, "due_after", ["2026-05-01T00:00:00Z", "2101-01-01", "05/01/2026"]),
    (f"{LEADS}/high-score", "min_score", ["-1", "101", "x"]),
    (f"{LEADS}/high-score", "limit", ["0", "201"]),
    (f"{LEAD}/score-history", "cursor", ["x"]),
    (f"{REPORT}?start_date=2026-02-01", "end_date", ["2026-01-31", "2099-01-01", "2026-2-1"]),
    ("/users", "role", ["superuser", ""]),
    ("/auth/me", "colour", ["red"]),
    (LEAD, "colour", ["red"]),
    (f"{LEADS}/", "colour", ["red"]),
]  # fmt: skip
LITERAL_SEARCHES = [
    "%",
    "_%",
    "' OR 1=1 --",
    '"; DROP TABLE leads; --',
    "\\",
    "${7*7}",
    "{{7*7}}",
    "../../etc/passwd",
    "<script>",
]

KEYS = [
    *("0", "x", "1.0", "-1", "%00", "%FF", "%EF%BC%91", "9" * 40, "$lead%20", "$lead;x", "9223372036854775808"),
    *("$lead.json", "$lead%0d%0aSet-Cookie:%20a=b", "%2e%2e", "%27%20OR%201=1"),
]
PATHS = [
    *(f"{LEADS}/{key}" for key in KEYS),
    *(f"{LEADS}//", f"{LEAD}//", "", "/nothing", "/sales", "/%ff%fe", "/SALES/leads"),
    *(f"{FOLLOW_UPS}/lead/%00", f"{LEAD}/nothing"),
]
METHODS = {
    LEADS: ["PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PURGE"],
    LEAD: ["POST", "PUT", "OPTIONS"],
    f"{LEAD}/transfer": ["GET", "DELETE"],
    f"{FOLLOW_UP}/complete": ["GET", "PUT", "PATCH"],
    "/sales/lost-reasons": ["POST", "DELETE"],
    "/auth/login": ["GET", "DELETE"],
}
ACCEPTS = [
    "text/plain",
    "image/png",
    "application/xml",
    "application/json;q=0",
    "*/*;q=0",
    "nonsense",
    "application/jsonp",
]
TOKENS = {
    "": "not_authenticated",
    "$token": "not_authenticated",
    "Basic YWRtaW46YWRtaW4xMjM=": "not_authenticated",
    "Token $token": "not_authenticated",
    "Bearer": "token_not_valid",
    "Bearer x": "token_not_valid",
    "Bearer $token x": "token_not_valid",
    "Bearer $token,$token": "token_not_valid",
    "Bearer $tokenx": "token_not_valid",
    "Bearer $refresh": "token_not_valid",
    "Bearer eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.eyJ1c2VyX2lkIjoxfQ.": "token_not_valid",
    "Bearer ....": "token_not_valid",
    "Bearer \xff\xfe": "token_not_valid",
    f"Bearer {'x' * 4_000}": "token_not_valid",
}
