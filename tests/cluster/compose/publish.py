"""Forwards TCP ports, as Docker does for the ports that a service publishes.

python publish.py ADDRESS:PORT=ADDRESS:PORT ...
"""

from __future__ import annotations

import asyncio
import sys
from asyncio import StreamReader, StreamWriter
from contextlib import suppress


async def pump(reader: StreamReader, writer: StreamWriter) -> None:
    """Copy one direction of a connection until it ends."""
    with suppress(ConnectionError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.close()


async def publish(outside: str, inside: str) -> None:
    """Listen at ``outside``, and forward each connection to ``inside``."""
    address, port = inside.split(":")

    async def connect(reader: StreamReader, writer: StreamWriter) -> None:
        try:
            there, back = await asyncio.open_connection(address, int(port))
        except OSError:
            writer.close()
            return
        await asyncio.gather(pump(reader, back), pump(there, writer))

    host, number = outside.split(":")
    server = await asyncio.start_server(connect, host, int(number))
    await server.serve_forever()


async def main(pairs: list[str]) -> None:
    """Forward every pair."""
    await asyncio.gather(*(publish(*pair.split("=")) for pair in pairs))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
