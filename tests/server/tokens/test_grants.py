"""Tokens that no browser is needed for: the first one, the next one, and what happens when they are refused."""

import asyncio
from typing import Any

import pytest
from aiohttp import web
from msgspec import UNSET
from msgspec.structs import replace

from connectors.credentials import Credentials
from connectors.errors import ConnectorError, NotSent
from connectors.secret import Secret
from installations.installation import MetadataValue
from tests.server.tokens.rig import CLIENT, CUSTOM, PASSWORD, Rig, errors_of, kinds

WRONG = Secret("wrong")
WITHOUT_BROWSER: list[tuple[str, Credentials, Credentials, float]] = [
    ("client", CLIENT, replace(CLIENT, client_secret=WRONG), 3600.0),
    ("password", PASSWORD, replace(PASSWORD, password=WRONG), 3600.0),
    ("custom", CUSTOM, replace(CUSTOM, values={**CUSTOM.values, "password": WRONG}), 600.0),
]
EACH = pytest.mark.parametrize(
    ("provider", "good", "bad", "life"), WITHOUT_BROWSER, ids=[row[0] for row in WITHOUT_BROWSER]
)


def asked(rig: Rig) -> int:
    return len(rig.server.asked) + len(rig.server.logins)


@EACH
async def test_the_first_request_gets_the_first_token(
    rig: Rig, provider: str, good: Credentials, bad: Credentials, life: float
) -> None:
    del bad, life
    connection, process = await rig.connect(provider, good, provider_app_id=UNSET), rig.process()
    tokens = set(await asyncio.gather(*(process.call(connection) for _ in range(10))))
    assert (len(tokens), asked(rig)) == (1, 1)
    assert (await rig.stored()).token.access_token == Secret(tokens.pop())
    assert rig.server.refused.total() == 0


@EACH
async def test_the_next_token_is_had_when_the_first_is_old_over_or_refused(
    rig: Rig, provider: str, good: Credentials, bad: Credentials, life: float
) -> None:
    del bad
    connection, process = await rig.connect(provider, good, provider_app_id=UNSET), rig.process()
    first = await process.call(connection)

    rig.clock.tick(0.8 * life)
    assert await process.call(connection) == first
    await process.settled()
    second = await process.call(connection)

    rig.clock.tick(life)
    third = await process.call(connection)

    rig.server.expire()
    fourth = await process.call(connection)

    assert len({first, second, third, fourth}) == 4
    assert (asked(rig), rig.server.refused.total(), await rig.status()) == (4, 1, "working")


@EACH
async def test_refused_credentials_break_the_connection_and_are_told_once(
    rig: Rig, provider: str, good: Credentials, bad: Credentials, life: float
) -> None:
    del good, life
    connection, process = await rig.connect(provider, bad, provider_app_id=UNSET), rig.process()
    errors = await asyncio.gather(*(process.attempt(connection) for _ in range(10)))
    assert {type(error) for error in errors} == {NotSent}
    assert {error.fault.kind for error in errors if isinstance(error, ConnectorError)} == {"auth"}
    assert (asked(rig), await rig.status()) == (1, "bad_credentials")
    (event,) = await rig.events()
    assert (event.type, "does not accept" in errors_of(event)[0] or "no longer" in errors_of(event)[0]) == (
        "connection.error",
        True,
    )
    assert b'wrong"' not in event.data


@EACH
async def test_new_credentials_heal_it(
    rig: Rig, provider: str, good: Credentials, bad: Credentials, life: float
) -> None:
    del life
    connection, process = await rig.connect(provider, bad, provider_app_id=UNSET), rig.process()
    await process.attempt(connection)
    await rig.reconnect(connection, good)
    assert isinstance(await process.call(connection), str)
    assert await rig.status() == "working"


