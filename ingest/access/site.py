"""Where the service listens, with TLS or without."""

import asyncio
import ssl
from typing import Final

from aiohttp import web

# Who connects and says nothing holds no place for longer.
HANDSHAKE_SECONDS: Final = 10.0
_GOODBYE_SECONDS: Final = 5.0


class Site(web.BaseSite):
    """A listening socket; aiohttp's own does not say how long a TLS handshake may take."""

    def __init__(
        self,
        runner: web.AppRunner,
        host: str,
        port: int,
        context: ssl.SSLContext | None,
        *,
        handshake_seconds: float = HANDSHAKE_SECONDS,
    ) -> None:
        super().__init__(runner, ssl_context=context)
        self._runner = runner
        self._host = host
        self._port = port
        self._handshake_seconds = handshake_seconds

    @property
    def name(self) -> str:
        """Its URL, once it listens."""
        scheme = "https" if self._ssl_context else "http"
        port = self._runner.addresses[0][1] if self._runner.addresses else self._port
        return f"{scheme}://[{self._host}]:{port}" if ":" in self._host else f"{scheme}://{self._host}:{port}"

    async def start(self) -> None:
        await super().start()
        if self._runner.server is None:
            raise RuntimeError("the runner is not set up")
        is_tls = self._ssl_context is not None
        self._server = await asyncio.get_running_loop().create_server(
            self._runner.server,
            self._host,
            self._port,
            ssl=self._ssl_context,
            backlog=self._backlog,
            ssl_handshake_timeout=self._handshake_seconds if is_tls else None,
            ssl_shutdown_timeout=_GOODBYE_SECONDS if is_tls else None,
        )
