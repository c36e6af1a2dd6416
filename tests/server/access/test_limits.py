"""Who is turned away for coming too often, and who is not."""

import asyncio
import ipaddress
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

import httpx
import pytest

from server.access.errors import TooManyRequests, Unauthenticated
from server.access.keyring import Access, Reach
from server.access.keys import new_key
from server.access.limits import Limits
from server.rates import parse_rate
from server.settings import Settings
from tests.server.house import House, open_house
from tests.server.test_rates import Watch

HERE = ("198.51.100.1", 4711)
ELSEWHERE = ("198.51.100.2", 4711)


def access(key_id: str = "k1", *, reach: Reach = "frontend", group_ref: str | None = None) -> Access:
    return Access(project_id="p1", project_name="acme", key_id=key_id, reach=reach, group_ref=group_ref)


async def good(found: Access) -> Access:
    return found


async def wrong() -> Access:
    raise Unauthenticated("no")


def scope(client: tuple[str, int] = HERE, **headers: str) -> dict[str, Any]:
    raw = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return {"client": client, "headers": raw}


async def passes(limits: Limits, found: Access, asked: Mapping[str, Any]) -> bool:
    try:
        return await limits.counted(good(found), asked) is found
    except TooManyRequests:
        return False


async def test_a_key_that_ships_in_browsers_is_counted_for_each_visitor() -> None:
    limits = Limits(Settings(browser_rate=parse_rate("1/h")), monotonic=Watch())
    callers = [
        (access(), scope()),
        (access(), scope(ELSEWHERE)),
        (access("k2"), scope()),
        (access("k3", reach="token", group_ref="g1"), scope()),
        (access("k3", reach="token", group_ref="g2"), scope()),
    ]
    assert [await passes(limits, *caller) for caller in callers] == [True] * 5
    assert [await passes(limits, *caller) for caller in callers] == [False] * 5


async def test_a_key_that_is_kept_on_a_server_is_counted_wherever_it_comes_from_and_only_if_asked() -> None:
    limits = Limits(Settings(key_rate=parse_rate("2/h")), monotonic=Watch())
    full = access(reach="full")
    assert [await passes(limits, full, scope(one)) for one in (HERE, ELSEWHERE, HERE)] == [True, True, False]
    assert await passes(limits, access("k2", reach="full"), scope())
    unlimited = Limits(Settings(), monotonic=Watch())
    assert all([await passes(unlimited, full, scope()) for _ in range(5000)])


async def test_a_visitor_of_many_addresses_is_one() -> None:
    limits = Limits(Settings(browser_rate=parse_rate("1/h")), monotonic=Watch())
    assert await passes(limits, access(), scope(("2001:db8::1", 1)))
    assert not await passes(limits, access(), scope(("2001:db8::dead:beef", 1)))
    assert await passes(limits, access(), scope(("2001:db8:0:1::1", 1)))


async def test_who_guesses_is_told_to_wait_and_who_knows_is_not() -> None:
    watch = Watch()
    limits = Limits(Settings(failure_rate=parse_rate("20/m")), monotonic=watch)
    for _ in range(20):
        with pytest.raises(Unauthenticated):
            await limits.counted(wrong(), scope())
    with pytest.raises(TooManyRequests) as refused:
        await limits.counted(wrong(), scope())
    assert await passes(limits, access(), scope())
    with pytest.raises(Unauthenticated):
        await limits.counted(wrong(), scope(ELSEWHERE))
    watch.now += refused.value.after_seconds
    with pytest.raises(Unauthenticated):
        await limits.counted(wrong(), scope())


async def test_forged_addresses_change_nothing() -> None:
    limits = Limits(Settings(failure_rate=parse_rate("20/m")), monotonic=Watch())
    forged = [f"10.0.0.{number}" for number in range(40)]
    names = ("x_forwarded_for", "x_real_ip", "forwarded", "cf_connecting_ip", "x_forwarded_host", "x_client_ip")
    outcomes = []
    for address in forged:
        try:
            await limits.counted(wrong(), scope(HERE, **dict.fromkeys(names, address)))
        except (Unauthenticated, TooManyRequests) as error:
            outcomes.append(type(error))
    assert outcomes == [Unauthenticated] * 20 + [TooManyRequests] * 20


async def test_a_proxy_of_ours_says_who_it_is() -> None:
    trusted = (ipaddress.ip_network("198.51.100.1/32"),)
    limits = Limits(Settings(browser_rate=parse_rate("1/h"), trusted_proxies=trusted), monotonic=Watch())
    behind = [scope(HERE, x_forwarded_for=f"6.6.6.6, {one}") for one in ("192.0.2.1", "192.0.2.2", "192.0.2.1")]
    assert [await passes(limits, access(), one) for one in behind] == [True, True, False]


