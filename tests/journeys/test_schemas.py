"""What ``docs/schemas.md`` prints is so: an account changes, and the command, the API and a webhook say what breaks."""

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from installations.schema import ObjectMetadata
from server.api.topics import NotificationType
from server.cli import main
from server.deploying import Unreachable
from server.schema_report import Wanted, check_schemas, told
from tests.accounts import Account, serve_account
from tests.server.house import START, House, open_house
from tests.server.loopback import listening

PAGE = (Path(__file__).parents[2] / "docs" / "schemas.md").read_text("utf-8")


def block(kind: str) -> str:
    found = re.search(rf"^```{kind}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    assert found
    return found[1]


def contacts(**types: Any) -> ObjectMetadata:
    fields = {name: {"fieldName": name, "displayName": name.title(), **members} for name, members in types.items()}
    return msgspec.convert({"name": "contacts", "displayName": "Contacts", "fields": fields}, ObjectMetadata)


TEXT = {"valueType": "string"}
CHOICE = {"valueType": "singleSelect", "values": [{"value": each, "displayValue": each} for each in ("new", "won")]}
CHOSEN = {"source": {"default": {"stringValue": "web"}}, "stage": {"default": {"stringValue": "open"}}}


class Town(msgspec.Struct, kw_only=True):
    """A server on a real port, and an account behind it in which two groups write."""

    house: House
    account: Account
    origin: str
    ids: dict[str, str]

    def wanted(self, **changes: str) -> Wanted:
        made = Wanted(url=self.origin, api_key=self.house.key, project=self.house.project_id)
        return msgspec.structs.replace(made, **changes)

    async def check(self, **changes: str) -> str:
        """Run the command's part in a thread, as the server is in this one."""
        return told(*await asyncio.to_thread(check_schemas, self.wanted(**changes)))


@pytest.fixture
async def town() -> AsyncIterator[Town]:
    async with serve_account(objects=1, fields=1) as account:
        account.described = {"contacts": contacts(source=TEXT, stage=TEXT)}
        async with (
            open_house(connectors=[account.connector], provider_urls=account.urls, clock=lambda: START) as house,
            listening(house.app) as origin,
        ):
            write = {"objects": [{"objectName": "contacts"}]}
            spec = {"name": "crm", "provider": account.provider, "write": write}
            await house.deploy(msgspec.json.encode({"specVersion": "1.0.0", "integrations": [spec]}).decode())
            ids = {}
            for group, settings in (("globex", CHOSEN), ("initech", {})):
                await house.connect(group, provider=account.provider, apiKey=account.key)
                chosen = {"objects": {"contacts": {"selectedFieldSettings": settings}}}
                made = await house.install(group, content={"provider": account.provider, "write": chosen})
                ids[group] = made["id"]
            yield Town(house=house, account=account, origin=origin, ids=ids)


def changed(town: Town) -> None:
    town.account.described["contacts"] = contacts(source_c=TEXT, stage=CHOICE)


async def test_the_command_says_what_breaks_and_why(town: Town) -> None:
    assert await town.check() == "2 installations checked: 0 broken, 0 of them new; 0 mended"
    changed(town)
    printed = block("console").splitlines()[1:]
    assert (await town.check()).replace(town.ids["globex"], "0190b1b2-…").splitlines() == printed
    again = await town.check()
    assert f"{town.ids['globex']}  broken since 2026-11-22T12:00:00Z" in again
    town.account.described["contacts"] = contacts(source=TEXT, stage=TEXT)
    assert (await town.check()).splitlines()[1:] == [
        f"  globex  {town.ids['globex']}  mended",
        "2 installations checked: 0 broken, 0 of them new; 1 mended",
    ]


async def test_the_command_looks_at_as_few_as_asked(town: Town) -> None:
    changed(town)
    assert await town.check(group="initech") == "1 installation checked: 0 broken, 0 of them new; 0 mended"
    assert (await town.check(integration="crm")).endswith("2 installations checked: 1 broken, 1 of them new; 0 mended")


async def test_what_cannot_be_compared_is_said(town: Town) -> None:
    town.account.status[""] = 500
    lines = (await town.check(group="globex")).splitlines()
    assert lines[1] == f"  globex  {town.ids['globex']}  not compared in all"
    assert lines[2].startswith("    config.content.write.objects.contacts: could not be compared")


@pytest.mark.parametrize("form", ["text", "json"])
async def test_the_command_ends_with_one_if_anything_is_broken(
    town: Town, capsys: pytest.CaptureFixture[str], form: str
) -> None:
    asked = ["schema", "check", "--project", town.house.project_id, "--url", town.origin, "--api-key", town.house.key]
    asked += ["--json"] if form == "json" else []
    await asyncio.to_thread(main, asked)
    changed(town)
    with pytest.raises(SystemExit) as ended:
        await asyncio.to_thread(main, asked)
    assert ended.value.code == 1
    sound, broken = [line for line in capsys.readouterr().out.splitlines() if line.startswith(("{", "2 "))]
    if form == "text":
        assert (sound[:43], broken[:43]) == (
            "2 installations checked: 0 broken, 0 of the",
            "2 installations checked: 1 broken, 1 of the",
        )
    else:
        found = msgspec.json.decode(broken)
        assert (found["checked"], found["broken"], found["broke"], found["mended"]) == (2, 1, 1, 0)
        assert {each["groupRef"]: each["status"] for each in found["installations"]} == {
            "globex": "broken",
            "initech": "sound",
        }


def test_without_a_key_the_command_asks_for_one(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("ISTHMUS_API_KEY", raising=False)
    with pytest.raises(SystemExit):
        main(["schema", "check", "--project", "acme"])
    assert "--api-key" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"api_key": "no key"}, "refused"),
        ({"project": "nothing"}, "A key opens one project only"),
        ({"integration": "nothing"}, r"no integration 'nothing'\.$"),
        ({"url": "http://127.0.0.1:1"}, "Is the server running"),
    ],
)
async def test_what_is_asked_wrongly_is_a_sentence(town: Town, changes: dict[str, str], said: str) -> None:
    with pytest.raises(Unreachable, match=said):
        await town.check(**changes)


