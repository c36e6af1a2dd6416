import asyncio

import pytest
from msgspec.structs import replace

from server.store.contract import Missing, Store, Superseded
from tests.server.store.samples import NOW, connect_session, later

STARTED = connect_session(1, stage="started", key_digest=b"state", browser_digest=b"cookie", details=b"more")


async def test_a_session_is_found_by_what_opens_it(store: Store) -> None:
    assert await store.connect_session(connect_session().key_digest, now=NOW) == connect_session()
    with pytest.raises(Missing) as unknown:
        await store.connect_session(b"nothing", now=NOW)
    with pytest.raises(Missing) as expired:
        await store.connect_session(connect_session().key_digest, now=later(600))
    assert str(expired.value) == str(unknown.value)


async def test_a_session_moves_on_once(store: Store) -> None:
    await store.advance_connect_session(STARTED, from_stage="made", now=NOW)
    assert await store.connect_session(b"state", now=NOW) == STARTED
    with pytest.raises(Missing):
        await store.connect_session(connect_session().key_digest, now=NOW)
    with pytest.raises(Superseded):
        await store.advance_connect_session(STARTED, from_stage="made", now=NOW)


async def test_of_many_who_come_together_one_moves_it_on(store: Store) -> None:
    async def advance(number: int) -> None:
        moved = replace(STARTED, key_digest=f"state {number}".encode())
        await store.advance_connect_session(moved, from_stage="made", now=NOW)

    outcomes = await asyncio.gather(*map(advance, range(20)), return_exceptions=True)
    assert outcomes.count(None) == 1
    assert sum(isinstance(outcome, Superseded) for outcome in outcomes) == 19


async def test_an_expired_or_unknown_session_does_not_move(store: Store) -> None:
    with pytest.raises(Missing):
        await store.advance_connect_session(STARTED, from_stage="made", now=later(600))
    with pytest.raises(Missing):
        await store.advance_connect_session(replace(STARTED, id="nothing"), from_stage="made", now=NOW)
    assert await store.connect_session(connect_session().key_digest, now=NOW) == connect_session()


async def test_expired_sessions_are_swept_away(store: Store) -> None:
    await store.advance_connect_session(replace(STARTED, expire_time=later(900)), from_stage="made", now=NOW)
    await store.sweep(now=later(600))
    assert (await store.connect_session(b"state", now=NOW)).stage == "started"
    with pytest.raises(Missing):
        await store.connect_session(connect_session(2).key_digest, now=NOW)


async def test_a_session_of_no_project_is_refused(store: Store) -> None:
    with pytest.raises(Missing):
        await store.create_connect_session(connect_session(3))
