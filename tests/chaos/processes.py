"""Real ``isthmus`` processes that can be killed, paused and ended at any moment, and never outlive the harness."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
from asyncio import StreamReader
from collections import deque
from pathlib import Path
from typing import Any, Self

from tests.chaos.nursery import die_with_parent

START_SECONDS = 60
END_SECONDS = 5
LARGEST_NEWS = 4_096
TAIL = 4_000
"""Characters of what a process said last, for reports."""
LINE = "Isthmus is at "


class DidNotStart(Exception):
    """A process ended instead of taking requests; the message holds what it said last."""


class Process:
    """One process of the product."""

    def __init__(self, pid: int, *, said: StreamReader, errors: Path) -> None:
        self.pid = pid
        self.ended: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        """Its exit code, negative for a signal."""
        self._said = said
        self._errors = errors

    @property
    def alive(self) -> bool:
        """Whether it has not ended, as far as is known."""
        return not self.ended.done()

    def send(self, number: signal.Signals) -> None:
        """Send a signal, unless it has ended."""
        if self.alive:
            os.kill(self.pid, number)

    async def end(self, number: signal.Signals = signal.SIGKILL) -> int:
        """Send a signal and wait for the end; answers the exit code."""
        self.send(number)
        return await asyncio.shield(self.ended)

    async def origin(self) -> str:
        """Wait until it takes requests and answer where. Raises `DidNotStart`."""
        line = asyncio.ensure_future(self._said.readline())
        async with asyncio.timeout(START_SECONDS):
            said = (await line).decode()
        if not said.startswith(LINE):
            raise DidNotStart(f"process {self.pid} said {said!r} and then\n{self.tail()}")
        return said.removeprefix(LINE).strip()

    async def output(self) -> str:
        """Read everything it prints, to its end."""
        return (await self._said.read()).decode()

    def tail(self) -> str:
        """Tell what it and its kind wrote last as errors."""
        return self._errors.read_text("utf-8", "replace")[-TAIL:] if self._errors.exists() else ""


class Nursery:
    """Starts processes by having them forked; ends all of them when it is closed."""

    def __init__(self, *, preloaded: dict[str, str] | None = None) -> None:
        self._preloaded = preloaded or {}
        """Variables that the first process needs when it starts, such as ``LD_PRELOAD``."""
        self._born: deque[asyncio.Future[int]] = deque()
        self._processes: dict[int, Process] = {}
        self._gone: dict[int, int] = {}
        """Those that ended before anybody knew them, and their codes."""

    async def __aenter__(self) -> Self:
        self._orders, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._orders.settimeout(0)
        self._parent = self._begun(theirs)
        theirs.close()
        asyncio.get_running_loop().add_reader(self._orders, self._hear)
        return self

    async def __aexit__(self, *_: object) -> None:
        loop = asyncio.get_running_loop()
        living = list(self._processes.values())
        for process in living:
            process.send(signal.SIGKILL)
        if living and self._parent.poll() is None:
            await asyncio.wait([process.ended for process in living], timeout=END_SECONDS)
        loop.remove_reader(self._orders)
        self._orders.close()
        self._parent.kill()
        await loop.run_in_executor(None, self._parent.wait)

    def _begun(self, theirs: socket.socket) -> subprocess.Popen[bytes]:
        return subprocess.Popen(  # noqa: S603 -- our own module
            [sys.executable, "-m", "tests.chaos.nursery", str(theirs.fileno())],
            cwd=Path(__file__).parents[2],
            env={**os.environ, **self._preloaded},
            pass_fds=(theirs.fileno(),),
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=die_with_parent,  # noqa: PLW1509 -- there are no threads here
        )

    async def spawn(self, *arguments: str, folder: Path, environment: dict[str, str]) -> Process:
        """Start ``isthmus`` with these arguments; what it says as errors goes to ``stderr.log`` in the folder."""
        errors = folder / "stderr.log"
        reading, writing = os.pipe()
        order = {"arguments": arguments, "folder": str(folder), "environment": environment}
        born: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        with errors.open("ab") as stderr:
            self._born.append(born)
            socket.send_fds(self._orders, [json.dumps(order).encode()], [writing, stderr.fileno()])
        os.close(writing)
        said = StreamReader()
        await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(said), os.fdopen(reading, "rb")
        )
        process = Process(await born, said=said, errors=errors)
        self._processes[process.pid] = process
        if process.pid in self._gone:
            self._end(process.pid, self._gone.pop(process.pid))
        return process

    def _hear(self) -> None:
        message = self._orders.recv(LARGEST_NEWS)
        if not message:
            asyncio.get_running_loop().remove_reader(self._orders)
            return
        news: dict[str, Any] = json.loads(message)
        if "born" in news:
            self._born.popleft().set_result(news["born"])
        elif news["ended"] in self._processes:
            self._end(news["ended"], news["code"])
        else:
            self._gone[news["ended"]] = news["code"]

    def _end(self, pid: int, code: int) -> None:
        self._processes.pop(pid).ended.set_result(code)
