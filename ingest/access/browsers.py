"""What browsers are told apart by: a page of another site makes its visitors' browsers send requests, too."""

from collections.abc import Iterable, Mapping
from ipaddress import ip_address
from urllib.parse import urlsplit

from multidict import istr

from ingest.bounded import BoundedDict

_MOST_JUDGED = 100
_SITE, _ORIGIN, _HOST, _DESTINATION = istr("Sec-Fetch-Site"), istr("Origin"), istr("Host"), istr("Sec-Fetch-Dest")


def is_for_another_site(headers: Mapping[str, str]) -> bool:
    """Whether a browser sends this on behalf of a page that is not the service's own."""
    site = headers.get(_SITE)
    if site is not None:
        return site not in ("same-origin", "none")
    # Browsers leave that header out where plain HTTP goes over a network.
    origin = headers.get(_ORIGIN)
    return origin is not None and not _is_own(origin, headers.get(_HOST, ""))


def is_a_visit(headers: Mapping[str, str]) -> bool:
    """Whether a browser sends this to show the answer in a tab of its own, as when a link is followed."""
    return headers.get(_DESTINATION) == "document"


def _is_own(origin: str, host: str) -> bool:
    place = origin.partition("://")[2]
    return bool(place) and place.lower() == host.lower()


class HostNames:
    """The names by which the service may be called without a token.

    A page may give a name of its own the address 127.0.0.1 and read what is there (DNS rebinding), so of names with
    a dot only those that are told are known. An IP address, ``localhost`` or a bare ``ingest`` cannot be so lent.
    """

    def __init__(self, names: Iterable[str]) -> None:
        self._names = {name.lower().rstrip(".") for name in names}
        # A client says the same each time, and to take it apart costs more than all else that is asked of a request.
        self._judged: BoundedDict[str, bool] = BoundedDict(_MOST_JUDGED)

    def know(self, host: str) -> bool:
        """``host`` is a ``Host`` header, with its port. No browser sends none."""
        known = self._judged.get(host)
        return self._judged.remember(host, self._judge(host)) if known is None else known

    def _judge(self, host: str) -> bool:
        try:
            name = (urlsplit(f"//{host}").hostname or "").rstrip(".")
        except ValueError:
            return False
        return "." not in name or name.endswith(".localhost") or name in self._names or _is_address(name)


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True
