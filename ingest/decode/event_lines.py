"""What a line of the measurement ``events`` says: its tag and its valor."""

from ingest.line_parser import parse_fields, unescape_string
from ingest.reject import Reject
from ingest.series.names import Name, name_of_key


def name_of(key: bytes) -> Name | Reject:
    """The tag of an event, as a text, or the name of another measurement's series."""
    try:
        return name_of_key(key)
    except UnicodeDecodeError:
        return Reject("invalid_utf8", "a tag is not UTF-8")


def valor_of(fields: bytes) -> str | Reject:
    """The one field of an ``events`` line: the rules of the event decide again whether it is a number."""
    pairs = parse_fields(fields)
    if len(pairs) != 1 or pairs[0][0] not in (b"value", b"text", b"valor"):
        return Reject("event_fields", "a line of the measurement events has one field: value, text or valor")
    value = pairs[0][1]
    try:
        return unescape_string(value).decode() if value.startswith(b'"') else _literal(value.decode())
    except UnicodeDecodeError:
        return Reject("invalid_utf8", "the field is not UTF-8")


def _literal(text: str) -> str:
    is_integer = text[-1] in "iu" and text[:-1].lstrip("-").isdigit()
    return text[:-1] if is_integer else text
