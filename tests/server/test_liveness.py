"""What every process does besides its work, over the memory store."""

import asyncio
from collections.abc import Coroutine, Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest

from installations.installation import Project
from server.changes import Changes, follow
from server.delivering.beat import Beat
from server.liveness import stay_alive
from server.store.contract import Missing, Unavailable, Upload
from server.store.memory import MemoryStore
from tests.server.house import START


class Watched(MemoryStore):
    """A store that says when it was swept; at first it is away."""

    def __init__(self) -> None:
        super().__init__()
        self.swept = asyncio.Event()
        self.away = True

    async def sweep(self, *, now: datetime) -> None:
        """Forget, and say so."""
        await super().sweep(now=now)
        self.swept.set()

    async def living(self, *, within_seconds: float) -> list[str]:
        """Be away once."""
        if self.away:
            self.away = False
            raise Unavailable("away")
        return await super().living(within_seconds=within_seconds)


class Troubled(MemoryStore):
    """A store whose housekeeping hangs, and whose answers nobody foresaw."""

    def __init__(self) -> None:
        super().__init__()
        self.beats = 0
        self.asked = 0
        self.enough = asyncio.Event()

    async def beat(self, owner: str, *, kind: str) -> None:
        """Fail once, and count."""
        self.beats += 1
        if self.beats == 2:
            raise RuntimeError("nobody foresaw this")
        await super().beat(owner, kind=kind)
        if self.beats == 4:
            self.enough.set()

    async def sweep(self, *, now: datetime) -> None:
        """Take for ever."""
        assert now
        await asyncio.Event().wait()

    async def epoch(self) -> int:
        """Fail once."""
        self.asked += 1
        if self.asked == 1:
            raise RuntimeError("nor this")
        self.enough.set()
        return 1


async def nothing_left(*, living: Sequence[str]) -> int:
    """Find no operations of dead processes."""
    assert living
    return 0


def alive_with(store: MemoryStore, beat: Beat) -> Coroutine[Any, Any, None]:
    return stay_alive(
        store, owner="p1", kind="server", clock=lambda: START, beat=beat, recover=nothing_left, beat_seconds=0
    )


async def test_a_process_says_that_it_lives_whatever_else_it_is_at() -> None:
    store = Troubled()
    alive = asyncio.create_task(alive_with(store, Beat()))
    await asyncio.wait_for(store.enough.wait(), 60)
    alive.cancel()
    await asyncio.gather(alive, return_exceptions=True)


async def test_changes_are_followed_although_the_answer_was_an_error_nobody_foresaw() -> None:
    store, changes, heard = Troubled(), Changes(), list[int]()
    changes.subscribe(lambda: heard.append(store.asked))
    following = asyncio.create_task(follow(changes, store=store))
    await asyncio.wait_for(store.enough.wait(), 60)
    following.cancel()
    await asyncio.gather(following, return_exceptions=True)
    assert heard == [2]


async def test_what_has_expired_is_forgotten_at_the_start_even_if_the_database_is_away_then() -> None:
    store = Watched()
    await store.create_project(Project(id="p", name="p", app_name="P", org_id="o", create_time=START))
    for name, expires in (("old", START - timedelta(seconds=1)), ("new", START + timedelta(hours=1))):
        await store.create_upload(Upload(id=name, project_id="p", md5="", expire_time=expires))
    alive = asyncio.create_task(alive_with(store, Beat()))
    await asyncio.wait_for(store.swept.wait(), 60)
    alive.cancel()
    await asyncio.gather(alive, return_exceptions=True)
    assert (await store.upload("new", now=START)).id == "new"
    with pytest.raises(Missing):
        await store.upload("old", now=START)
    assert await store.living(within_seconds=60) == ["p1"]
