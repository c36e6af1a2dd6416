"""Mutated requests at the doors that do not take JSON, or not below a project: no 5xx, and nobody gets in by accident.

``ISTHMUS_FUZZ=1000000`` tries harder. Run with ``-s`` to see the counts.
"""

import json
import os
from collections import Counter
from typing import Any
from urllib.parse import urlsplit

from tests.canaries import canary
from tests.server.connecting.desk import Desk, decided, open_desk
from tests.server.connecting.test_stepwise import CALLBACK, STEPS, begun
from tests.server.fuzz import Reply, ask, mutations
from tests.server.house import House, open_house
from tests.server.signing import register, token

COUNT = int(os.environ.get("ISTHMUS_FUZZ", "100000")) // 20
FORM = {"content-type": "application/x-www-form-urlencoded"}
SEED = 20261122


class Tally:
    """What came back."""

    def __init__(self) -> None:
        self.statuses: Counter[int] = Counter()

    def take(self, reply: Reply, sent: Any) -> Reply:
        self.statuses[reply.status] += 1
        assert reply.status < 500, (sent, reply)
        assert reply.headers[b"x-content-type-options"] == b"nosniff"
        # What a provider answered is nobody's page (``sandbox``); what we answer is in nobody's frame.
        policy = reply.headers[b"content-security-policy"]
        assert policy == b"sandbox" or b"frame-ancestors 'none'" in policy
        return reply

    def tell(self, name: str) -> None:
        print(f"\n{name}: {self.statuses.total():,} requests, {dict(sorted(self.statuses.items()))}")  # noqa: T201 -- figures


async def test_mutated_bodies_of_the_doors_outside_of_projects() -> None:
    async with open_desk() as desk:
        await desk.registered()
        project = {"projectIdOrName": desk.house.project_id, "groupRef": "g1", "consumerRef": "c1"}
        bodies = {
            "/v1/oauth-connect": {
                **project,
                "provider": "sandboxOAuth",
                "flow": "strict",
                "returnUrl": "https://a.test",
            },
            "/v1/oauth-connect:complete": {"projectIdOrName": desk.house.project_id, "completionCode": "none"},
            "/v1/custom-auth/connect": {**project, "provider": STEPS, "customAuth": {"a": canary()}},
        }
        tally = Tally()
        for path, body in bodies.items():
            for mutated in mutations([json.dumps(body).encode()], count=COUNT, seed=SEED):
                reply = await ask(desk.house.app, "POST", path, body=mutated, headers=desk.house.headers)
                tally.take(reply, (path, mutated))
        tally.tell("outside of projects")
        assert await desk.connections() == []


async def test_mutated_returns_connect_nobody() -> None:
    async with open_desk() as desk:
        await desk.registered()
        tally = Tally()
        await _returns(desk, tally)
        await _links(desk, tally)
        tally.tell("pages")
        assert await desk.connections() == []


async def _returns(desk: Desk, tally: Tally) -> None:
    """Mutate what comes back to the callback, without the cookie of the browser that set out."""
    browser = desk.browser()
    back = urlsplit(await decided(await browser.set_out(await desk.link())))
    session = {"cookie": "; ".join(f"{name}={canary()}" for name in browser.client.cookies)}
    for query in mutations(
        [back.query.encode(), b"error=access_denied&state=x&error_description=y"], count=COUNT, seed=SEED
    ):
        line = bytes(byte for byte in query if byte not in b" #\r\n")
        tally.take(await ask(desk.house.app, "GET", back.path, headers=session, query=line), line)
    for form in mutations([b"sessionId=x&key=y&workspace=demo"], count=COUNT, seed=SEED):
        tally.take(await ask(desk.house.app, "POST", CALLBACK, headers={**session, **FORM}, body=form), form)


async def _links(desk: Desk, tally: Tally) -> None:
    """Mutate links, and the button's form."""
    link = urlsplit((await begun(desk))[0])
    for ticket in mutations([link.path.encode()], count=COUNT, seed=SEED):
        path = ticket.decode("latin-1").replace("?", "").replace("#", "")
        if path != link.path and path.startswith("/connect/"):
            tally.take(await ask(desk.house.app, "GET", path, headers={}), ticket)
    for form in mutations([b"confirmation=0123456789abcdef"], count=COUNT, seed=SEED):
        tally.take(await ask(desk.house.app, "POST", link.path, headers=FORM, body=form), form)


async def test_mutated_credentials_open_nothing() -> None:
    async with open_house() as house:
        await house.deploy()
        kid = await register(house)
        good = [house.key, house.frontend_key, f"Bearer {token(kid)}"]
        tally = Tally()
        for mutated in mutations([each.encode() for each in good], count=COUNT, seed=SEED):
            text = mutated.decode("latin-1")
            for name in ("x-api-key", "authorization"):
                if not any(_same(text, each) for each in good):
                    reply = await ask(house.app, "GET", f"/v1/projects/{house.project_id}", headers={name: text})
                    assert tally.take(reply, (name, mutated)).status in {400, 401}, (name, mutated)
        tally.tell("credentials")


def _same(text: str, good: str) -> bool:
    """Tell whether a header means what another does: space around it says nothing, nor does the case of ``Bearer``."""
    scheme, space, rest = text.strip(" \t").rpartition(" ")
    return f"{scheme.strip().title()}{space}{rest}" == good


async def test_mutated_calls_through_the_proxy() -> None:
    async with open_house() as house:
        await house.deploy()
        await house.connect()
        await house.install()
        tally = Tally()
        await _paths(house, tally)
        await _headers(house, tally)
        tally.tell("proxy")


def _call(house: House) -> dict[str, str]:
    return {
        **house.headers,
        "x-amp-proxy-version": "1",
        "x-amp-project-id": house.project_id,
        "x-amp-integration-name": "crm",
        "x-amp-group-ref": "g1",
    }


async def _paths(house: House, tally: Tally) -> None:
    seeds = [b"/proxy/v1/objects/contacts/records", b"/proxy//evil.test/x", b"/proxy/%2e%2e/%2e%2e/x\\y@z"]
    for mutated in mutations(seeds, count=COUNT // 5, seed=SEED):
        path = mutated.decode("latin-1").replace("?", "").replace("#", "")
        if path.startswith("/proxy/"):
            tally.take(await ask(house.app, "GET", path, headers=_call(house)), mutated)


async def _headers(house: House, tally: Tally) -> None:
    names = [name for name in _call(house) if name.startswith("x-amp")]
    for name in (
        *names,
        "x-amp-installation-id",
        "x-amp-rate-limiter-mode",
        "content-type",
        "accept",
        "te",
        "connection",
    ):
        value = _call(house).get(name, "x").encode()
        for mutated in mutations([value], count=COUNT // 50, seed=SEED):
            text = "".join(chr(byte) for byte in mutated if byte >= 32 or byte == 9)
            reply = await ask(house.app, "GET", "/proxy/v1/objects", headers={**_call(house), name: text})
            tally.take(reply, (name, mutated))
