"""Where the demo listens: at the ports that people remember, or at others where those are taken.

A port is held from the moment it is chosen, so that two demos which start together never choose the same one.
"""

import socket
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager

Door = socket.socket
HOST = "127.0.0.1"
ANY = 0
"""One of the kernel's choosing."""


def listening(preferred: int) -> Door:
    """Listen at the preferred port, or at any. Who comes waits until somebody serves there; the caller closes it."""
    try:
        return socket.create_server((HOST, preferred))
    except OSError:
        return socket.create_server((HOST, ANY))


@asynccontextmanager
async def served(serve: Callable[[int], AbstractAsyncContextManager[str]], *, preferred: int) -> AsyncIterator[str]:
    """Serve at the preferred port, or at any where ``serve`` raises `OSError`; gives the address."""
    async with AsyncExitStack() as stack:
        try:
            url = await stack.enter_async_context(serve(preferred))
        except OSError:
            url = await stack.enter_async_context(serve(ANY))
        yield url
