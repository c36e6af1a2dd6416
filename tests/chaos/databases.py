"""The two databases as a run needs them: crashed, started again, and told that time has passed."""

import asyncio
import os
import shutil
import signal
import sqlite3
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing, suppress
from pathlib import Path
from typing import Literal, Protocol

from tests.chaos.nursery import die_with_parent
from tests.postgres import BINARIES, free_port, prepared, run_sql, settings

StoreKind = Literal["sqlite", "postgres"]
DATABASE = "isthmus"
START_SECONDS = 60
CONNECTIONS = "200"
NO_CONNECTION = 2
"""How psql ends where the server went away: https://www.postgresql.org/docs/current/app-psql.html"""
AGAIN_SECONDS = 0.1


class Database(Protocol):
    """What a run does to a database, whichever it is."""

    kind: StoreKind
    url: str

    def run(self, statement: str) -> str:
        """Run a statement and answer its rows, a line each. On SQLite no server may be running."""
        ...

    def check(self) -> str:
        """Answer what is wrong inside; empty for nothing."""
        ...


class Sqlite:
    """A file in a folder."""

    kind: StoreKind = "sqlite"

    def __init__(self, folder: Path) -> None:
        self.path = folder / "isthmus.db"
        self.url = f"sqlite:///{self.path}"

    def run(self, statement: str) -> str:
        """Run a statement; nobody else may have the file open."""
        with closing(sqlite3.connect(self.path)) as connection, connection:
            return "\n".join("|".join(map(str, row)) for row in connection.execute(statement))

    def check(self) -> str:
        """Run ``PRAGMA integrity_check``."""
        found = self.run("PRAGMA integrity_check")
        return "" if found == "ok" else found


class Postgres:
    """A server of its own, run as a child that dies with the harness."""

    kind: StoreKind = "postgres"

    def __init__(self, home: Path, *, durable: bool) -> None:
        self._home = home
        self._data, self._programs, self._runner = prepared(home)
        self._port = free_port()
        self._settings = settings(durable=durable, max_connections=CONNECTIONS)
        self._postmaster: subprocess.Popen[bytes] | None = None
        self._server = f"postgresql://postgres@127.0.0.1:{self._port}"
        self.url = f"{self._server}/{DATABASE}"

    async def start(self) -> None:
        """Start it, after a crash too, and wait until it takes connections."""
        self._postmaster = self._begun()
        async with asyncio.timeout(START_SECONDS):
            while not await self._ready():  # noqa: ASYNC110 -- another program has to be asked
                await asyncio.sleep(0.02)

    def _begun(self) -> subprocess.Popen[bytes]:
        command: list[str | Path] = [
            self._programs / "postgres",
            "-D",
            self._data,
            "-p",
            str(self._port),
            "-k",
            self._data,
        ]
        with (self._home / "log").open("ab") as log:
            return subprocess.Popen(  # noqa: S603 -- the wheel's own program
                [*command, *self._settings],
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=die_with_parent,  # noqa: PLW1509 -- there are no threads here
                user=self._runner,
                group=self._runner,
                extra_groups=None if self._runner is None else [],
            )

    async def make(self) -> None:
        """Make the database."""
        await asyncio.to_thread(run_sql, f"{self._server}/postgres", f"CREATE DATABASE {DATABASE}")

    async def crash(self) -> None:
        """End it at once, as ``pg_ctl -m immediate`` does: nothing is written, nobody is told."""
        await self._end(signal.SIGQUIT)

    async def close(self) -> None:
        """End it for good."""
        await self._end(signal.SIGQUIT)

    def run(self, statement: str) -> str:
        """Run a statement with psql; again where the server was crashed meanwhile, as long as it takes to be back."""
        ends = time.monotonic() + START_SECONDS
        while True:
            try:
                return run_sql(self.url, statement).strip()
            except subprocess.CalledProcessError as error:
                if error.returncode != NO_CONNECTION or time.monotonic() > ends:
                    raise
            time.sleep(AGAIN_SECONDS)

    def check(self) -> str:
        """Read every row of every table through its pages."""
        with suppress(subprocess.CalledProcessError):
            self.run("SELECT count(*) FROM operations o LEFT JOIN attempts a ON a.operation_id = o.id")
            return ""
        return "the tables cannot be read"

    async def _ready(self) -> bool:
        program = await asyncio.create_subprocess_exec(
            BINARIES / "pg_isready",
            "-q",
            "-h",
            "127.0.0.1",
            "-p",
            str(self._port),
        )
        return await program.wait() == 0

    async def _end(self, number: signal.Signals) -> None:
        if self._postmaster is None or self._postmaster.poll() is not None:
            return
        os.kill(self._postmaster.pid, number)
        await asyncio.to_thread(self._postmaster.wait)


def _remove(home: Path) -> None:
    """Remove a cluster; the last of its processes may still be writing when its postmaster has ended."""
    for _ in range(100):
        shutil.rmtree(home, ignore_errors=True)
        if not home.exists():
            return
        time.sleep(0.05)


@asynccontextmanager
async def database(kind: StoreKind, folder: Path, *, durable: bool = False) -> AsyncIterator[Sqlite | Postgres]:
    """Have an empty database as long as the context is open."""
    if kind == "sqlite":
        yield Sqlite(folder)
        return
    home = Path(tempfile.mkdtemp(prefix="isthmus-chaos-pg-", dir="/tmp"))
    try:
        made = Postgres(home, durable=durable)
        await made.start()
        try:
            await made.make()
            yield made
        finally:
            await made.close()
    finally:
        await asyncio.to_thread(_remove, home)