def test_a_connection_is_counted_by_itself() -> None:
    watch = Watch()
    limits = Limits(Settings(connection_rate=parse_rate("1/m")), monotonic=watch)
    limits.connection("c1")
    limits.connection("c2")
    with pytest.raises(TooManyRequests) as refused:
        limits.connection("c1")
    assert refused.value.after_seconds == 60
    watch.now += 60
    limits.connection("c1")


@asynccontextmanager
async def limited(client: tuple[str, int] = HERE, **rates: str) -> AsyncIterator[House]:
    """Open a house with rates, an installation for ``g1``, and a client that comes from an address."""
    settings: dict[str, Any] = {name: parse_rate(rate) for name, rate in rates.items()}
    async with open_house(**settings) as house:
        await house.deploy()
        await house.connect()
        await house.install()
        transport = httpx.ASGITransport(house.app, client=client)
        async with httpx.AsyncClient(transport=transport, base_url="http://isthmus.test") as http:
            house.client = http
            yield house


def created(email: str) -> dict[str, Any]:
    return {"type": "create", "record": {"email": email}}


def told_to_wait(answer: httpx.Response) -> None:
    problem = answer.json()
    assert (answer.status_code, problem["code"], problem["retryable"]) == (429, "too-many-requests", True)
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["retry-after"].isdigit()
    said = datetime.fromisoformat(problem["retryAfter"]) - datetime.fromisoformat(problem["time"])
    assert said.total_seconds() == int(answer.headers["retry-after"]) >= 1
    assert problem["detail"]


async def test_of_a_thousand_at_once_a_hundred_go_through() -> None:
    async with limited(browser_rate="100/h") as house:
        calls = [house.call("GET", "/integrations", key=house.frontend_key) for _ in range(1000)]
        answers = await asyncio.gather(*calls)
        refused = [answer for answer in answers if answer.status_code != 200]
        assert len(answers) - len(refused) == 100
        for answer in refused:
            told_to_wait(answer)
            assert answer.headers["access-control-allow-origin"] == "*"
        forged = [{"X-Forwarded-For": f"10.0.0.{number}"} for number in range(20)]
        more = [await house.call("GET", "/integrations", key=house.frontend_key, headers=one) for one in forged]
        assert {answer.status_code for answer in more} == {429}


async def test_of_a_thousand_guesses_at_once_twenty_are_looked_at() -> None:
    async with limited(failure_rate="20/h") as house:
        answers = await asyncio.gather(*(house.call("GET", "/integrations", key=new_key()) for _ in range(1000)))
        assert sorted(answer.status_code for answer in answers) == [401] * 20 + [429] * 980
        assert (await house.call("GET", "/integrations")).status_code == 200
        written = await house.write("contacts", created("a@b.co"))
        assert written.status_code == 200


async def test_a_full_key_has_a_rate_for_writes_too_if_asked() -> None:
    async with limited(key_rate="10/h") as house:
        before = 3  # deploy, connect, install
        answers = [await house.write("contacts", created(f"a{number}@b.co")) for number in range(10)]
        assert [answer.status_code for answer in answers] == [200] * (10 - before) + [429] * before
        told_to_wait(answers[-1])


async def test_a_write_too_many_for_a_connection_is_neither_sent_nor_stored() -> None:
    async with limited(connection_rate="100/h") as house:
        calls = [house.write("contacts", created(f"a{number}@b.co")) for number in range(300)]
        answers = await asyncio.gather(*calls)
        refused = [answer for answer in answers if answer.status_code != 200]
        assert len(answers) - len(refused) == 100
        for answer in refused:
            told_to_wait(answer)
        async with httpx.AsyncClient(timeout=60) as client:
            ledger = await client.get(f"{house.sandbox_url}/_sandbox/ledger")
        assert ledger.json()["total"] == 100
        installation = (await house.call("GET", "/installations")).json()[0]
        path = f"/integrations/crm/installations/{installation['id']}/operations?pageSize=1000"
        assert len((await house.call("GET", path)).json()["results"]) == 100


async def test_a_repetition_is_not_counted_and_a_refusal_takes_no_key() -> None:
    async with limited(connection_rate="1/h") as house:
        first = created("a@b.co")
        answers = [await house.write("contacts", first, Idempotency_Key="one") for _ in range(3)]
        assert [answer.status_code for answer in answers] == [200] * 3
        second = created("b@b.co")
        told_to_wait(await house.write("contacts", second, Idempotency_Key="two"))
        other = created("c@b.co")
        told_to_wait(await house.write("contacts", other, Idempotency_Key="two"))
