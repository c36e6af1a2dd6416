"""A whole server on a real port, in a thread with a loop of its own: for tests that call it as strangers do."""

import asyncio
import socket
import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from concurrent.futures import Future
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import msgspec
import uvicorn

from server.door.heads import BoundedHeads
from tests.server.house import House, open_house


class Served(msgspec.Struct, kw_only=True):
    """A server that can be called."""

    origin: str
    house: House
    ask: Callable[[Coroutine[Any, Any, Any]], Any]
    """Runs a coroutine in the server's loop and answers what it returns."""


@contextmanager
def on_loopback() -> Iterator[Served]:
    """Serve a house on 127.0.0.1; its public URL stays ``http://isthmus.test``."""
    ready: Future[Served] = Future()
    done = threading.Event()
    thread = threading.Thread(target=lambda: asyncio.run(_serve(ready, done)))
    thread.start()
    try:
        yield ready.result(30)
    finally:
        done.set()
        thread.join(30)


async def _serve(ready: "Future[Served]", done: threading.Event) -> None:
    try:
        async with open_house() as house, listening(house.app) as origin:
            loop = asyncio.get_running_loop()

            def ask(coroutine: Coroutine[Any, Any, Any]) -> Any:
                return asyncio.run_coroutine_threadsafe(coroutine, loop).result(60)

            ready.set_result(Served(origin=origin, house=house, ask=ask))
            await asyncio.to_thread(done.wait)
    except BaseException as error:
        if not ready.done():
            ready.set_exception(error)
        raise


@asynccontextmanager
async def listening(
    app: Any, *, protocol: type[BoundedHeads] = BoundedHeads, at: socket.socket | None = None
) -> AsyncIterator[str]:
    """Serve an application as `isthmus serve` does; the origin it is at.

    ``at`` is a bound socket, for an application that has to know its port before it is built.
    """
    with at or bound() as listener:
        server = _Server(uvicorn.Config(app, http=protocol, access_log=False, log_config=None, server_header=False))
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        await asyncio.wait_for(server.listening.wait(), 30)
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            await serving


def bound() -> socket.socket:
    """Take a port of the kernel's on 127.0.0.1."""
    # asyncio sets TCP_NODELAY only where the protocol is named; without it each answer waits 40 ms for a packet.
    listener = socket.socket(proto=socket.IPPROTO_TCP)
    listener.bind(("127.0.0.1", 0))
    return listener


class _Server(uvicorn.Server):
    """Says when it listens, and leaves signals to the main thread."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listening = asyncio.Event()

    async def startup(self, sockets: Any = None) -> None:
        await super().startup(sockets)
        self.listening.set()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield
