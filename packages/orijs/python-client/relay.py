"""A network that a test can break: passes connections on to a server, byte for byte."""

import asyncio
from urllib.parse import urlsplit


class Relay:
    def __init__(self, url: str):
        self._to = urlsplit(url)
        self._writers: list[asyncio.StreamWriter] = []
        self._flows = asyncio.Event()
        self.mend()

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._pass_on, "127.0.0.1", 0)
        port = self._server.sockets[0].getsockname()[1]
        self.url = f"ws://127.0.0.1:{port}{self._to.path}"

    async def stop(self) -> None:
        self.cut()
        self._flows.set()
        self._server.close()

    def cut(self) -> None:
        """Ends all connections, and every new one at once."""
        self._is_cut = True
        for writer in self._writers:
            writer.transport.abort()
        self._writers.clear()

    def freeze(self) -> None:
        """Holds back all bytes; the connections stay open."""
        self._flows.clear()

    def mend(self) -> None:
        self._is_cut = False
        self._flows.set()

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        to_reader, to_writer = await asyncio.open_connection(self._to.hostname, self._to.port)
        self._writers += [writer, to_writer]
        if self._is_cut:
            self.cut()
        await asyncio.gather(self._pump(reader, to_writer), self._pump(to_reader, writer))

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while chunk := await reader.read(65_536):
                await self._flows.wait()
                writer.write(chunk)
                await writer.drain()
        except ConnectionError:
            pass
        finally:
            writer.close()
