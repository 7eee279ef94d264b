"""A line between two processes of this service: messages both ways, in order, until either end closes it."""

import asyncio
import socket
from collections.abc import AsyncIterator
from typing import Any, Generic, TypeVar

import msgspec

from ingest.workers.messages import Message

_LENGTH_BYTES = 4
_READ_BYTES = 2**20

Received = TypeVar("Received")


class Channel(Generic[Received]):
    """``send`` never waits: ``unsent_bytes`` says how far the other side is behind."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, decoder: "msgspec.msgpack.Decoder[Received]"
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._decoder = decoder
        self._encoder = msgspec.msgpack.Encoder()

    @classmethod
    async def over(cls, end: socket.socket, messages: Any) -> "Channel[Received]":
        """Over a connected socket; ``messages`` is the type of what comes."""
        end.setblocking(False)
        reader, writer = await asyncio.open_connection(sock=end, limit=_READ_BYTES)
        return cls(reader, writer, msgspec.msgpack.Decoder(messages))

    @property
    def unsent_bytes(self) -> int:
        return self._writer.transport.get_write_buffer_size()

    def send(self, message: Message) -> None:
        """To a closed channel it is lost."""
        if self._writer.transport.is_closing():
            return
        body = self._encoder.encode(message)
        self._writer.writelines((len(body).to_bytes(_LENGTH_BYTES), body))

    async def received(self) -> AsyncIterator[Received]:
        """What the other side sends, until it is gone."""
        try:
            while True:
                length = int.from_bytes(await self._reader.readexactly(_LENGTH_BYTES))
                yield self._decoder.decode(await self._reader.readexactly(length))
        except (asyncio.IncompleteReadError, ConnectionError):
            return

    async def close(self) -> None:
        """Once everything is sent, unless nobody takes it."""
        self._writer.close()
        try:
            await self._writer.wait_closed()
        except ConnectionError:
            return
