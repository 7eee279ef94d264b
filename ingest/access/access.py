"""Everything about who may come in, put together."""

from dataclasses import dataclass

import structlog

from ingest.access.admission import Admission
from ingest.access.browsers import HostNames
from ingest.access.client import Client
from ingest.access.guard import Guard
from ingest.access.reload import Apply, Readable, Reload
from ingest.access.sources import TokenSources
from ingest.access.tls import Certificates, TlsFiles
from ingest.access.tokens import KnownTokens
from ingest.metrics import Metrics


@dataclass(frozen=True, slots=True)
class AccessSettings:
    """``tls`` is None for plain HTTP; see ``Admission`` and ``HostNames`` for the others."""

    tokens: TokenSources
    tls: TlsFiles | None
    allow_anonymous: bool
    host_names: list[str]


class Access:
    """The guard of the routes, the certificates of the socket, and what reads their files again."""

    def __init__(self, settings: AccessSettings, metrics: Metrics) -> None:
        """Raises Unusable."""
        sources = settings.tokens
        self._sources = sources
        admission = Admission(KnownTokens(sources.read()), allow_anonymous=settings.allow_anonymous)
        self.guard = Guard(admission, HostNames(settings.host_names), metrics)
        metrics.watch_tokens(admission.last_used)
        self.certificates = Certificates(settings.tls) if settings.tls else None
        parts: list[Readable] = [_Tokens(sources, admission, self.guard)] if admission.tokens else []
        self.reload = Reload([*parts, *([self.certificates] if self.certificates else ())])
        _tell(admission.tokens.clients(), self.warnings())

    def warnings(self) -> list[str]:
        """What is wrong with tokens and certificates, though it keeps nobody out."""
        exposed = self.certificates.warnings() if self.certificates else []
        return [*self.reload.warnings(), *self._sources.warnings(), *exposed]


class _Tokens:
    """The tokens, as a part that is read again."""

    name = "tokens"

    def __init__(self, sources: TokenSources, admission: Admission, guard: Guard) -> None:
        self.files = [sources.file] if sources.file else []
        self._sources = sources
        self._admission = admission
        self._guard = guard

    def read(self) -> Apply:
        tokens = KnownTokens(self._sources.read())

        def apply() -> dict[str, object]:
            self._admission.tokens = tokens
            self._guard.end_reads_of_the_revoked()
            return {"tokens": _names(tokens.clients())}

        return apply


def _tell(clients: list[Client], warnings: list[str]) -> None:
    log = structlog.get_logger("access")
    if clients:
        log.info("tokens", tokens=_names(clients))
    for warning in warnings:
        log.warning("access", warning=warning)


def _names(clients: list[Client]) -> list[str]:
    return [f"{client.name}:{client.right}" for client in clients]
