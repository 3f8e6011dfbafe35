"""The wire to a server, as a network can treat it: slow, stalled, or cut. A TCP proxy on 127.0.0.1."""

from __future__ import annotations

import asyncio
import contextlib
from types import TracebackType
from typing import Self

CHUNK_BYTES = 65_536


class Wire:
    """`async with Wire(port) as wire:` clients connect to `wire.port`; what they say reaches the server on `port`.

    `delay_s` is added to every answer of the server. While `stalled`, nothing is passed on, and nobody is told.
    """

    def __init__(self, server_port: int, *, delay_s: float = 0.0) -> None:
        self.delay_s = delay_s
        self._server_port = server_port
        self._flowing = asyncio.Event()
        self._flowing.set()
        self._open: set[asyncio.StreamWriter] = set()
        self._refusing = False

    @property
    def port(self) -> int:
        port: int = self._listener.sockets[0].getsockname()[1]
        return port

    def stall(self) -> None:
        self._flowing.clear()

    def flow(self) -> None:
        self._flowing.set()
        self._refusing = False

    def cut(self, *, and_refuse: bool = False) -> None:
        """Reset every connection there is; with `and_refuse` also those that are tried until `flow`."""
        self._refusing = and_refuse
        for writer in list(self._open):
            writer.transport.abort()

    async def __aenter__(self) -> Self:
        self._listener = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._listener.close()
        self.flow()
        self.cut()
        await self._listener.wait_closed()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._refusing:
            writer.transport.abort()
            return
        their_reader, their_writer = await asyncio.open_connection("127.0.0.1", self._server_port)
        self._open |= {writer, their_writer}
        async with asyncio.TaskGroup() as both:
            both.create_task(self._pass_on(reader, their_writer, slowly=False))
            both.create_task(self._pass_on(their_reader, writer, slowly=True))
        self._open -= {writer, their_writer}

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, slowly: bool) -> None:
        with contextlib.suppress(ConnectionError):
            while said := await reader.read(CHUNK_BYTES):
                if slowly:
                    await asyncio.sleep(self.delay_s)
                await self._flowing.wait()
                writer.write(said)
                await writer.drain()
        writer.close()
