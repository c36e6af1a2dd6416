"""A real ``isthmus`` process that can be killed and started again, on any database."""

import asyncio
import json
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from tests.server.store.samples import MASTER_KEY

PATIENCE = 120
"""Seconds for what takes two, unless the machine has other things to do."""
COMMAND = (sys.executable, "-c", "from server.cli import main; main()")


def signal_twice(process: Process) -> None:
    """Tell a process to stop, and to stop at once. Two signals of a kind might arrive as one."""
    process.send_signal(signal.SIGTERM)
    process.send_signal(signal.SIGINT)


class Isthmus:
    """One installation of the product: its folder, its database, and at most one running server."""

    def __init__(self, folder: Path, *, database_url: str, provider_urls: dict[str, str] | None = None) -> None:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("ISTHMUS_")}
        self._folder = folder
        self._environment = {
            **kept,
            "ISTHMUS_DATABASE_URL": database_url,
            "ISTHMUS_PROVIDER_URLS": json.dumps(provider_urls or {}),
            "ISTHMUS_ALLOWED_NETWORKS": "127.0.0.0/8",
            "ISTHMUS_MASTER_KEYS": MASTER_KEY,
        }
        self._server: Process | None = None

    async def run(self, *arguments: str) -> tuple[int, str]:
        """Run a command to its end; tell its exit code and what it printed."""
        process = await self._spawn(*arguments)
        out, _ = await asyncio.wait_for(process.communicate(), PATIENCE)
        return process.returncode or 0, out.decode()

    @asynccontextmanager
    async def begun(self, *arguments: str, until: str) -> AsyncIterator[str]:
        """Run a command that serves; gives what it printed as far as these words, and ends it as an operator would."""
        process = await self._spawn(*arguments)
        assert process.stdout is not None
        try:
            yield (await asyncio.wait_for(process.stdout.readuntil(until.encode()), PATIENCE)).decode()
        finally:
            process.terminate()
            await asyncio.wait_for(process.communicate(), PATIENCE)
        assert process.returncode == 0

    async def init(self, name: str) -> Any:
        code, printed = await self.run("init", "--project", name, "--json")
        assert code == 0
        return json.loads(printed)

    async def start(self, *arguments: str) -> str:
        """Start the server; tell its origin once it takes requests."""
        self._server = await self._spawn("serve", "--port", "0", *arguments)
        assert self._server.stdout is not None
        line = await asyncio.wait_for(self._server.stdout.readline(), PATIENCE)
        assert line.startswith(b"Isthmus is at "), line
        return line.decode().rpartition(" ")[2].strip()

    async def kill(self) -> None:
        """Kill the server as a power cut would; nothing is said if none runs."""
        if self._server is not None and self._server.returncode is None:
            self._server.kill()
        await self._ended()

    async def stop(self) -> int:
        """Stop the server as an operator would; tell its exit code."""
        assert self._server is not None
        self._server.terminate()
        return await self._ended()

    async def stop_twice(self) -> int:
        """Stop the server as an impatient operator would; tell its exit code."""
        assert self._server is not None
        signal_twice(self._server)
        return await self._ended()

    async def start_worker(self) -> Process:
        """Start a worker beside the server; whoever starts it ends it."""
        return await self._spawn("worker")

    async def _ended(self) -> int:
        if self._server is None:
            return 0
        # Reading to the end closes the pipe, which nobody else would.
        await asyncio.wait_for(self._server.communicate(), PATIENCE)
        code, self._server = self._server.returncode or 0, None
        return code

    async def _spawn(self, *arguments: str) -> Process:
        # What it says there is looked through for secrets when the session ends (`tests/leaks.py`).
        with (self._folder / "stderr.log").open("ab") as stderr:
            return await asyncio.create_subprocess_exec(
                *COMMAND, *arguments, cwd=self._folder, env=self._environment, stdout=PIPE, stderr=stderr
            )
