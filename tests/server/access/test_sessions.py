"""Who signs session tokens, in one process and in several; how little the store is asked, and what failures leave."""

import asyncio

import pytest

from installations.installation import JwtKey, Project
from server.access.sessions import Issued, Sessions
from server.access.signing import BadSigner, Pair, new_pair
from server.access.tokens import key_id_of, signer_of, verify
from server.clock import new_id
from server.store.contract import Missing, SessionKey, Unavailable
from server.store.memory import MemoryStore
from tests.server.access.test_tokens import Time
from tests.server.house import START

PAIR = new_pair()
OTHER = new_pair()


class Counting(MemoryStore):
    """A store that counts how often it is asked for a key, and may be away."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = 0
        self.away = False

    async def session_key(self, project_id: str) -> SessionKey | None:
        self.asked += 1
        if self.away:
            raise Unavailable("gone")
        await asyncio.sleep(0)
        return await super().session_key(project_id)

    async def keep_session_key(self, key: JwtKey, *, private_key: bytes) -> SessionKey:
        await asyncio.sleep(0)
        return await super().keep_session_key(key, private_key=private_key)


@pytest.fixture
async def store() -> Counting:
    made = Counting()
    await made.create_project(Project(id="p1", name="acme", app_name="Acme", org_id="o", create_time=START))
    return made


def opened(store: Counting, time: Time, *, pair: Pair = PAIR) -> Sessions:
    return Sessions(store, clock=time, new_id=new_id, make_pair=lambda: pair, monotonic=time.monotonic)


async def issued(sessions: Sessions, *, consumer_ref: str = "c1", seconds: int = 600) -> Issued:
    return await sessions.issue("p1", group_ref="g1", consumer_ref=consumer_ref, seconds=seconds)


async def test_a_token_is_what_the_registered_key_verifies(store: Counting) -> None:
    time = Time()
    made = await issued(opened(store, time))
    (key,) = await store.jwt_keys("p1")
    person = verify(made.token.reveal(), signer_of(key, audiences=set()), now=int(START.timestamp()))
    assert (person.group_ref, person.consumer_ref) == ("g1", "c1")
    assert person.expire_seconds == made.expire_time.timestamp() == START.timestamp() + 600
    assert made.token.reveal() not in repr(made)


async def test_the_store_is_asked_once_a_second_and_after_a_change(store: Counting) -> None:
    time = Time()
    sessions = opened(store, time)
    for _ in range(5):
        await issued(sessions)
    before = store.asked
    time.pass_by(0.9)
    await issued(sessions)
    assert store.asked == before
    time.pass_by(0.2)
    await issued(sessions)
    assert store.asked == before + 1
    sessions.forget()
    await issued(sessions)
    assert store.asked == before + 2


async def test_two_processes_that_need_the_first_key_at_once_sign_with_one(store: Counting) -> None:
    time = Time()
    here, there = opened(store, time), opened(store, time, pair=OTHER)
    tokens = await asyncio.gather(*(issued(each, consumer_ref=f"c{n}") for n in range(4) for each in (here, there)))
    (key,) = await store.jwt_keys("p1")
    assert {key_id_of(one.token.reveal()) for one in tokens} == {key.id}
    for one in tokens:
        verify(one.token.reveal(), signer_of(key, audiences=set()), now=int(START.timestamp()))


async def test_whoever_leaves_while_the_key_is_drawn_takes_it_from_nobody(store: Counting) -> None:
    sessions = opened(store, Time())
    leaving = asyncio.create_task(issued(sessions))
    await asyncio.sleep(0)
    leaving.cancel()
    made = await issued(sessions)
    assert [key.id for key in await store.jwt_keys("p1")] == [key_id_of(made.token.reveal())]


async def test_a_failure_is_told_and_not_remembered(store: Counting) -> None:
    sessions = opened(store, Time())
    store.away = True
    with pytest.raises(Unavailable):
        await issued(sessions)
    store.away = False
    assert (await issued(sessions)).token


async def test_a_project_that_is_not_there_has_no_tokens(store: Counting) -> None:
    with pytest.raises(Missing):
        await opened(store, Time()).issue("nobody", group_ref="g1", consumer_ref="c1", seconds=60)


@pytest.mark.parametrize("seconds", [0, -1, 601])
async def test_a_life_that_would_not_be_let_in_is_not_signed(store: Counting, seconds: int) -> None:
    with pytest.raises(BadSigner):
        await issued(opened(store, Time()), seconds=seconds)


def test_every_pair_is_another_one() -> None:
    assert PAIR.public_pem != OTHER.public_pem
    assert repr(PAIR) == "Pair(***)"
