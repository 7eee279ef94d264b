"""Lines of ``mqtt_message``: an event's JSON as Telegraf had it from a broker, with the segments of its topic.

Whoever published it is not there to hear an answer, and Telegraf gives up a whole batch for one bad line. So a message
that breaks a rule is no bad line: it is counted, logged, and kept as a point that tells what it was and why.
"""

from collections.abc import Mapping

import msgspec

from ingest.decode import RefusedMessage
from ingest.decode.json_events import EMPTY
from ingest.decode.json_text import BOM, event_of, one_line, parse_text
from ingest.event import NS_PER_MS, Event
from ingest.fields import escape_string
from ingest.line_parser import Line, parse_fields, unescape_string
from ingest.reject import Reject
from ingest.rules import Rules

MEASUREMENT = b"mqtt_message"
_WITH_TAGS = MEASUREMENT + b","
REFUSED_MEASUREMENT = "refused_messages"
_SEGMENTS = (b"country", b"region", b"sensor")
_PAYLOAD = b"payload"
_MAX_KEPT_CHARACTERS = 4_096
_NS_PER_SECOND = 10**9


class Message(msgspec.Struct, frozen=True, gc=False):
    """A message that is an event, and its text as it came, in one line, with the topic's tag where it had none."""

    event: Event
    text: bytes


class MessageDecoder:
    """Decodes messages by the same rules as a body of ``POST /events``."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules

    def decode(self, line: Line, time_ns: int, now_ns: int) -> Message | RefusedMessage | Reject:
        """``time_ns`` is when it came to Telegraf; a Reject means that the line itself is none of Telegraf's."""
        fields = dict(parse_fields(line.fields))
        if not all(fields.get(name, b"").startswith(b'"') for name in (*_SEGMENTS, _PAYLOAD)):
            return Reject("event_fields", "a line of mqtt_message has the texts country, region, sensor and payload")
        topic_tag, payload = _topic_tag(fields), unescape_string(fields[_PAYLOAD])
        message = self._message(payload, topic_tag)
        if not isinstance(message, Reject):
            return message
        if self._rules.time_refusal(time_ns // NS_PER_MS):
            # Telegraf's clock is wrong. Two messages of one second are still two points.
            time_ns = now_ns - now_ns % _NS_PER_SECOND + time_ns % _NS_PER_SECOND
        return _refused(message, topic_tag, payload, time_ns)

    def _message(self, payload: bytes, topic_tag: str) -> Message | Reject:
        text = one_line(payload.removeprefix(BOM))
        value = parse_text(payload.removeprefix(BOM)) if text else EMPTY
        if isinstance(value, Reject):
            return value
        if isinstance(value, dict) and "tag" not in value:
            value["tag"] = topic_tag
            text = b'{"tag":"%b",%b' % (topic_tag.encode(), text[1:])
        event = event_of(value)
        if isinstance(event, Event) and event.tag != topic_tag:
            return Reject("tag_topic", f"the payload's tag is {event.tag}, but the topic's sensor is {topic_tag}")
        checked = event if isinstance(event, Reject) else self._rules.check(event)
        return checked if isinstance(checked, Reject) else Message(checked, text)


def is_message(key: bytes) -> bool:
    """Whether a line's key says that it is a message; tags beside the measurement mean nothing."""
    return key == MEASUREMENT or key.startswith(_WITH_TAGS)


def _topic_tag(fields: Mapping[bytes, bytes]) -> str:
    return ".".join(unescape_string(fields[name]).decode(errors="replace") for name in _SEGMENTS)


def _refused(reject: Reject, topic_tag: str, payload: bytes, time_ns: int) -> RefusedMessage:
    texts = {"path": topic_tag, "reason": reject.reason, "payload": payload.decode(errors="replace")}
    fields = ",".join(f'{name}="{escape_string(_kept(text))}"' for name, text in texts.items())
    return RefusedMessage(reject, topic_tag, f"{REFUSED_MEASUREMENT},code={reject.code} {fields} {time_ns}\n".encode())


def _kept(text: str) -> str:
    return text if len(text) <= _MAX_KEPT_CHARACTERS else text[:_MAX_KEPT_CHARACTERS] + "…"
