"""A port before a cluster's dashboard, whose connections can be cut."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from urllib.parse import urlsplit

FOLLOWING = b"/logs/tail"


class Interruption:
    """Passes connections on; all break ``after`` seconds of the first that follows a log.

    New ones are then closed at once: for ``seconds``, or for good.
    """

    def __init__(self, address: str, after: float, seconds: float | None) -> None:
        self._to = (urlsplit(address).hostname, urlsplit(address).port)
        self._after, self._seconds = after, seconds
        self._open: list[socket.socket] = []
        self._down = threading.Event()
        self._followed = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self.cut = 0

    def serve(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            try:
                if self._down.is_set():
                    raise ConnectionRefusedError
                server = socket.create_connection(self._to)
            except OSError:
                client.close()
                continue
            self._open += [client, server]
            for pair in ((client, server), (server, client)):
                threading.Thread(target=self._pass_on, args=pair, daemon=True).start()

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._break()

    def _pass_on(self, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(1 << 16):
                if FOLLOWING in data and not self._followed.is_set():
                    self._followed.set()
                    threading.Timer(self._after, self._interrupt).start()
                target.sendall(data)
        for one in (source, target):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def _interrupt(self) -> None:
        self._down.set()
        self.cut = len(self._open)
        self._break()
        if self._seconds is not None:
            threading.Timer(self._seconds, self._down.clear).start()

    def _break(self) -> None:
        for one in self._open:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()
        self._open.clear()


@contextmanager
def interrupted(address: str, after: float, seconds: float | None = None) -> Iterator[Interruption]:
    """Offer a way to ``address`` that is interrupted."""
    port = Interruption(address, after, seconds)
    threading.Thread(target=port.serve, daemon=True).start()
    try:
        yield port
    finally:
        port.close()
