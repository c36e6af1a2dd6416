"""The engine for any number of processes on one PostgreSQL: a lane to attend to is a job of PGQueuer.

Jobs are hints, and the rows of lanes are the truth: a job may be forgotten (by a crash of PostgreSQL, for one), come
twice or late. That is why nothing here is durable or clever. The engine has a connection of its own, made anew as
often as it breaks; what is being attended to goes on meanwhile.
"""

import asyncio
import contextlib
import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import asyncpg
from pgqueuer.adapters.drivers.asyncpg import AsyncpgDriver
from pgqueuer.adapters.persistence.qb import QueryBuilderEnvironment, QueryQueueBuilder, QuerySchedulerBuilder
from pgqueuer.adapters.persistence.queries import Queries
from pgqueuer.core.qm import QueueManager
from pgqueuer.domain.models import Job
from pgqueuer.domain.settings import DBSettings, Durability
from pgqueuer.domain.types import Channel

from server import logs
from server.clock import Clock
from server.engine.attending import Attending
from server.engine.port import Attend

LANE = "lane"
"""The one kind of job."""
LANES_AT_ONCE = 512
"""How many lanes a process attends to at once. A lane that waits for its provider is in nobody's way."""
BATCH = 20
"""How many jobs are picked at once."""
POLL = timedelta(seconds=1)
"""How long a job whose notification was lost waits."""
STALE_AFTER = timedelta(seconds=10)
"""When the job of a process that says no more is given to another one."""
HORIZON_SECONDS = 60.0
"""What is due later is left to the lanes' rows: PGQueuer looks through all jobs that are not due, each time."""
CONNECT_SECONDS = 10.0
COMMAND_SECONDS = 15.0
AGAIN_SECONDS = 0.5
"""The pause before the next try to connect."""
REMEMBERED = 10_000
"""How many lanes are kept while there is no connection; whatever is forgotten is found by the sweep."""
CONNECTION_SETTINGS = {
    "application_name": "isthmus-engine",
    "statement_timeout": "10s",
    "lock_timeout": "5s",
    # A hint need not wait for the disk.
    "synchronous_commit": "off",
}

SETTINGS = DBSettings(
    prefix="isthmus_",
    db_schema=None,
    channel=Channel("isthmus_ch_pgqueuer"),
    function="isthmus_fn_pgqueuer_changed",
    statistics_table="isthmus_pgqueuer_statistics",
    queue_status_type="isthmus_pgqueuer_status",
    queue_table="isthmus_pgqueuer",
    queue_table_log="isthmus_pgqueuer_log",
    trigger="isthmus_tg_pgqueuer_changed",
    schedules_table="isthmus_pgqueuer_schedules",
    durability=Durability.volatile,
    widen_id=False,
)
"""All of it, because PGQueuer takes the rest from the environment (``PGQUEUER_CHANNEL``, and even ``CHANNEL``)."""

FORGET = f"DELETE FROM {SETTINGS.queue_table} WHERE entrypoint = '{LANE}' AND status = 'queued' AND payload = $1"  # noqa: S608 -- a constant


async def announce(connection: Any, lane_ids: Sequence[str]) -> None:
    """Submit lanes inside the transaction that is open on an asyncpg connection: both are committed, or neither."""
    # In one order, so that two transactions never wait for each other's keys in a circle.
    await _enqueue(queries_on(AsyncpgDriver(connection)), dict.fromkeys(sorted(set(lane_ids)), 0.0))


def queries_on(driver: AsyncpgDriver) -> Queries:
    """Bind PGQueuer's statements, for our tables, to a connection."""
    return Queries(
        driver,
        qbe=QueryBuilderEnvironment(SETTINGS),
        qbq=QueryQueueBuilder(SETTINGS),
        qbs=QuerySchedulerBuilder(SETTINGS),
    )


async def _enqueue(queries: Queries, after_seconds: dict[str, float]) -> None:
    """Add a job for each lane that has none like it.

    One that is due later has another key than one that is due now, lest it stand in the way of that one.
    """
    count = len(after_seconds)
    await queries.enqueue(
        [LANE] * count,
        [lane_id.encode() for lane_id in after_seconds],
        [0] * count,
        [timedelta(seconds=seconds) if seconds > 0 else None for seconds in after_seconds.values()],
        [f"{lane_id} later" if seconds > 0 else lane_id for lane_id, seconds in after_seconds.items()],
        on_conflict="skip",
    )


class _Driver(AsyncpgDriver):
    """One connection, which says so when it fails: whoever waits beside it need not."""

    def __init__(self, connection: Any) -> None:
        super().__init__(connection)
        self.broken = asyncio.Event()
        connection.add_termination_listener(lambda _: self.broken.set())

    async def fetch(self, query: str, *args: object) -> list[dict[str, object]]:
        """Run a statement and answer its rows."""
        try:
            return await super().fetch(query, *args)
        except Exception:
            self.broken.set()
            raise

    async def execute(self, query: str, *args: object) -> str:
        """Run a statement."""
        try:
            return await super().execute(query, *args)
        except Exception:
            self.broken.set()
            raise


