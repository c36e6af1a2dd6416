"""Accounts that change under an installation: what breaks is found, kept, and told once."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from installations.installation import Installation
from installations.schema import FieldMetadata
from server.liveness import schema_rounds
from server.schema_checks import Checked, check_schema
from server.schema_rounds import AT_MOST, LEASE_SECONDS, SchemaRounds
from server.store.contract import Unavailable
from server.store.memory import MemoryStore
from tests.accounts import Account, serve_account
from tests.server.house import START, House, open_house

WRITING = {"object_1": {"selectedFieldSettings": {"field_2": {"default": {"integerValue": 5}}}}, "object_2": {}}
DAY = timedelta(hours=24)
GONE = "config.content.write.objects.object_1.selectedFieldSettings.field_2"


class Rig(msgspec.Struct, kw_only=True):
    """One installation, an account that a test changes, and a clock."""

    house: House
    account: Account
    installation: Installation
    now: list[datetime]

    def change(self, name: str, **members: Any) -> None:
        """Change a field of the first object; without members it goes."""
        found = self.account.described["object_1"]
        fields = {key: field for key, field in found.fields.items() if key != name}
        if members:
            fields[name] = replace(FieldMetadata(field_name=name, display_name=name), **members)
        self.account.described["object_1"] = replace(found, fields=fields)

    async def check(self) -> Checked:
        return await check_schema(self.house.services, self.installation, anew=True)

    async def told(self) -> list[Any]:
        events = await self.house.services.store.events(self.house.project_id)
        found = [each for each in events if each.type.startswith("installation.schema.")]
        return [(each.type.removeprefix("installation.schema."), msgspec.json.decode(each.data)) for each in found]

    async def again(self) -> Installation:
        """Read the installation as a round does."""
        store = self.house.services.store
        self.installation = await store.installation(self.house.project_id, self.installation.id)
        return self.installation


@pytest.fixture
async def rig() -> AsyncIterator[Rig]:
    now = [START]
    async with (
        serve_account(objects=2, fields=4) as account,
        open_house(connectors=[account.connector], provider_urls=account.urls, clock=lambda: now[0]) as house,
    ):
        await house.deploy(account.manifest(inherit=False))
        await house.connect(provider=account.provider, apiKey=account.key)
        made = await house.install(content={"provider": account.provider, "write": {"objects": WRITING}})
        installation = await house.services.store.installation(house.project_id, made["id"])
        yield Rig(house=house, account=account, installation=installation, now=now)


async def test_what_fits_is_sound_and_nobody_is_told(rig: Rig) -> None:
    checked = await rig.check()
    assert (checked.check.broken, checked.turn, checked.check.broken_since) == (False, "same", None)
    assert await rig.told() == []


async def test_a_field_that_vanishes_breaks_the_installation_and_is_told_once(rig: Rig) -> None:
    await rig.check()
    rig.change("field_2")
    rig.now[0] += DAY
    broke = await rig.check()
    (issue,) = [each for each in broke.check.issues if each.severity == "error"]
    assert (broke.turn, issue.path, issue.code) == ("broke", GONE, "unknown-field")
    rig.now[0] += DAY
    again = await rig.check()
    assert (again.turn, again.check.broken_since, again.check.check_time) == ("same", START + DAY, START + 2 * DAY)
    ((kind, data),) = await rig.told()
    assert (kind, data["installationId"], data["groupRef"], data["broken"]) == (
        "broken",
        rig.installation.id,
        "g1",
        True,
    )
    assert [each["path"] for each in data["issues"]] == [GONE]


async def test_a_field_that_comes_back_mends_it_and_is_told_once(rig: Rig) -> None:
    rig.change("field_2")
    await rig.check()
    rig.change("field_2", value_type="int")
    assert [(await rig.check()).turn for _ in range(2)] == ["mended", "same"]
    assert [(kind, data["issues"]) for kind, data in await rig.told()][1:] == [("mended", [])]


@pytest.mark.parametrize(
    ("members", "code"),
    [
        ({"value_type": "boolean"}, "wrong-type"),
        ({"value_type": "int", "read_only": True}, "read-only"),
        ({"value_type": "singleSelect", "values": ()}, ""),
    ],
)
async def test_a_field_that_changes_may_break_it(rig: Rig, members: dict[str, Any], code: str) -> None:
    rig.change("field_2", **members)
    checked = await rig.check()
    assert (checked.check.broken, checked.check.issues[0].code if code else "") == (bool(code), code)


async def test_an_object_that_vanishes_breaks_it(rig: Rig) -> None:
    del rig.account.described["object_2"]
    checked = await rig.check()
    assert [(issue.code, issue.path) for issue in checked.check.issues if issue.severity == "error"] == [
        ("unknown-object", "config.content.write.objects.object_2")
    ]


async def test_an_outage_neither_breaks_nor_mends(rig: Rig) -> None:
    rig.account.status[""] = 503
    sound = await rig.check()
    assert (sound.check.broken, {issue.code for issue in sound.check.issues}) == (False, {"not-described"})
    rig.account.status.clear()
    rig.change("field_2")
    assert (await rig.check()).turn == "broke"
    rig.account.status[""] = 503
    still = await rig.check()
    assert (still.check.broken, still.turn) == (True, "same")
    assert GONE in [issue.path for issue in still.check.issues]


def rounds(rig: Rig, *, owner: str = "", **check: Any) -> SchemaRounds:
    made = schema_rounds(rig.house.services)
    if not owner and not check:
        return made
    services = rig.house.services
    checking = check.get("check", lambda installation: check_schema(services, installation, anew=True))
    return SchemaRounds(services.store, checking, every=DAY, clock=lambda: rig.now[0], owner=owner or "test")


async def test_an_installation_is_checked_a_day_after_it_was_saved_and_each_day_after(rig: Rig) -> None:
    made = rounds(rig)
    assert await made.go() == 0
    rig.now[0] += DAY + timedelta(seconds=1)
    assert [await made.go() for _ in range(2)] == [1, 0]
    rig.now[0] += DAY + timedelta(seconds=1)
    assert [await made.go() for _ in range(2)] == [1, 0]


async def test_what_a_clock_checked_that_was_wrong_is_checked_again(rig: Rig) -> None:
    rig.now[0] += 400 * DAY
    assert await rounds(rig).go() == 1
    rig.now[0] -= 398 * DAY
    assert [await rounds(rig).go() for _ in range(2)] == [1, 0]


async def test_who_mends_a_broken_config_is_believed_at_the_next_round(rig: Rig) -> None:
    rig.change("field_2")
    await rig.check()
    answer = await rig.house.call(
        "PATCH",
        f"/integrations/crm/installations/{rig.installation.id}",
        json={
            "updateMask": ["config.content.write.objects"],
            "installation": {"config": {"content": {"write": {"objects": {"object_2": {}}}}}},
        },
    )
    assert answer.status_code == 200, answer.text
    assert await rounds(rig).go() == 1
    assert [kind for kind, _ in await rig.told()] == ["broken", "mended"]


async def test_where_the_credentials_are_refused_nobody_asks(rig: Rig) -> None:
    await rig.house.services.store.update_connection(
        rig.house.project_id, rig.installation.connection.id, now=START, status="bad_credentials"
    )
    rig.now[0] += 2 * DAY
    before = dict(rig.account.asked)
    assert await rounds(rig).go() == 0
    assert dict(rig.account.asked) == before


async def test_of_two_processes_one_checks_an_installation(rig: Rig) -> None:
    rig.now[0] += 2 * DAY
    rig.change("field_2")
    rig.account.gate.clear()
    going = [asyncio.create_task(rounds(rig, owner=f"process {number}").go()) for number in range(3)]
    await rig.account.waiting(1)
    rig.account.gate.set()
    assert sum(await asyncio.gather(*going)) == 1
    assert [kind for kind, _ in await rig.told()] == ["broken"]


async def test_what_another_process_is_at_is_left_to_it(rig: Rig) -> None:
    rig.now[0] += 2 * DAY
    store = rig.house.services.store
    lease = f"schema-check/{rig.installation.id}"
    assert await store.take_lease(lease, owner="another", seconds=LEASE_SECONDS, dead_after_seconds=1e6)
    assert await rounds(rig).go() == 0
    await store.release_lease(lease, owner="another")
    assert await rounds(rig).go() == 1


async def test_those_that_fail_keep_no_others_from_their_turn(rig: Rig) -> None:
    for number in range(AT_MOST + 1):
        group = f"group {number}"
        await rig.house.connect(group, provider=rig.account.provider, apiKey=rig.account.key)
        await rig.house.install(group, content={"provider": rig.account.provider, "write": {"objects": {}}})
    rig.now[0] += 2 * DAY
    tried: list[str] = []

    async def fail(installation: Installation) -> None:
        tried.append(installation.id)
        raise RuntimeError

    made = rounds(rig, check=fail)
    assert [await made.go() for _ in range(2)] == [0, 0]
    assert len(set(tried)) == AT_MOST + 2


class Away(MemoryStore):
    """A store that fails at first, in two ways."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = 0

    async def due_schema_checks(self, *, before: datetime, now: datetime, limit: int) -> list[tuple[str, str]]:
        """Fail twice."""
        self.asked += 1
        if self.asked < 3:
            raise Unavailable("away") if self.asked == 1 else RuntimeError("nobody foresaw this")
        return await super().due_schema_checks(before=before, now=now, limit=limit)


async def test_the_rounds_go_on_whatever_one_came_to() -> None:
    store, pauses = Away(), list[float]()

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)
        if store.asked == 4:
            raise asyncio.CancelledError

    made = SchemaRounds(store, lambda _: asyncio.sleep(0), every=DAY, clock=lambda: START, owner="test", sleep=sleep)
    with pytest.raises(asyncio.CancelledError):
        await made.run()
    assert (store.asked, pauses) == (4, [60.0] * 5)


class Late(MemoryStore):
    """A store that lists what has gone since."""

    async def due_schema_checks(self, *, before: datetime, now: datetime, limit: int) -> list[tuple[str, str]]:
        """List one that is not there."""
        assert before < now
        return [("p1", "gone")][:limit]


async def test_an_installation_that_goes_while_it_is_due_is_left_out() -> None:
    made = SchemaRounds(Late(), lambda _: asyncio.sleep(0), every=DAY, clock=lambda: START, owner="test")
    assert await made.go() == 0
