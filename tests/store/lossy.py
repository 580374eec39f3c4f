"""A wire to PostgreSQL that can break at the worst moment: when a commit took effect, and before the answer comes back."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path


class LossyWire:
    """Relays a socket; for as many commits as ``losses`` says, the server hears the question and nobody hears the answer."""

    def __init__(self, server: Path) -> None:
        self._server = server
        self._relays: set[asyncio.Task[None]] = set()
        self.losses = 0
        self.lost = 0

    @contextlib.asynccontextmanager
    async def listening(self, folder: Path) -> AsyncIterator[None]:
        listener = await asyncio.start_unix_server(self._accept, folder / self._server.name)
        yield
        listener.close()
        await listener.wait_closed()
        if self._relays:
            await asyncio.wait(self._relays)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        relay = asyncio.create_task(self._relay(reader, writer))
        self._relays.add(relay)
        relay.add_done_callback(self._relays.discard)

    async def _relay(self, client_in: asyncio.StreamReader, client_out: asyncio.StreamWriter) -> None:
        server_in, server_out = await asyncio.open_unix_connection(str(self._server))
        answers = asyncio.create_task(self._pump(server_in, client_out))
        while asked := await client_in.read(65536):
            loses = b"COMMIT;" in asked and self.losses > 0
            if loses:
                answers.cancel()
                await asyncio.wait([answers])
            server_out.write(asked)
            if loses:
                self.losses, self.lost = self.losses - 1, self.lost + 1
                await server_in.read(65536)  # it took effect
                break
        answers.cancel()
        for end in (client_out, server_out):
            end.close()
            with contextlib.suppress(ConnectionError):
                await end.wait_closed()

    async def _pump(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        while data := await source.read(65536):
            sink.write(data)
        sink.close()