class PgqueuerEngine:
    """Implements `port.Engine`."""

    def __init__(
        self, url: str, *, clock: Clock, at_once: int = LANES_AT_ONCE, stale_after: timedelta = STALE_AFTER
    ) -> None:
        self._url = url
        self._clock = clock
        self._batch = max(1, min(BATCH, at_once // 2))
        self._at_once = max(at_once, 2)
        self._stale_after = stale_after
        self._submitted: dict[str, datetime | None] = {}
        self._something = asyncio.Event()
        self._attending = Attending(at_once)
        self._driver: _Driver | None = None
        self._manager: QueueManager | None = None
        self._closing = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()

    async def submit(self, lane_id: str, *, not_before: datetime | None = None) -> None:
        """Have a lane attended to by some process. Twice is once, as long as it has not begun. Raises nothing."""
        if not_before is not None and (not_before - self._clock()).total_seconds() > HORIZON_SECONDS:
            return
        if lane_id in self._submitted:
            not_before = _earlier(not_before, self._submitted[lane_id])
        elif len(self._submitted) >= REMEMBERED:
            return
        self._submitted[lane_id] = not_before
        self._something.set()

    async def cancel(self, lane_id: str) -> None:
        """Forget a lane that was submitted and has not begun."""
        self._submitted.pop(lane_id, None)
        if self._driver is None:
            return
        try:
            await self._driver.execute(FORGET, lane_id.encode())
        except Exception as error:  # noqa: BLE001 -- the rim: it would be attended to in vain, and that is all
            logs.failed("engine.cancel_failed", error, lane=lane_id)

    async def run(self, attend: Attend) -> None:
        """Attend to lanes until cancelled, or until `close`. A database that is away is tried again."""
        # It would warn five times of each connection that broke, which is told once below.
        logging.getLogger("pgqueuer").setLevel(logging.ERROR)
        self._idle.clear()
        try:
            await self._run(attend)
            await self._attending.finished()
        finally:
            await self._attending.cancel()
            self._idle.set()

    async def close(self) -> None:
        """Begin nothing more, and return when what has begun is done."""
        self._closing.set()
        self._attending.ending = True
        if self._manager is not None:
            self._manager.shutdown.set()
        await self._idle.wait()

    async def _run(self, attend: Attend) -> None:
        troubled = False
        while not self._closing.is_set():
            try:
                await self._connected(attend)
            except Exception as error:  # noqa: BLE001 -- the rim: nothing that breaks the queue ends the process
                if not troubled:
                    logs.failed("engine.disconnected", error)
                troubled = True
            else:
                troubled = False
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._closing.wait(), AGAIN_SECONDS)

    async def _connected(self, attend: Attend) -> None:
        connection = await asyncpg.connect(
            self._url,
            timeout=CONNECT_SECONDS,
            command_timeout=COMMAND_SECONDS,
            server_settings=CONNECTION_SETTINGS,
            target_session_attrs="read-write",
        )
        driver = _Driver(connection)
        try:
            await self._manage(driver, attend)
        finally:
            self._driver = self._manager = None
            connection.terminate()

    async def _manage(self, driver: _Driver, attend: Attend) -> None:
        """Have jobs picked and done until the connection breaks, or `close`."""
        queries = queries_on(driver)
        manager = QueueManager(queries, channel=SETTINGS.channel)

        @manager.entrypoint(LANE)
        async def lane(job: Job) -> None:
            await self._attending.to((job.payload or b"").decode(), attend, unless=driver.broken)

        self._driver, self._manager = driver, manager
        if self._closing.is_set():
            return
        managing = asyncio.create_task(
            manager.run(
                dequeue_timeout=POLL,
                batch_size=self._batch,
                max_concurrent_tasks=self._at_once,
                heartbeat_timeout=self._stale_after,
                log_aggregation_interval=timedelta(0),
            )
        )
        writing = asyncio.create_task(self._write(queries))
        breaking = asyncio.create_task(driver.broken.wait())
        try:
            await asyncio.wait({managing, breaking}, return_when=asyncio.FIRST_COMPLETED)
            if breaking.done():
                raise ConnectionResetError("the connection to the queue broke")
            managing.result()
        finally:
            writing.cancel()
            # Whoever waits for lanes here lets go of them: they go on, and are cancelled elsewhere if need be.
            driver.broken.set()
            manager.shutdown.set()
            await asyncio.gather(managing, writing, breaking, return_exceptions=True)

    async def _write(self, queries: Queries) -> None:
        """Put down what is submitted, together with what came meanwhile."""
        while True:
            await self._something.wait()
            self._something.clear()
            taken, self._submitted = self._submitted, {}
            now = self._clock()
            seconds = {
                lane_id: 0.0 if at is None else max(0.0, (at - now).total_seconds())
                for lane_id, at in sorted(taken.items())
            }
            try:
                await _enqueue(queries, seconds)
            except BaseException as error:
                self._submitted = taken | self._submitted
                self._something.set()
                if not isinstance(error, Exception):
                    raise
                await asyncio.sleep(AGAIN_SECONDS)


def _earlier(one: datetime | None, other: datetime | None) -> datetime | None:
    return None if one is None or other is None else min(one, other)
