"""The processes of one installation of the product: seats, whoever sits there, and what is done to them."""

import asyncio
import json
import os
import signal
from pathlib import Path
from typing import Any, Literal

import msgspec

from tests.chaos.databases import Postgres, Sqlite
from tests.chaos.processes import Nursery, Process
from tests.server.store.samples import MASTER_KEY

Role = Literal["serve", "worker"]
COMMANDS: dict[Role, tuple[str, ...]] = {"serve": ("serve", "--port", "0"), "worker": ("worker",)}
DEAD_SECONDS = 3600
"""A dead process is made to have been silent for so long where waiting is not the point."""


class Seat(msgspec.Struct, kw_only=True, eq=False):
    """A place for one process; another takes it after each kill."""

    name: str
    role: Role
    process: Process | None = None
    origin: str = ""
    """Of a server that takes requests; empty while there is none."""


class Fleet:
    """Servers and workers on one database."""

    def __init__(
        self,
        nursery: Nursery,
        database: Sqlite | Postgres,
        folder: Path,
        *,
        provider_origin: str,
        servers: int = 1,
        workers: int = 0,
    ) -> None:
        self._nursery = nursery
        self.database = database
        self._folder = folder
        kept = {name: value for name, value in os.environ.items() if not name.startswith("ISTHMUS_")}
        self.environment = {
            **kept,
            "ISTHMUS_DATABASE_URL": database.url,
            "ISTHMUS_PROVIDER_URLS": json.dumps({"sandbox": provider_origin}),
            "ISTHMUS_ALLOWED_NETWORKS": "127.0.0.0/8",
            "ISTHMUS_MASTER_KEYS": MASTER_KEY,
        }
        self.seats = [Seat(name=f"server {number}", role="serve") for number in range(1, servers + 1)]
        self.seats += [Seat(name=f"worker {number}", role="worker") for number in range(1, workers + 1)]
        self.kills = 0
        self._open = asyncio.Event()

    async def init(self, name: str) -> Any:
        """Make a project; answers what the command prints."""
        process = await self._nursery.spawn(
            "init", "--project", name, "--json", folder=self._folder, environment=self.environment
        )
        printed = await process.output()
        assert await process.ended == 0, process.tail()
        return json.loads(printed)

    async def start(self) -> None:
        """Fill every seat, and wait until the servers take requests."""
        for seat in self.seats:  # one after the other: only the first has anything to migrate
            await self.fill(seat)

    async def fill(self, seat: Seat) -> None:
        """Start a process in a seat, and wait until it takes requests if it is a server. Raises `DidNotStart`."""
        process = await self.begin(seat)
        if seat.role == "serve":
            self.show(seat, await process.origin())

    async def begin(self, seat: Seat) -> Process:
        """Start a process in a seat and wait for nothing."""
        seat.process = await self._nursery.spawn(
            *COMMANDS[seat.role], folder=self._folder, environment=self.environment
        )
        return seat.process

    def show(self, seat: Seat, origin: str) -> None:
        """Let callers come to a server."""
        seat.origin = origin
        self._open.set()

    def hide(self, seat: Seat) -> None:
        """Send no callers to a server any more."""
        seat.origin = ""
        if not self.origins:
            self._open.clear()

    async def empty(self, seat: Seat, number: signal.Signals = signal.SIGKILL) -> int:
        """End the process in a seat by a signal; answers its exit code."""
        assert seat.process is not None
        if number == signal.SIGKILL:
            self.hide(seat)
            self.kills += 1
        code = await seat.process.end(number)
        self.hide(seat)
        return code

    async def stop(self) -> list[int]:
        """End every process as an operator would; answers their exit codes."""
        living = [seat for seat in self.seats if seat.process is not None and seat.process.alive]
        return await asyncio.gather(*(self.empty(seat, signal.SIGTERM) for seat in living))

    async def kill(self) -> None:
        """Kill every process; they do not count as kills of a run."""
        for seat in self.seats:
            if seat.process is not None:
                self.hide(seat)
                await seat.process.end()

    @property
    def origins(self) -> list[str]:
        """Where requests are taken now."""
        return [seat.origin for seat in self.seats if seat.origin]

    async def some_origin(self, number: int) -> str:
        """Answer one of the servers that take requests; wait where there is none."""
        while not self.origins:
            await self._open.wait()
        return self.origins[number % len(self.origins)]

    async def forget(self, process: Process) -> None:
        """Let a killed process have been silent for long. On SQLite a new process knows at once that it is alone."""
        if isinstance(self.database, Postgres):
            # Its name has its number between the machine's and a random part.
            name = f"%-{process.pid}-________"
            silent = f"UPDATE processes SET seen_at = seen_at - {DEAD_SECONDS} WHERE id LIKE '{name}'"  # noqa: S608 -- ours
            left = f"UPDATE lanes SET attended_at = attended_at - {DEAD_SECONDS * 1000} WHERE owner LIKE '{name}'"  # noqa: S608 -- ours
            await asyncio.to_thread(self.database.run, f"{silent}; {left}")
