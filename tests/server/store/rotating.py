"""Rotations of all keys in processes of their own, which can be killed at any step.

They are forked from a server that has imported everything, so that a start costs milliseconds.
"""

import asyncio
import multiprocessing
from multiprocessing.connection import Connection as Pipe
from typing import Any

from server.settings import Settings
from server.store.keyring import Keyring
from server.store.opening import choose_database
from server.store.rotation import Rotation
from tests.server.store.samples import NOW

DONE = "done"
_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload([__name__])


class Rotating:
    """A process that rotates, seen from outside."""

    def __init__(self, url: str, *master_keys: str) -> None:
        self._pipe, theirs = _context.Pipe(duplex=False)
        self._process = _context.Process(target=run, args=(theirs, url, master_keys), daemon=True)
        self._process.start()
        theirs.close()

    async def step(self) -> str:
        """Wait for the next thing it tells; `DONE` at the end, and nothing when it has died."""
        try:
            return str(await asyncio.to_thread(self._pipe.recv))
        except (EOFError, ConnectionResetError):
            return ""

    async def kill(self) -> bool:
        """End it as ``kill -9`` does; tell whether it was still at work."""
        self._process.kill()
        told = [each async for each in self._rest()]
        await self._ended()
        return DONE not in told

    async def finished(self) -> int:
        """Wait for its end; answers its exit code."""
        async for _ in self._rest():
            pass
        return await self._ended()

    async def _rest(self) -> Any:
        while told := await self.step():
            yield told

    async def _ended(self) -> int:
        await asyncio.to_thread(self._process.join)
        code = self._process.exitcode
        assert code is not None
        self._process.close()
        self._pipe.close()
        return code


def run(pipe: "Pipe[Any, Any]", url: str, master_keys: tuple[str, ...]) -> None:
    """Rotate, and tell of each step."""
    asyncio.run(_rotate(pipe, url, master_keys))


async def _rotate(pipe: "Pipe[Any, Any]", url: str, master_keys: tuple[str, ...]) -> None:
    database, master = choose_database(Settings(database_url=url, master_keys=master_keys))
    await database.open()
    rotation = Rotation(database, Keyring(database, master), tell=pipe.send, page_size=2, notice_seconds=0)
    await rotation.rewrap()
    await rotation.renew(now=NOW)
    pipe.send(DONE)