async def test_a_token_endpoint_that_fails_breaks_nothing(rig: Rig) -> None:
    connection, process = await rig.connect("client", CLIENT, provider_app_id=UNSET), rig.process()
    rig.server.instead = [web.Response(status=503)]
    error = await process.attempt(connection)
    assert isinstance(error, NotSent)
    assert (error.fault.kind, await rig.status()) == ("not_sent", "working")
    rig.clock.tick(2)
    assert isinstance(await process.call(connection), str)


async def test_facts_of_the_account_fill_a_custom_request_too(rig: Rig) -> None:
    credentials = replace(CUSTOM, values={"password": CUSTOM.values["password"]})
    metadata = {"tenant": MetadataValue(value="acme")}
    connection = await rig.connect("custom", credentials, provider_app_id=UNSET, provider_metadata=metadata)
    await rig.process().call(connection)
    assert rig.server.logins == [{"tenant": "acme", "pass": "right-password"}]


async def test_what_is_missing_for_a_custom_request_is_named_and_breaks_nothing(rig: Rig) -> None:
    credentials = replace(CUSTOM, values={"tenant": Secret("acme")})
    connection, process = await rig.connect("custom", credentials, provider_app_id=UNSET), rig.process()
    error = await process.attempt(connection)
    assert isinstance(error, NotSent)
    assert "no value is known for password" in error.fault.message
    assert (rig.server.logins, await rig.status()) == ([], "working")


LEARNT: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("nothing", {}, {}),
    ("a workspace", {"workspace": "w1"}, {"ref": "w1", "workspace": "w1"}),
    ("a person", {"user": "jo@acme"}, {"person": "jo@acme"}),
    ("a fact", {"site": {"name": "eu"}}, {"site": "eu"}),
]


@pytest.mark.parametrize(("case", "told", "learnt"), LEARNT, ids=[row[0] for row in LEARNT])
async def test_what_a_renewal_tells_of_the_account_is_kept(
    rig: Rig, case: str, told: dict[str, Any], learnt: dict[str, Any]
) -> None:
    del case
    connection, process = await rig.connect(), rig.process()
    rig.server.says |= told
    rig.server.expire()
    await process.call(connection)
    now = await rig.store.connection("p1", "c1")
    assert known(now) == learnt
    assert kinds(await rig.events()) == (["connection.updated"] if learnt else [])


def known(connection: Any) -> dict[str, Any]:
    facts = {name: entry.value for name, entry in (connection.provider_metadata or {}).items()}
    named = {"ref": connection.provider_workspace_ref, "person": connection.provider_consumer_ref}
    return {**{name: value for name, value in named.items() if value is not UNSET}, **facts}


async def test_what_is_known_already_changes_nothing(rig: Rig) -> None:
    connection, process = await rig.connect(), rig.process()
    rig.server.says |= {"workspace": "w1", "site": {"name": "eu"}}
    rig.server.expire()
    await process.call(connection)
    epoch, told = await rig.store.epoch(), await rig.events()
    for _ in range(3):
        rig.server.expire()
        await process.call(connection)
    assert (await rig.store.epoch(), await rig.events()) == (epoch, told)


async def test_another_workspace_is_not_taken_silently(rig: Rig) -> None:
    connection, process = await rig.connect(), rig.process()
    rig.server.says |= {"workspace": "w1"}
    rig.server.expire()
    await process.call(connection)
    rig.server.says |= {"workspace": "somebody-elses", "site": {"name": "theirs"}}
    rig.server.expire()
    await process.call(connection)
    assert known(await rig.store.connection("p1", "c1")) == {"ref": "w1", "workspace": "w1"}
    assert kinds(await rig.events()) == ["connection.updated"]


async def test_a_fact_does_not_move_the_account_elsewhere(rig: Rig) -> None:
    metadata = {"workspace": MetadataValue(value="acme")}
    await rig.connect("hosted", provider_app_id="a6", provider_metadata=metadata)
    process = rig.process()
    rig.server.says |= {"workspace": "evil"}
    await process.tokens.refresh(await rig.store.connection("p1", "c1"), force=True)
    assert (await rig.version(), known(await rig.store.connection("p1", "c1"))["workspace"]) == (2, "acme")
