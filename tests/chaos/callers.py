"""The callers of a run: they hand operations in, and hand them in again with the same key until somebody answers."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

import aiohttp
import msgspec

from tests.chaos.customers import Town
from tests.chaos.fleet import Fleet
from tests.chaos.judge import Asked
from tests.chaos.stillness import Accepted
from tests.chaos.workload import Ask

CALLERS = 12
PATIENCE_SECONDS = 120.0
"""How long one operation is handed in again before its caller gives up."""
AGAIN_SECONDS = 0.05
TIMEOUT = aiohttp.ClientTimeout(total=45, connect=5)
AGAIN = frozenset(
    {
        HTTPStatus.SERVICE_UNAVAILABLE,
        HTTPStatus.INSUFFICIENT_STORAGE,
        HTTPStatus.CONFLICT,
        HTTPStatus.TOO_MANY_REQUESTS,
    }
)
"""Answers after which the same request is made again: not now, no room, a key in use, a provider that waits."""


class Strange(msgspec.Struct, frozen=True, kw_only=True):
    """An answer that no caller of a run may get."""

    tag: str
    status: int
    body: str


class Callers:
    """Hands a workload in. What was accepted is kept in the order of acceptance."""

    def __init__(self, fleet: Fleet, town: Town, *, may_go_on: Callable[[int], bool], keep_alive: bool = True) -> None:
        self._fleet = fleet
        self._town = town
        self._keep_alive = keep_alive
        self._may_go_on = may_go_on
        """Asked with the number of operations that were accepted to be done later; callers wait while it says no."""
        self.asked: list[Asked] = []
        self.later: list[Accepted] = []
        """The accepted operations that go out later, in the order of acceptance."""
        self.strange: list[Strange] = []
        self.tries = 0
        self.statuses: Counter[int] = Counter()
        """Of every answer; 0 is for none."""
        self.cuts: dict[str, datetime] = {}
        """When an operation's last request that got no answer was seen to be cut, by tag."""
        self.seconds: list[float] = []
        """How long accepts took that were answered at once."""
        self._turns: dict[str, asyncio.Lock] = {}
        self._accepted = asyncio.Condition()

    @property
    def cut(self) -> int:
        """Count the requests without an answer."""
        return self.statuses[0]

    @property
    def refused(self) -> int:
        """Count the requests that were put off: not now, or no room."""
        return self.statuses[HTTPStatus.SERVICE_UNAVAILABLE] + self.statuses[HTTPStatus.INSUFFICIENT_STORAGE]

    async def hand_in(self, asks: Iterable[Ask], *, callers: int = CALLERS) -> None:
        """Hand everything in. Changes of one record go one after the other, so that their order is known."""
        waiting = iter(asks)
        async with (
            self._session() as http,
            asyncio.TaskGroup() as tasks,
        ):
            for _ in range(callers):
                tasks.create_task(self._call(http, waiting))

    def _session(self) -> aiohttp.ClientSession:
        return aiohttp.ClientSession(
            timeout=TIMEOUT,
            headers={"X-Api-Key": self._town.api_key},
            connector=aiohttp.TCPConnector(force_close=not self._keep_alive, limit=0),
        )

    async def accepted(self, count: int) -> None:
        """Wait until so many operations have been answered."""
        async with self._accepted:
            await self._accepted.wait_for(lambda: len(self.asked) >= count)

    async def _call(self, http: aiohttp.ClientSession, waiting: Iterator[Ask]) -> None:
        for ask in waiting:
            turn = self._turns.setdefault(ask.record, asyncio.Lock()) if ask.record else asyncio.Lock()
            # Locks are fair, and operations are taken in order: so is each record's.
            async with turn:
                while not self._may_go_on(len(self.later)):  # noqa: ASYNC110 -- nobody else knows
                    await asyncio.sleep(AGAIN_SECONDS)  # the provider has to come nearer first
                asked = await self._until_answered(http, ask)
                async with self._accepted:
                    self.asked.append(asked)
                    if not ask.synchronous:
                        self.later.append(Accepted(ask=ask, at=time.monotonic()))
                    self._accepted.notify_all()

    async def _until_answered(self, http: aiohttp.ClientSession, ask: Ask) -> Asked:
        started = time.monotonic()
        while time.monotonic() - started < PATIENCE_SECONDS:
            self.tries += 1
            began = time.monotonic()
            try:
                status, body = await self._try(http, ask)
            except (aiohttp.ClientError, TimeoutError, OSError):
                self.statuses[0] += 1
                self.cuts[ask.tag] = datetime.now(UTC)
                await asyncio.sleep(AGAIN_SECONDS)
                continue
            self.statuses[status] += 1
            if status not in AGAIN:
                self.seconds.append(time.monotonic() - began)
                return self._answered(ask, status, body)
            await asyncio.sleep(AGAIN_SECONDS)
        return Asked(ask=ask, status=0)

    async def _try(self, http: aiohttp.ClientSession, ask: Ask) -> tuple[int, bytes]:
        origin = await self._fleet.some_origin(self.tries)
        url = f"{origin}/v1/projects/{self._town.project}/integrations/crm/objects/{ask.object_name}"
        headers = {"Idempotency-Key": ask.tag, "Content-Type": "application/json"}
        async with http.post(url, data=msgspec.json.encode(ask.body), headers=headers) as response:
            return response.status, await response.read()

    def _answered(self, ask: Ask, status: int, body: bytes) -> Asked:
        told = _object(body)
        expected = status in {200, 202} or (ask.synchronous and status == HTTPStatus.UNPROCESSABLE_ENTITY)
        if not expected or "operationId" not in told:
            self.strange.append(Strange(tag=ask.tag, status=status, body=body.decode("utf-8", "replace")[:500]))
        return Asked(ask=ask, status=status, operation_id=told.get("operationId", ""))


def _object(body: bytes) -> dict[str, Any]:
    try:
        return msgspec.json.decode(body, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError):
        return {}
