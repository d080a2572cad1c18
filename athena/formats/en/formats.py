"""Django's default formats for pages and emails: "Mon 30 Nov 2026, 09:30". No month can be mistaken for a day."""

DATE_FORMAT = SHORT_DATE_FORMAT = "D j M Y"
TIME_FORMAT = "H:i"
DATETIME_FORMAT = SHORT_DATETIME_FORMAT = f"{DATE_FORMAT}, {TIME_FORMAT}"
