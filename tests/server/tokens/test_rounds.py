"""Renewals that no request asks for: one connection's or provider's trouble is not another one's."""

import asyncio
from datetime import datetime, timedelta

import pytest

from installations.installation import Connection
from server.store.contract import StoredCredentials
from server.store.memory import MemoryStore
from server.tokens.keep_alive import AT_ONCE, MOST, ROUND_SECONDS
from tests.server.tokens.rig import KEYED, START, Clockwork, Rig, rigged
from tests.server.tokens.token_server import TokenServer, serving


async def test_those_that_are_due_for_ever_keep_nobody_else_from_being_renewed(rig: Rig) -> None:
    for number in range(MOST):
        await rig.connect("key", KEYED, name=f"stuck{number}", keep_alive_at=START)
    await rig.connect(keep_alive_at=START + timedelta(seconds=1))
    process = rig.process()
    rig.clock.tick(2)
    for _ in range(2):
        await process.keep_alive.renew_dying()
    assert await rig.version() == 2


@pytest.mark.parametrize("issued", [timedelta(days=1), timedelta(days=-1), None], ids=str)
async def test_a_token_is_kept_alive_whatever_was_said_of_its_age(rig: Rig, issued: timedelta | None) -> None:
    tokens = rig.tokens(issued_at=None if issued is None else START + issued)
    await rig.connect("code", tokens, keep_alive_at=START)
    rig.clock.tick(1)
    await rig.process().keep_alive.renew_dying()
    assert await rig.version() == 2


async def test_a_provider_that_does_not_answer_holds_no_other_up(rig: Rig, clockwork: Clockwork) -> None:
    other = TokenServer(monotonic=clockwork.monotonic)
    async with serving(other) as url:
        for number in range(AT_ONCE):
            await rig.connect(name=f"slow{number}", keep_alive_at=START)
        await rig.connect("client", name="other", keep_alive_at=START + timedelta(seconds=1))
        process = rig.process(provider_urls={"code": rig.server.url, "client": url})
        rig.clock.tick(2)
        rig.server.gate = asyncio.Event()
        renewing = asyncio.create_task(process.keep_alive.renew_dying())
        await asyncio.wait_for(other.arrived.wait(), 60)
        rig.server.gate.set()
        await renewing


async def test_a_round_begins_nothing_after_its_time(rig: Rig) -> None:
    for number in range(AT_ONCE + 1):
        await rig.connect(name=f"c{number}", keep_alive_at=START + timedelta(seconds=number))
    process = rig.process()
    rig.clock.tick(60)
    rig.server.gate = asyncio.Event()
    renewing = asyncio.create_task(process.keep_alive.renew_dying())
    while len(rig.server.asked) < AT_ONCE:
        await rig.server.arrived.wait()
        await asyncio.sleep(0)
    rig.clock.tick(ROUND_SECONDS + 1)
    rig.server.gate.set()
    await renewing
    assert len(rig.server.asked) == AT_ONCE
    await process.keep_alive.renew_dying()
    assert len(rig.server.asked) == AT_ONCE + 1


async def test_an_error_nobody_foresaw_stops_neither_the_others_nor_the_rounds(clockwork: Clockwork) -> None:
    class Odd(MemoryStore):
        async def credentials(self, project_id: str, connection_id: str) -> StoredCredentials:
            if connection_id == "odd":
                raise RuntimeError("nobody foresaw this")
            return await super().credentials(project_id, connection_id)

        async def dying_connections(self, *, now: datetime, limit: int) -> list[Connection]:
            rounds.append(now)
            if len(rounds) == 2:
                raise RuntimeError("nor this")
            return await super().dying_connections(now=now, limit=limit)

    rounds: list[datetime] = []
    server = TokenServer(monotonic=clockwork.monotonic)
    async with serving(server), rigged(Odd(), server, clockwork) as rig:
        await rig.connect(name="odd", keep_alive_at=START)
        await rig.connect(keep_alive_at=START)
        rig.clock.tick(1)
        going = asyncio.create_task(rig.process().keep_alive.run())
        while len(rounds) < 3:
            assert not going.done()
            await asyncio.sleep(0)
        going.cancel()
        await asyncio.wait({going})
        assert await rig.version() == 2
