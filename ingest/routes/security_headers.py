"""The headers of every answer: a browser runs, keeps, guesses and shares nothing of it, and no version is told."""

from typing import Final

from aiohttp import hdrs, web
from multidict import istr

# Of answers that no browser should treat as a page; the page has a policy of its own.
SECURITY_HEADERS: Final = {
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    # What is stored is nobody's to keep on the way, and an ack of yesterday acknowledges nothing today.
    "Cache-Control": "no-store",
}
_HEADERS: Final = tuple((istr(name), value) for name, value in SECURITY_HEADERS.items())


async def set_security_headers(_: web.Request, answer: web.StreamResponse) -> None:
    """A receiver of ``on_response_prepare``: sets what the answer has not set itself."""
    headers = answer.headers
    for name, value in _HEADERS:
        headers.setdefault(name, value)
    # aiohttp has put its version there.
    headers.pop(hdrs.SERVER, None)
