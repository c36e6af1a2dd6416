"""Descriptions of accounts: asked once, believed for a while, and never for another connection."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import pytest

from connectors.errors import Refused
from installations.errors import InvalidInput
from installations.installation import Connection, MetadataValue
from installations.schema import Absent, ObjectMetadata
from server.schemas import (
    AT_ONCE,
    FAILED_SECONDS,
    FRESH_SECONDS,
    LONGEST_FAILED_SECONDS,
    MOST_BYTES,
    REFRESHES,
    Schemas,
)
from tests.accounts import Account, serve_account
from tests.server.house import House, open_house


class Rig(msgspec.Struct, kw_only=True):
    """Schemas over an account, and a clock that a test moves."""

    house: House
    account: Account
    schemas: Schemas
    connection: Connection
    now: list[float]

    async def ask(self, *names: str, **rest: Any) -> dict[str, ObjectMetadata | str]:
        return await self.schemas.described(self.connection, names or ("object_1",), **rest)

    async def again(self) -> None:
        """Read the connection as a request does."""
        store = self.house.services.store
        self.connection = await store.connection(self.connection.project_id, self.connection.id)


@asynccontextmanager
async def opened(**size: Any) -> AsyncIterator[Rig]:
    async with (
        serve_account(**size) as account,
        open_house(connectors=[account.connector], provider_urls=account.urls) as house,
    ):
        made = await house.connect(provider=account.provider, apiKey=account.key)
        services, now = house.services, [0.0]
        schemas = Schemas(services.accounts, perform=services.perform, monotonic=lambda: now[0])
        connection = await services.store.connection(house.project_id, made["id"])
        yield Rig(house=house, account=account, schemas=schemas, connection=connection, now=now)
        account.gate.set()
        await schemas.close()


@pytest.fixture
async def rig() -> AsyncIterator[Rig]:
    async with opened(objects=12, fields=4) as made:
        yield made


async def test_what_was_described_is_believed_for_a_while(rig: Rig) -> None:
    assert await rig.ask("object_1", "object_2") == {name: rig.account.described[name] for name in NAMES}
    rig.now[0] += FRESH_SECONDS - 1
    await rig.ask("object_2", "object_1")
    assert rig.account.asked == {"object_1": 1, "object_2": 1}
    rig.now[0] += 2
    await rig.ask("object_1")
    assert rig.account.asked == {"object_1": 2, "object_2": 1}


NAMES = ("object_1", "object_2")


async def test_one_that_cannot_be_described_is_a_sentence_and_soon_asked_again(rig: Rig) -> None:
    rig.account.status["object_2"] = 403
    found = await rig.ask("object_1", "object_2", "nothing")
    assert found["object_1"] == rig.account.described["object_1"]
    assert (type(found["object_2"]), "403" in str(found["object_2"])) == (str, True)
    assert found["nothing"] == Absent("The account has no object 'nothing'.")
    assert isinstance(found["nothing"], Absent)
    await rig.ask("object_2")
    assert rig.account.asked["object_2"] == 1
    del rig.account.status["object_2"]
    rig.now[0] += FAILED_SECONDS
    assert (await rig.ask("object_2"))["object_2"] == rig.account.described["object_2"]


async def test_a_provider_that_asks_for_quiet_is_left_alone_but_not_for_ever(rig: Rig) -> None:
    rig.account.status["object_1"], rig.account.retry_after = 429, 3600
    await rig.ask()
    rig.now[0] += FAILED_SECONDS
    await rig.ask()
    assert rig.account.asked["object_1"] == 1
    rig.now[0] += LONGEST_FAILED_SECONDS
    await rig.ask()
    assert rig.account.asked["object_1"] == 2


async def test_many_who_ask_together_ask_once_and_few_questions_are_under_way_at_once(rig: Rig) -> None:
    rig.account.gate.clear()
    names = tuple(rig.account.described)
    asking = [asyncio.create_task(rig.ask(*names)) for _ in range(5)]
    await rig.account.waiting(AT_ONCE)
    rig.account.gate.set()
    answers = await asyncio.gather(*asking)
    assert answers == [rig.account.described] * 5
    assert set(rig.account.asked.values()) == {1}
    assert rig.account.most_at_once == AT_ONCE


async def test_who_waited_may_go_and_the_answer_is_kept(rig: Rig) -> None:
    rig.account.gate.clear()
    gone, stays = asyncio.create_task(rig.ask()), asyncio.create_task(rig.ask())
    await rig.account.waiting(1)
    gone.cancel()
    await asyncio.wait([gone])
    rig.account.gate.set()
    assert (gone.cancelled(), await stays) == (True, {"object_1": rig.account.described["object_1"]})


async def test_patience_has_an_end_and_what_comes_later_is_kept(rig: Rig) -> None:
    rig.account.gate.clear()
    (sentence,) = (await rig.ask(within_seconds=0.01)).values()
    assert sentence == "The provider did not describe it within 0.01 seconds."
    rig.account.gate.set()
    assert (await rig.ask())["object_1"] == rig.account.described["object_1"]
    assert rig.account.asked["object_1"] == 1


async def test_who_joins_late_waits_no_longer_than_the_first(rig: Rig) -> None:
    rig.account.gate.clear()
    assert isinstance((await rig.ask(within_seconds=0.05))["object_1"], str)
    rig.now[0] = 500
    joined = asyncio.create_task(rig.ask(within_seconds=1000))
    assert not (await asyncio.wait([joined], timeout=0.05))[0]
    rig.now[0] = 1000
    async with asyncio.timeout(60):
        assert isinstance((await rig.ask(within_seconds=1000))["object_1"], str)
    rig.account.gate.set()
    assert isinstance((await joined)["object_1"], ObjectMetadata)
    assert rig.account.asked["object_1"] == 1


async def test_asked_anew_the_account_is_looked_at_again_but_not_without_end(rig: Rig) -> None:
    await rig.ask()
    rig.account.described["object_1"] = changed = ObjectMetadata(name="object_1", fields={})
    assert (await rig.ask())["object_1"] != changed
    assert (await rig.ask(refresh=True))["object_1"] == changed
    for _ in range(20):
        await rig.ask(refresh=True)
    assert rig.account.asked["object_1"] == 1 + REFRESHES.burst
    rig.now[0] += REFRESHES.seconds
    await rig.ask(refresh=True)
    assert rig.account.asked["object_1"] == 2 + REFRESHES.burst


async def test_a_connection_that_changed_is_asked_anew(rig: Rig) -> None:
    await rig.ask()
    body = {"updateMask": ["apiKey"], "connection": {"apiKey": rig.account.key}}
    assert (await rig.house.call("PATCH", f"/connections/{rig.connection.id}", json=body)).status_code == 200
    await rig.again()
    await rig.ask()
    assert rig.account.asked["object_1"] == 2


async def test_what_was_asked_for_the_connection_of_before_is_not_believed_of_the_new_one(rig: Rig) -> None:
    before = rig.connection
    rig.account.gate.clear()
    old = asyncio.create_task(rig.ask())
    await rig.account.waiting(1)
    rig.connection = msgspec.structs.replace(before, provider_workspace_ref="another")
    new = asyncio.create_task(rig.ask())
    await rig.account.waiting(2)
    rig.account.gate.set()
    await asyncio.gather(old, new)
    await rig.ask()
    assert rig.account.asked["object_1"] == 2


async def test_connections_and_projects_are_never_mixed(rig: Rig) -> None:
    await rig.ask()
    other = await rig.house.connect("g2", provider=rig.account.provider, apiKey=rig.account.key)
    neighbour = await rig.house.services.store.connection(rig.house.project_id, other["id"])
    rig.account.status[""] = 403
    (sentence,) = (await rig.schemas.described(neighbour, ["object_1"])).values()
    assert isinstance(sentence, str)
    stranger = msgspec.structs.replace(rig.connection, project_id="another")
    with pytest.raises(Exception, match="no connection"):
        await rig.schemas.described(stranger, ["object_1"])
    assert isinstance((await rig.ask())["object_1"], ObjectMetadata)


async def test_refused_credentials_are_a_sentence_and_are_told_to_the_connection(rig: Rig) -> None:
    rig.account.key = "another key"
    (sentence,) = (await rig.ask()).values()
    assert "401" in str(sentence)
    await rig.house.services.tokens.errands.finish(within_seconds=5)
    await rig.again()
    assert rig.connection.status == "bad_credentials"


async def test_one_object_is_described_or_refused_in_the_providers_words(rig: Rig) -> None:
    assert await rig.schemas.describe(rig.connection, "object_1") == rig.account.described["object_1"]
    for _ in range(2):
        with pytest.raises(Refused) as refusal:
            await rig.schemas.describe(rig.connection, "nothing")
        assert refusal.value.fault.kind == "unknown_object"
    assert rig.account.asked["nothing"] == 1


async def test_a_provider_without_descriptions_says_so(rig: Rig) -> None:
    bare = msgspec.structs.replace(rig.connection, provider="gone")
    (sentence,) = (await rig.schemas.described(bare, ["object_1"])).values()
    assert "gone" in str(sentence)
    with pytest.raises(InvalidInput):
        await rig.schemas.describe(bare, "object_1")


async def test_what_is_said_of_a_connection_is_counted_too(rig: Rig) -> None:
    await rig.ask()
    before = rig.schemas.size
    long = {"note": MetadataValue(value="x" * 1_000_000)}
    rig.connection = msgspec.structs.replace(rig.connection, provider_metadata=long)
    await rig.ask()
    assert 1_000_000 < rig.schemas.size - before < 1_001_000


async def test_memory_is_bounded_and_the_least_looked_at_goes_first() -> None:
    async with opened(objects=30, fields=1, choices=0) as rig:
        long = "x" * 1_000_000
        for name in rig.account.described:
            rig.account.described[name] = ObjectMetadata(name=name, display_name=long, fields={})
        for name in rig.account.described:
            await rig.ask(name)
            await rig.ask("object_1")
        assert MOST_BYTES - 1_100_000 < rig.schemas.size <= MOST_BYTES
        assert rig.account.asked["object_1"] == 1
        await rig.ask("object_2")
        assert rig.account.asked["object_2"] == 2
