"""What spreadsheets and other programs leave in cells: cleaned where that is certain, refused where something is lost.

`clean` gives the text that was meant, and a remark for each thing that was done to it, for whoever sent the file. It
raises `ValueError` for what is no value: a formula, an error, a number whose digits are gone.
"""

import re
from enum import Enum

from athena.http.spreadsheet_cells import unescape_formula


class Kind(Enum):
    """What a column holds, as far as cleaning differs."""

    LINE = "one line of text"
    TEXT = "text of several lines"
    EMAIL = "e-mail address"
    PHONE = "telephone number"
    VALUE = "number, date or choice"


_LONGEST = {Kind.LINE: 2_000, Kind.EMAIL: 2_000, Kind.PHONE: 2_000, Kind.VALUE: 300}  # characters worth looking at

_PLAIN = re.compile(r"[A-Za-z0-9][\x20-\x7e]*[A-Za-z0-9.)!?]")  # most cells: nothing to clean
_MAY_NEED_CLEANING = re.compile(r"[Ee][+]?\d+$|\.0+$|^n/?a$|^n\.a\.?$|^none$|^null$|^nil$|^err:", re.IGNORECASE)

_INVISIBLE = re.compile(r"[\u00ad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff]")
# Between letters of other scripts, and in emoji, these two shape what is read.
_JOINERS = re.compile(r"(?<![^\x00-\x7f])[\u200c\u200d]|[\u200c\u200d](?![^\x00-\x7f])")
_SPACES = re.compile(r"[\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_LINE_BREAK = re.compile(r"(?<!\s)\s*[\r\n\x0b\x0c\x85\u2028\u2029]\s*")

_ERROR = re.compile(r"#(N/A( N/A)?|N/D|N/V|NV|GETTING_DATA|[^\W\d_][\w/.]*[!?]|\.+)|Err:\d{3}")
_NARROW = re.compile(r"#{2,}")
_SHORTENED = re.compile(r"[-+]?\d+([.,]\d+)?E\+\d+", re.IGNORECASE)
_EXPONENT = re.compile(r"[-+]?\d+([.,]\d+)?E[-+]?\d+", re.IGNORECASE)
_WHOLE_FLOAT = re.compile(r"[-+]?\d{4,}\.0+")
_NOTHING = {"-", "--", "---", "–", "—", "n/a", "n.a.", "n.a", "none", "null", "nil", "(none)", "(null)", "(blank)"}
_NO_NAME = {"-", "--", "---", "–", "—", "n/a", "(none)", "(null)", "(blank)"}  # Nil and None are names
_NO_ADDRESS = _NOTHING | {
    *("na", "no", "no email", "no e-mail", "no phone", "unknown", "not provided", "not available", "?", ".", "x", "0"),
}
_MAIL_PREFIX = re.compile(r"(mailto|e-?mail|mail|smtp|e)\s*:\s*", re.IGNORECASE)
_PHONE_PREFIX = re.compile(
    r"(tel|telephone|p|ph|phone|m|mob|mobile|c|cell|t|o|w|h|office|work|home|sms|callto|whatsapp)\s*(:|\.(?!\d))\s*(//)?\s*",
    re.IGNORECASE,
)


def clean(cell: str, kind: Kind) -> tuple[str, list[str]]:
    """The text that was meant, without spaces around it, and what was done to it. Raises `ValueError`."""
    if _PLAIN.fullmatch(cell) and kind in (Kind.LINE, Kind.TEXT) and not _MAY_NEED_CLEANING.search(cell):
        return cell, []
    remarks: list[str] = []
    text = cell.strip()
    if len(text) > _LONGEST.get(kind, len(text)):
        raise ValueError(f"This is too long: {len(text):,} characters.")
    text = _visible(text, remarks)
    if text.startswith("="):
        raise ValueError("This is a formula. Paste its value instead.")
    if _ERROR.fullmatch(text):
        raise ValueError("This is the error of a formula.")
    if _NARROW.fullmatch(text):
        raise ValueError("The spreadsheet's column was too narrow to show this value. Widen it, and save again.")
    if "\ufffd" in text:
        raise ValueError("A character of this was lost (“\ufffd”). Type it again.")
    text = unescape_formula(text).strip()
    text = _in_lines(text, kind, remarks)
    text = _number_as_text(text, kind, remarks)
    if text.casefold() in _empty_words(kind):
        return "", [*remarks, f"“{text}” means that there is none."]
    prefix = {Kind.EMAIL: _MAIL_PREFIX, Kind.PHONE: _PHONE_PREFIX}.get(kind)
    found = prefix.match(text) if prefix else None
    if found and found.end() < len(text):
        remarks.append(f"“{found[0].strip()}” was taken off.")
        text = text[found.end() :]
    return text, remarks


def _visible(text: str, remarks: list[str]) -> str:
    if text.isascii():
        return text
    visible = _JOINERS.sub("", _INVISIBLE.sub("", text))
    if visible != text:
        remarks.append("Invisible characters were taken out.")
    return _SPACES.sub(" ", visible).strip()


def _in_lines(text: str, kind: Kind, remarks: list[str]) -> str:
    if kind is Kind.TEXT:
        # A vertical tab is a line break within a cell, as some programs write it.
        return _CONTROL.sub(lambda found: re.sub(r"[\x0b\x0c\x85\u2028\u2029]", "\n", found[0]), text)
    if not _CONTROL.search(text):
        return text
    if kind in (Kind.EMAIL, Kind.PHONE):
        return _LINE_BREAK.sub("\n", text)  # between several of them
    remarks.append(f"A {'line break' if _LINE_BREAK.search(text) else 'control character'} became a space.")
    return " ".join(_CONTROL.sub(" ", text).split())


def _number_as_text(text: str, kind: Kind, remarks: list[str]) -> str:
    """Text that a spreadsheet has taken for a number."""
    if text.startswith("'") and (kind in (Kind.EMAIL, Kind.PHONE, Kind.VALUE) or text[1:2].isdigit()):
        remarks.append("An apostrophe was taken off.")
        text = text[1:].strip()
    if kind is Kind.VALUE:
        return text
    shortened = _EXPONENT if kind is Kind.PHONE else _SHORTENED
    if shortened.fullmatch(text):
        raise ValueError(
            "The spreadsheet has shortened this number, and its last digits are lost. Format the column as text, and "
            "type it again."
        )
    if _WHOLE_FLOAT.fullmatch(text) and kind is not Kind.TEXT:
        remarks.append("“.0” was taken off.")
        text = text.partition(".")[0]
    return text


def _empty_words(kind: Kind) -> set[str]:
    if kind in (Kind.EMAIL, Kind.PHONE):
        return _NO_ADDRESS
    return {Kind.VALUE: _NOTHING, Kind.LINE: _NO_NAME}.get(kind, set())
