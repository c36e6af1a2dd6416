"""Configuring on a customer's behalf: what ``docs/headless.md`` prints works, and two clients at once lose nothing."""

import ast
import asyncio
import inspect
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from connectors.sandbox.access import DEMO_KEY
from connectors.sandbox.server import serve
from headless.client import Client
from headless.draft import Draft
from headless.edits import SetDefault, SetWriteOnUpdate, parse_edits
from headless.meaning import plainest
from installations.config import FieldDefault
from tests.journeys.processes import Isthmus
from tests.server.house import House, open_house
from tests.server.loopback import listening

PAGE = (Path(__file__).parents[2] / "docs" / "headless.md").read_text("utf-8")
GROUP = "globex"


def blocks(kind: str) -> list[str]:
    return re.findall(rf"^```{kind}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


(MANIFEST,) = blocks("yaml")


@pytest.fixture
async def house() -> AsyncIterator[House]:
    async with open_house() as opened:
        await opened.deploy(MANIFEST)
        await opened.connect(GROUP)
        yield opened


async def run(source: str, names: dict[str, Any]) -> None:
    """Run a block of the page, which may await."""
    code = compile(source, "headless.md", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    if inspect.iscoroutine(pending := eval(code, names)):  # noqa: S307 -- the page of this repository
        await pending


async def test_the_python_of_the_page_runs_from_top_to_bottom(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    async with listening(house.app) as origin:
        names: dict[str, Any] = {}
        for block in blocks("python"):
            await run(block.replace("http://127.0.0.1:8080", origin).replace("isk_...", house.key), names)
    printed = capsys.readouterr().out
    assert "notes = myApp because" in printed
    assert "409 config-changed" in printed
    assert "SelectField(object_name='contacts', field_name='jobTitle', selected=True)" in printed
    assert names["everywhere"][0].config.content.write.objects.keys() == {"contacts", "companies"}
    assert (await house.call("GET", "/installations")).json() == []


async def test_the_edits_of_the_page_are_made(house: House) -> None:
    installed = await house.install(GROUP, {"provider": "sandbox"})
    (body,) = blocks("json edit")
    path = f"/integrations/crm/installations/{installed['id']}:edit"
    answer = await house.call("POST", path, content=body, headers={"content-type": "application/json"})
    assert answer.status_code == 200, answer.text
    assert answer.json()["changed"] == ["config.content.read.objects.contacts", "config.content.write.objects"]


CASES = list(zip(blocks("python case"), blocks("json edits"), blocks("json create"), strict=True))


@pytest.mark.parametrize(("python", "edits", "created"), CASES, ids=range(len(CASES)))
async def test_a_use_case_is_the_same_in_python_by_edits_and_from_the_start(
    house: House, python: str, edits: str, created: str
) -> None:
    integration = (await house.call("GET", "/integrations/crm")).json()
    async with listening(house.app) as origin, Client(origin, api_key=house.key, project="acme") as isthmus:
        crm = isthmus.integration("crm")
        first = await crm.create(group_ref=GROUP, content={"provider": "sandbox", "write": {"objects": {}}})
        draft = await crm.draft(group_ref=GROUP)
        await run(python, {"draft": draft})
        by_draft = (await crm.edit(first.id, draft.edits)).installation.config.content
        await crm.delete(first.id)

        await house.connect(GROUP)
        second = await crm.create(group_ref=GROUP, content={"provider": "sandbox", "write": {"objects": {}}})
        by_edits = (await crm.edit(second.id, parse_edits(msgspec.json.decode(edits)))).installation.config.content
        await crm.delete(second.id)

        await house.connect(GROUP)
        third = await crm.create(**_asked(created))
    assert integration["id"] == third.integration_id
    assert plainest(by_draft) == plainest(by_edits) == plainest(third.config.content)


def _asked(created: str) -> dict[str, Any]:
    body = msgspec.json.decode(created)
    return {"group_ref": body["groupRef"], "content": body["config"]["content"]}


def test_every_edit_has_its_row() -> None:
    table = PAGE[PAGE.index("| edit | members") : PAGE.index("* An edit that adds")]
    cells = [line.split("|")[1] for line in table.splitlines()[2:] if line.startswith("|")]
    rows = {name for cell in cells for name in re.findall(r"`(\w+)`", cell)}
    known = {edit.__struct_config__.tag for edit in parse_edits.__annotations__["return"].__args__[0].__args__}
    assert rows == known


FIELDS = ("firstName", "lastName", "phone", "jobTitle", "notes")


async def test_two_clients_that_edit_at_the_same_time_lose_nothing(tmp_path: Path, sqlite_url: str) -> None:
    """Each sets one thing of every field, one edit at a time; a draft of the outcome has both."""
    async with serve() as sandbox:
        isthmus = Isthmus(tmp_path, database_url=sqlite_url, provider_urls={"sandbox": sandbox})
        project = await isthmus.init("acme")
        origin = await isthmus.start()
        try:
            async with _client(origin, project) as one, _client(origin, project) as other:
                draft = await _edited_by_both(one, other)
        finally:
            assert await isthmus.stop() == 0
    for name in FIELDS:
        settings = draft.write_object("contacts").get_field_settings(name)
        assert settings is not None
        assert (settings.default, settings.write_on_update) == (FieldDefault(string_value=name), "ifEmpty")


def _client(origin: str, project: Any) -> Client:
    return Client(origin, api_key=project["apiKey"], project=project["projectId"])


async def _edited_by_both(one: Client, other: Client) -> Draft:
    await one.deploy(MANIFEST)
    await one.connect("sandbox", group_ref=GROUP, consumer_ref="hank", api_key=DEMO_KEY)
    crm = one.integration("crm")
    installed = await crm.create(group_ref=GROUP, content={"provider": "sandbox"})

    async def set_defaults() -> None:
        for name in FIELDS:
            default = SetDefault(object_name="contacts", field_name=name, value=FieldDefault(string_value=name))
            await crm.edit(installed.id, [default])

    async def set_rules() -> None:
        for name in reversed(FIELDS):
            rule = SetWriteOnUpdate(object_name="contacts", field_name=name, value="ifEmpty")
            await other.integration("crm").edit(installed.id, [rule])

    await asyncio.gather(set_defaults(), set_rules())
    return await crm.draft(group_ref=GROUP)