async def test_the_api_shows_what_was_found(town: Town) -> None:
    house, path = town.house, f"/integrations/crm/installations/{town.ids['globex']}:schema-check"
    fresh = (await house.call("GET", path)).json()
    assert (fresh["status"], fresh["issues"], "checkTime" in fresh) == ("unchecked", [], False)
    changed(town)
    checked = (await house.call("POST", path)).json()
    assert checked.pop("turn") == "broke"
    assert (await house.call("GET", path)).json() == checked
    assert {key: checked[key] for key in msgspec.json.decode(block("json answer"))} == msgspec.json.decode(
        block("json answer")
    )
    lists = {
        status: [each["groupRef"] for each in (await house.call("GET", f"/schema-checks?status={status}")).json()]
        for status in ("broken", "sound", "unchecked")
    }
    assert lists == {"broken": ["globex"], "sound": [], "unchecked": ["initech"]}
    assert (await house.call("GET", "/schema-checks?groupRef=globex&integrationId=crm")).json() == [checked]


@pytest.mark.parametrize("query", ["status=odd", "integrationId=nothing"])
async def test_a_list_of_nothing_known_is_refused(town: Town, query: str) -> None:
    answer: httpx.Response = await town.house.call("GET", f"/schema-checks?{query}")
    assert answer.status_code in {400, 404, 422}, answer.text


def test_both_events_can_be_routed() -> None:
    named = re.findall(r"`(installation\.schema\.\w+)`", PAGE)
    assert set(named) == {"installation.schema.broken", "installation.schema.mended"}
    assert set(named) <= set(NotificationType.__args__)  # type: ignore[attr-defined]
