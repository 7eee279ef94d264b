"""The requests that fuzzing starts from: every case of ``tests/cases``, and what reads, browsers and intruders send."""

import tomllib
from collections.abc import Iterator
from pathlib import Path

import msgspec

from tests.ingest.test_cases import CASES, REPEAT, TRANSFORMS

_LONGEST_BODY = 4_000
_TAG, _LINE = b"brasil.sudeste.sensor01", b"events,country=brasil,region=sul,sensor=s1 value=1.5 1539112021301000000"
_READS = (
    b"/get_data",
    b"/get_data?start=2018-10-09&stop=1539112021302&country=brasil&region=sudeste&sensor=sensor01&status=erro&limit=2",
    b"/get_data?cursor=1539112021301000000~1~brasil.sudeste.sensor01&limit=1",
    b"/get_data?text=%C3%A9&limit=10001",
    b"/counts?region=sudeste&stop=2019-01-01",
    b"/series?path=brasil.sudeste&path=brasil&start=1539112000000&stop=1539112900000&points=30",
    b"/series?path=brasil&start=0&stop=86400000&step=3600000",
    b"/events/stream?text=x",
    b"/health",
    b"/ready",
    b"/metrics",
    b"/openapi.yaml",
    b"/view_sensor?sensor=a",
    b"/assets/page.js",
    b"/assets/..%2f..%2fetc%2fpasswd",
    b"/",
)
_ACCEPTS = (b"application/json", b"text/csv", b"application/x-ndjson", b"text/plain", b"text/html, */*;q=0.1")


class Request(msgspec.Struct, frozen=True):
    """An HTTP request before it is written down; ``headers`` are beside Host and the length of the body."""

    method: bytes
    target: bytes
    headers: tuple[tuple[bytes, bytes], ...] = ()
    body: bytes = b""

    def written(self) -> bytes:
        lines = [b"%b %b HTTP/1.1" % (self.method, self.target), b"Host: 127.0.0.1"]
        lines += [b"%b: %b" % header for header in self.headers]
        if self.body or self.method == b"POST":
            lines.append(b"Content-Length: %d" % len(self.body))
        return b"\r\n".join([*lines, b"", self.body])


def corpus(token: str) -> list[Request]:
    """Requests that the service knows well, each with the right token."""
    authorization = (b"Authorization", b"Bearer " + token.encode())
    return [*_cases(authorization), *_reads(authorization), *_writes(authorization)]


def _cases(authorization: tuple[bytes, bytes]) -> Iterator[Request]:
    for case in CASES:
        spec = _spec(case)
        body = REPEAT.sub(lambda match: match[1] * min(int(match[2]), 100), (case / "request").read_bytes())
        headers = [authorization]
        if spec.get("content_type", "application/json"):
            headers.append((b"Content-Type", spec.get("content_type", "application/json").encode()))
        if "transform" in spec:
            body = TRANSFORMS[spec["transform"]](body)
            headers.append((b"Content-Encoding", b"gzip"))
        if "content_encoding" in spec:
            headers.append((b"Content-Encoding", spec["content_encoding"].encode()))
        yield Request(b"POST", spec.get("path", "/events").encode(), tuple(headers), body[:_LONGEST_BODY])


def _spec(case: Path) -> dict[str, str]:
    file = case / "case.toml"
    return tomllib.loads(file.read_text()) if file.exists() else {}


def _reads(authorization: tuple[bytes, bytes]) -> Iterator[Request]:
    for number, target in enumerate(_READS):
        accept = _ACCEPTS[number % len(_ACCEPTS)]
        others = ((b"If-None-Match", b'W/"0"'), (b"Last-Event-ID", b"00000000-5"), (b"Accept-Encoding", b"gzip"))
        yield Request(b"GET", target, (authorization, (b"Accept", accept), *others))
        yield Request(b"HEAD", target, (authorization,))


def _writes(authorization: tuple[bytes, bytes]) -> Iterator[Request]:
    event = b'{"timestamp": 1539112021301, "tag": "%b", "valor": "23.5"}' % _TAG
    browser = ((b"Origin", b"http://127.0.0.1"), (b"Sec-Fetch-Site", b"same-origin"), (b"Content-Type", b"text/plain"))
    yield Request(b"POST", b"/get_sensor", (authorization, (b"Content-Type", b"application/json")), event)
    yield Request(
        b"POST", b"/events", (authorization, (b"Content-Type", b"application/x-ndjson")), event + b"\n" + event
    )
    yield Request(b"POST", b"/write?precision=ns&u=a&p=b", (authorization, *browser), _LINE)
    yield Request(b"POST", b"/api/v2/write", ((b"Authorization", b"Basic YTpi"),), _LINE)
    yield Request(b"PUT", b"/events", (authorization,), event)
