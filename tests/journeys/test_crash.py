"""``kill -9`` at any moment: what was answered is there, what happened is explained, nothing happens twice."""

import asyncio
import random
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from connectors.sandbox.access import DEMO_KEY
from connectors.sandbox.server import serve
from headless.client import Client
from tests.journeys.processes import Isthmus
from tests.postgres import run_sql
from tests.server.house import MANIFEST

WRITERS = 6
PATIENCE = 60
KILLS = {"sqlite": 6, "postgres": 4}
MOST_ANSWERS = 60
"""A round ends by a kill after 1 to this many answers."""
CONTENT = {"provider": "sandbox", "write": {"objects": {"contacts": {"objectName": "contacts"}}}}


class Story(msgspec.Struct, kw_only=True):
    """What the callers know."""

    isthmus: Isthmus
    sandbox: httpx.AsyncClient
    database_url: str
    project: Any
    installation_id: str = ""
    answered: dict[str, Any] = msgspec.field(default_factory=dict)
    """E-mail address written, and the answer of a 200."""
    lost: list[str] = msgspec.field(default_factory=list)
    """Written when the server died: no answer came."""
    count: int = 0

    def client(self, origin: str) -> Client:
        return Client(origin, api_key=self.project["apiKey"], project=self.project["projectId"])

    def http(self, origin: str) -> httpx.AsyncClient:
        base = f"{origin}/v1/projects/{self.project['projectId']}"
        key = {"X-Api-Key": self.project["apiKey"]}
        return httpx.AsyncClient(base_url=base, headers=key, trust_env=False, timeout=PATIENCE)


@pytest.fixture(params=KILLS)
async def story(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Story]:
    name = {"sqlite": "sqlite_url", "postgres": "migrated_postgres_url"}[request.param]
    url = str(request.getfixturevalue(name))
    async with (
        serve() as sandbox_url,
        httpx.AsyncClient(
            base_url=sandbox_url, headers={"X-Sandbox-Key": DEMO_KEY}, trust_env=False, timeout=PATIENCE
        ) as sandbox,
    ):
        isthmus = Isthmus(tmp_path, database_url=url, provider_urls={"sandbox": sandbox_url})
        project = await isthmus.init("acme")
        try:
            yield Story(isthmus=isthmus, sandbox=sandbox, database_url=url, project=project)
        finally:
            await isthmus.kill()


async def test_nothing_answered_is_lost_and_nothing_happens_twice(story: Story, request: pytest.FixtureRequest) -> None:
    dialect = request.node.callspec.params["story"]
    chance = random.Random(20261122)  # noqa: S311 -- moments, no secrets
    origin = await story.isthmus.start()
    await move_in(story, origin)
    for _ in range(KILLS[dialect]):
        pause = chance.uniform(0, 0.02)
        await write_until_killed(story, origin, answers=chance.randint(1, MOST_ANSWERS), pause_seconds=pause)
        origin = await story.isthmus.start()
    stuck = await leave_three_in_flight(story, origin)
    forget_the_dead(story)
    origin = await story.isthmus.start()
    async with story.http(origin) as http:
        operations = await settled(http, story)
        await check_answers(http, story)
        emails = await emails_of(http, operations)
        effects = (await story.sandbox.get("/_sandbox/ledger?limit=200000")).json()["effects"]
        written = [effect["fields"]["email"] for effect in effects]
        assert len(set(written)) == len(written), "something happened twice"
        done = {e for e, o in emails.items() if o["state"] == "success"}
        unknown = {e for e, o in emails.items() if o["state"] == "unknown"}
        assert set(written) - unknown == done
        assert set(stuck) <= unknown & set(written)
        assert unknown <= set(story.lost), "an answered write is unknown"
        await ask_again(http, story, emails)
    again = (await story.sandbox.get("/_sandbox/ledger?limit=200000")).json()["effects"]
    assert len({effect["fields"]["email"] for effect in again}) == len(again), "a key did not hold"


async def move_in(story: Story, origin: str) -> None:
    async with story.client(origin) as client:
        await client.deploy(MANIFEST)
        await client.connect("sandbox", group_ref="g1", consumer_ref="c1", api_key=DEMO_KEY)
        story.installation_id = (await client.install("crm", group_ref="g1", content=CONTENT))["id"]


async def write(http: httpx.AsyncClient, email: str) -> httpx.Response:
    body = {"groupRef": "g1", "type": "create", "record": {"email": email}}
    headers = {"Idempotency-Key": email}
    return await http.post("/integrations/crm/objects/contacts", json=body, headers=headers)


