"""Whole houses for benchmarks: `isthmus serve` (and workers) as processes, with customers who have installed."""

import json
import os
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from pathlib import Path

import asyncpg
import msgspec

from connectors.sandbox.access import DEMO_KEY
from headless.client import Client
from server.store.vault import new_master_key
from tests import postgres
from tests.benchmarks.loads import cpu_seconds
from tests.benchmarks.providers import Provider
from tests.benchmarks.writes import ROOT, answers, free_port

MANIFEST = """
specVersion: 1.0.0
integrations:
  - name: bench
    provider: {provider}
    write:
      objects:
        - {{objectName: contacts}}
"""


class House(msgspec.Struct, kw_only=True):
    """What runs, and what it did."""

    port: int
    api_key: str
    pids: list[int]
    folder: Path
    database_url: str

    def cpu_seconds(self) -> float:
        """What all processes have used."""
        return sum(map(cpu_seconds, self.pids))

    def server_cpu_seconds(self) -> float:
        """What the server has used; on SQLite its worker is in the same process."""
        return cpu_seconds(self.pids[0])

    def memory_megabytes(self) -> float:
        """Resident memory of the largest."""
        return max(_resident(pid) for pid in self.pids)

    async def succeeded(self) -> int:
        """Count operations that have succeeded, straight in the database: the API has no need to count."""
        asked = "SELECT count(*) FROM operations WHERE state = 'success'"
        if self.database_url.startswith("sqlite"):
            path = self.database_url.removeprefix("sqlite:///")
            with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as connection:
                return int(connection.execute(asked).fetchone()[0])
        database = await asyncpg.connect(self.database_url)
        try:
            return int(await database.fetchval(asked))
        finally:
            await database.close()


def _resident(pid: int) -> float:
    for line in Path(f"/proc/{pid}/status").read_text("ascii").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise LookupError(pid)


@asynccontextmanager
async def opened(
    kind: str, provider: Provider, *, name: str, groups: int = 1, workers: int = 1
) -> AsyncIterator[House]:
    """Run a server, on PostgreSQL with workers of their own, and move customers ``g0``, ``g1``, ... in."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=ROOT)))
        url = f"sqlite:///{folder}/bench.db"
        if kind == "postgres":
            url = f"{stack.enter_context(postgres.server(durable=True))}/bench"
            postgres.run_sql(f"{url.rpartition('/')[0]}/postgres", "CREATE DATABASE bench")
        environment = {
            **os.environ,
            "ISTHMUS_DATABASE_URL": url,
            "ISTHMUS_MASTER_KEYS": new_master_key(),
            "ISTHMUS_PROVIDER_URLS": json.dumps({name: provider.url}),
            "ISTHMUS_ALLOWED_NETWORKS": "127.0.0.1/32",
        }
        isthmus = str(Path(sys.executable).with_name("isthmus"))
        made = subprocess.run(  # noqa: ASYNC221, S603 -- once, before anything is measured
            [isthmus, "init", "--project", "bench", "--json"],
            env=environment,
            cwd=ROOT,
            stdout=subprocess.PIPE,
            check=True,
        )
        api_key, port = json.loads(made.stdout)["apiKey"], free_port()
        serve = [isthmus, "serve", "--port", str(port), *(["--without-worker"] if kind == "postgres" else [])]
        commands = [serve, *([[isthmus, "worker"]] * workers if kind == "postgres" else [])]
        pids = [stack.enter_context(_process(command, environment)) for command in commands]
        await answers(f"http://127.0.0.1:{port}/healthz")
        await _move_in(f"http://127.0.0.1:{port}", api_key, name=name, groups=groups)
        yield House(port=port, api_key=api_key, pids=pids, folder=folder, database_url=url)


@contextmanager
def _process(command: list[str], environment: dict[str, str]) -> Iterator[int]:
    with subprocess.Popen(  # noqa: S603 -- our own command lines
        command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as running:
        try:
            yield running.pid
        finally:
            running.terminate()


async def _move_in(url: str, api_key: str, *, name: str, groups: int) -> None:
    async with Client(url, api_key=api_key, project="bench") as client:
        await client.deploy(MANIFEST.format(provider=name))
        for number in range(groups):
            group = f"g{number}"
            connection = await client.connect(name, group_ref=group, consumer_ref="c", api_key=DEMO_KEY)
            content = {"provider": name, "write": {"objects": {"contacts": {"objectName": "contacts"}}}}
            await client.install("bench", group_ref=group, content=content, connection_id=connection["id"])
