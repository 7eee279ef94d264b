"""Who reaches the generator and should not: pages of other sites through a browser, and what speaks no HTTP."""

import logging
from collections.abc import Mapping
from ipaddress import ip_address
from urllib.parse import urlsplit

from aiohttp.http_exceptions import HttpProcessingError

CROSS_SITE = "a page of another site may not have a browser do this; type the address"


def is_of_another_site(headers: Mapping[str, str]) -> bool:
    """Whether a browser sends this for a page, which could have its visitors fill the store.

    The generator has no page of its own. A page may give a name of its own the address 127.0.0.1 (DNS rebinding), so
    it must be called by an IP address, or by a name without a dot.
    """
    site, destination = headers.get("Sec-Fetch-Site", "none"), headers.get("Sec-Fetch-Dest", "document")
    host = headers.get("Host", "")
    return (
        site not in ("none", "same-origin")
        or destination not in ("document", "empty")
        # Where plain HTTP goes over a network browsers say neither of these.
        or any(name in headers and _place(headers[name]) != host.lower() for name in ("Origin", "Referer"))
        or not _is_safe_name(host)
    )


def be_quiet_about_what_is_no_http() -> None:
    """Whoever sends it could fill the log with tracebacks."""
    logging.getLogger("aiohttp.server").addFilter(_is_worth_a_line)


def _is_worth_a_line(record: logging.LogRecord) -> bool:
    error = record.exc_info[1] if record.exc_info else None
    return not isinstance(error, HttpProcessingError)


def _place(url: str) -> str:
    return url.partition("://")[2].partition("/")[0].lower()


def _is_safe_name(host: str) -> bool:
    try:
        name = (urlsplit(f"//{host}").hostname or "").rstrip(".")
        return "." not in name or name.endswith(".localhost") or bool(ip_address(name))
    except ValueError:
        return False
