"""The port that several workers share: nobody else's, which SO_REUSEPORT alone would not say."""

import asyncio
import errno
import socket

# Workers whose main process was killed hear of it at once, and give the port up.
_WAIT_SECONDS = 3.0
_LOOK_SECONDS = 0.05


async def free(host: str, port: int) -> None:
    """Return when nobody listens there. Raises OSError if somebody stays."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + _WAIT_SECONDS
    found = await loop.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    for family, *_, address in found:
        while True:
            try:
                socket.create_server(address[:2], family=family, dualstack_ipv6=False).close()
                break
            except OSError as error:
                if error.errno != errno.EADDRINUSE or loop.time() >= deadline:
                    raise
                await asyncio.sleep(_LOOK_SECONDS)