async def write_until_killed(story: Story, origin: str, *, answers: int, pause_seconds: float) -> None:
    """Write from several clients at once; kill the server a random moment after so many answers."""
    enough = asyncio.Event()
    goal = len(story.answered) + answers

    async def keep_writing(http: httpx.AsyncClient) -> None:
        while True:
            story.count += 1
            email = f"p{story.count}@acme.test"
            try:
                answer = await write(http, email)
            except httpx.TransportError:
                story.lost.append(email)
                return
            assert answer.status_code == 200, answer.text
            story.answered[email] = answer.json()
            if len(story.answered) >= goal:
                enough.set()

    async with story.http(origin) as http:
        writers = [asyncio.create_task(keep_writing(http)) for _ in range(WRITERS)]
        await asyncio.wait({asyncio.create_task(enough.wait()), *writers}, return_when=asyncio.FIRST_COMPLETED)
        await asyncio.sleep(pause_seconds)
        await story.isthmus.kill()
        await asyncio.gather(*writers)


async def leave_three_in_flight(story: Story, origin: str) -> list[str]:
    """Kill the server while the provider has done three writes and answered none."""
    await story.sandbox.put("/_sandbox/faults", json={"faults": [STALL]})
    emails = [f"stuck{number}@acme.test" for number in range(3)]
    total = await effect_count(story)
    async with story.http(origin) as http:
        calls = [asyncio.create_task(write(http, email)) for email in emails]
        while await effect_count(story) < total + 3:
            pass
        await story.isthmus.kill()
        ended = await asyncio.gather(*calls, return_exceptions=True)
    assert all(isinstance(each, httpx.TransportError) for each in ended)
    await story.sandbox.put("/_sandbox/faults", json={"faults": []})
    story.lost += emails
    return emails


STALL = {"kind": "delay", "delayMs": 600_000, "when": "after", "times": 3, "method": "POST"}


async def effect_count(story: Story) -> int:
    return int((await story.sandbox.get("/_sandbox/ledger?limit=1")).json()["total"])


def forget_the_dead(story: Story) -> None:
    """Let the killed processes be long dead, where others wait a while before they believe it."""
    if story.database_url.startswith("postgresql"):
        run_sql(story.database_url, "UPDATE processes SET seen_at = seen_at - 3600")


async def settled(http: httpx.AsyncClient, story: Story) -> list[Any]:
    """List every operation once none is in flight any more."""
    while True:
        operations = await all_operations(http, story)
        if not any(each["state"] in ("claimed", "sent") for each in operations):
            return operations


async def all_operations(http: httpx.AsyncClient, story: Story) -> list[Any]:
    path = f"/integrations/crm/installations/{story.installation_id}/operations?pageSize=1000"
    found: list[Any] = []
    token = ""
    while True:
        answer = await http.get(path + token, headers={"X-Isthmus-Detail": "true"})
        assert answer.status_code == 200, answer.text
        page = answer.json()
        found += page["results"]
        if page["pagination"]["done"]:
            return found
        token = f"&pageToken={page['pagination']['nextPageToken']}"


async def check_answers(http: httpx.AsyncClient, story: Story) -> None:
    for email, answer in story.answered.items():
        operation = (await http.get(f"/operations/{answer['operationId']}")).json()
        ids = operation["metadata"]["successfulRecordIds"]
        assert (operation["status"], ids) == ("success", [answer["result"]["recordId"]]), email


async def emails_of(http: httpx.AsyncClient, operations: list[Any]) -> dict[str, Any]:
    """Tell what each operation was about, by its stored explanation."""
    found = {}
    for operation in operations:
        told = (await http.get(f"/operations/{operation['id']}:explain")).json()
        found[told["change"]["records"][0]["fields"]["email"]] = operation
    assert len(found) == len(operations)
    return found


async def ask_again(http: httpx.AsyncClient, story: Story, emails: dict[str, Any]) -> None:
    """Repeat with the same key what was never answered, and some of what was."""
    for email in story.lost:
        answer = await write(http, email)
        expected = 202 if email in emails and emails[email]["state"] == "unknown" else 200
        assert answer.status_code == expected, answer.text
    for email in list(story.answered)[-5:]:
        answer = await write(http, email)
        assert answer.json() == story.answered[email]
        assert answer.headers["idempotent-replayed"] == "true"
