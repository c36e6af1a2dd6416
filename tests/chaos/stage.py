"""Everything a run needs, put up and taken down: database, provider, processes, customers."""

import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec

from connectors.sandbox.state import Options as SandboxOptions
from tests.chaos.customers import Town, move_in
from tests.chaos.databases import Postgres, Sqlite, StoreKind, database
from tests.chaos.faults import Faults, Mix
from tests.chaos.fleet import Fleet
from tests.chaos.processes import Nursery
from tests.chaos.provider import Provider


class Size(msgspec.Struct, frozen=True, kw_only=True):
    """How many processes there are, and on what."""

    store: StoreKind
    servers: int = 2
    workers: int = 2
    customers: int = 8
    durable: bool = False
    """Whether PostgreSQL waits for the disk. Killing processes cannot tell; it costs what it costs."""


class Stage(msgspec.Struct, frozen=True, kw_only=True):
    """What was put up."""

    folder: Path
    database: Sqlite | Postgres
    provider: Provider
    fleet: Fleet
    town: Town


@asynccontextmanager
async def stage(
    size: Size,
    *,
    mix: Mix,
    seed: int,
    preloaded: dict[str, str] | None = None,
    folder: Path | None = None,
    files: Path | None = None,
) -> AsyncIterator[Stage]:
    """Put everything up; nothing of it is left when the context ends. SQLite has one process, whatever was asked.

    ``folder`` is where processes work and log, ``files`` where SQLite keeps its own.
    """
    alone = size.store == "sqlite"
    provider = Provider(Faults(mix, seed=seed), options=SandboxOptions())
    with tempfile.TemporaryDirectory(prefix="isthmus-chaos-") as scratch:
        home = folder or Path(scratch)
        async with (
            Nursery(preloaded=preloaded) as nursery,
            database(size.store, files or home, durable=size.durable) as base,
            provider.served() as origin,
        ):
            fleet = Fleet(
                nursery,
                base,
                home,
                provider_origin=origin,
                servers=1 if alone else size.servers,
                workers=0 if alone else size.workers,
            )
            project = await fleet.init("chaos")
            await fleet.start()
            try:
                names = [f"customer-{number}" for number in range(1, size.customers + 1)]
                town = await move_in(provider, project, await fleet.some_origin(0), customers=names)
                yield Stage(folder=home, database=base, provider=provider, fleet=fleet, town=town)
            finally:
                await fleet.kill()
