"""Cleaning cells of what spreadsheets and other programs leave in them, or refusing a cell that has lost something."""

import re
from enum import Enum

from athena.http.spreadsheet_cells import unescape_formula


class Kind(Enum):
    """The kinds of columns that are cleaned differently."""

    LINE = "one line of text"
    TEXT = "text of several lines"
    EMAIL = "email address"
    PHONE = "phone number"
    VALUE = "number, date or choice"


_MAX_LENGTHS = {Kind.LINE: 2_000, Kind.EMAIL: 2_000, Kind.PHONE: 2_000, Kind.VALUE: 300}  # characters

_PLAIN = re.compile(r"[A-Za-z0-9][\x20-\x7e]*[A-Za-z0-9.)!?]")  # most cells have nothing to clean
_MAY_NEED_CLEANING = re.compile(r"[Ee][+]?\d+$|\.0+$|^n/?a$|^n\.a\.?$|^none$|^null$|^nil$|^err:", re.IGNORECASE)

_INVISIBLE = re.compile(r"[\u00ad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff]")
# Between letters of other scripts and in emoji, these two characters change what is shown.
_JOINERS = re.compile(r"(?<![^\x00-\x7f])[\u200c\u200d]|[\u200c\u200d](?![^\x00-\x7f])")
_SPACES = re.compile(r"[\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_LINE_BREAK = re.compile(r"(?<!\s)\s*[\r\n\x0b\x0c\x85\u2028\u2029]\s*")

_ERROR = re.compile(r"#(N/A( N/A)?|N/D|N/V|NV|GETTING_DATA|[^\W\d_][\w/.]*[!?]|\.+)|Err:\d{3}")
_TOO_NARROW = re.compile(r"#{2,}")
_SHORTENED = re.compile(r"[-+]?\d+([.,]\d+)?E\+\d+", re.IGNORECASE)
_EXPONENT = re.compile(r"[-+]?\d+([.,]\d+)?E[-+]?\d+", re.IGNORECASE)
_WHOLE_FLOAT = re.compile(r"[-+]?\d{4,}\.0+")
_EMPTY_VALUES = {"-", "--", "---", "–", "—", "n/a", "n.a.", "n.a", "none", "null", "nil", "(none)", "(null)", "(blank)"}
_EMPTY_NAMES = {"-", "--", "---", "–", "—", "n/a", "(none)", "(null)", "(blank)"}  # Nil and None are names
_EMPTY_ADDRESSES = _EMPTY_VALUES | {
    *("na", "no", "no email", "no e-mail", "no phone", "unknown", "not provided", "not available", "?", ".", "x", "0"),
}
_EMAIL_PREFIX = re.compile(r"(mailto|e-?mail|mail|smtp|e)\s*:\s*", re.IGNORECASE)
_PHONE_PREFIX = re.compile(
    r"(tel|telephone|p|ph|phone|m|mob|mobile|c|cell|t|o|w|h|office|work|home|sms|callto|whatsapp)\s*(:|\.(?!\d))\s*(//)?\s*",
    re.IGNORECASE,
)


def clean(cell: str, kind: Kind) -> tuple[str, list[str]]:
    """Return the cell's text as it was meant, without spaces around it, and a remark for each thing that was changed.

    Raises `ValueError` for a formula, a formula's error, a number with lost digits, a lost character, or a text that
    is too long for its kind.
    """
    if _PLAIN.fullmatch(cell) and kind in (Kind.LINE, Kind.TEXT) and not _MAY_NEED_CLEANING.search(cell):
        return cell, []
    remarks: list[str] = []
    text = cell.strip()
    max_length = _MAX_LENGTHS.get(kind, len(text))
    if len(text) > max_length:
        raise ValueError(f"This is too long: {len(text):,} characters. Shorten it to {max_length:,}.")
    text = _remove_invisible(text, remarks)
    if text.startswith("="):
        raise ValueError("This is a formula. Paste its value instead.")
    if _ERROR.fullmatch(text):
        raise ValueError("This is a formula's error. Type the value instead.")
    if _TOO_NARROW.fullmatch(text):
        raise ValueError("The spreadsheet's column was too narrow to show this value. Widen it, and save again.")
    if "\ufffd" in text:
        raise ValueError("A character was lost here (“\ufffd”). Type it again.")
    text = unescape_formula(text).strip()
    text = _replace_line_breaks(text, kind, remarks)
    text = _repair_number(text, kind, remarks)
    if text.casefold() in _empty_words(kind):
        return "", [*remarks, f"“{text}” was read as an empty cell."]
    prefix = {Kind.EMAIL: _EMAIL_PREFIX, Kind.PHONE: _PHONE_PREFIX}.get(kind)
    match = prefix.match(text) if prefix else None
    if match and match.end() < len(text):
        remarks.append(f"“{match[0].strip()}” was removed.")
        text = text[match.end() :]
    return text, remarks


def _remove_invisible(text: str, remarks: list[str]) -> str:
    if text.isascii():
        return text
    visible = _JOINERS.sub("", _INVISIBLE.sub("", text))
    if visible != text:
        remarks.append("Invisible characters were removed.")
    return _SPACES.sub(" ", visible).strip()


def _replace_line_breaks(text: str, kind: Kind, remarks: list[str]) -> str:
    if kind is Kind.TEXT:
        # Some programs write a line break within a cell as a vertical tab.
        return _CONTROL.sub(lambda match: re.sub(r"[\x0b\x0c\x85\u2028\u2029]", "\n", match[0]), text)
    if not _CONTROL.search(text):
        return text
    if kind in (Kind.EMAIL, Kind.PHONE):
        return _LINE_BREAK.sub("\n", text)  # it may be between two of them
    remarks.append(f"A {'line break' if _LINE_BREAK.search(text) else 'control character'} was replaced by a space.")
    return " ".join(_CONTROL.sub(" ", text).split())


def _repair_number(text: str, kind: Kind, remarks: list[str]) -> str:
    """Undo what a spreadsheet does to text that it takes for a number."""
    if text.startswith("'") and (kind in (Kind.EMAIL, Kind.PHONE, Kind.VALUE) or text[1:2].isdigit()):
        remarks.append("An apostrophe was removed.")
        text = text[1:].strip()
    if kind is Kind.VALUE:
        return text
    pattern = _EXPONENT if kind is Kind.PHONE else _SHORTENED
    if pattern.fullmatch(text):
        raise ValueError(
            "The spreadsheet has shortened this number and lost its last digits. Format the column as text, and type "
            "it again."
        )
    if _WHOLE_FLOAT.fullmatch(text) and kind is not Kind.TEXT:
        remarks.append("“.0” was removed.")
        text = text.partition(".")[0]
    return text


def _empty_words(kind: Kind) -> set[str]:
    if kind in (Kind.EMAIL, Kind.PHONE):
        return _EMPTY_ADDRESSES
    return {Kind.VALUE: _EMPTY_VALUES, Kind.LINE: _EMPTY_NAMES}.get(kind, set())
