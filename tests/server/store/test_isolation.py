"""Another tenant's id answers exactly like one that does not exist, and nothing happens to the row behind it."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from server.store.contract import DeliveryFilter, Missing, OperationFilter, Store, Superseded, Tried
from tests.server.store.samples import (
    NOW,
    SECRET,
    config,
    connect_session,
    connection,
    destination_route,
    event,
    event_route,
    installation,
    later,
    operation,
    provider_app,
    schema_check,
    settlement,
    unplaced,
)

Attempt = Callable[[Store, dict[str, str]], Awaitable[object]]

FOREIGN = {key: f"{key}1" for key in "kjiracnosudtey"} | {"v": "v1"}
UNKNOWN = dict.fromkeys("kjiracnosudteyv", "nothing")

ATTEMPTS: tuple[tuple[str, Attempt], ...] = (
    ("update_api_key", lambda s, x: s.update_api_key("p2", x["k"], active=False)),
    ("delete_api_key", lambda s, x: s.delete_api_key("p2", x["k"])),
    ("update_jwt_key", lambda s, x: s.update_jwt_key("p2", x["j"], now=NOW, active=False)),
    ("delete_jwt_key", lambda s, x: s.delete_jwt_key("p2", x["j"])),
    ("integration", lambda s, x: s.integration("p2", x["i"])),
    ("revision", lambda s, x: s.revision("p2", x["r"])),
    ("delete_integration", lambda s, x: s.delete_integration("p2", x["i"])),
    ("provider_app", lambda s, x: s.provider_app("p2", x["a"])),
    ("update_provider_app", lambda s, x: s.update_provider_app("p2", provider_app(1, id=x["a"], client_id="z"))),
    ("delete_provider_app", lambda s, x: s.delete_provider_app("p2", x["a"])),
    ("client_secret", lambda s, x: s.client_secret("p2", x["a"])),
    ("create_connection", lambda s, x: s.create_connection(connection(2, id="c9", provider_app_id=x["a"]))),
    ("connection", lambda s, x: s.connection("p2", x["c"])),
    ("update_connection", lambda s, x: s.update_connection("p2", x["c"], now=NOW, credentials=b"stolen")),
    ("update_connection if", lambda s, x: s.update_connection("p2", x["c"], now=NOW, if_version=1, event=event())),
    ("update_connection to an app", lambda s, x: s.update_connection("p2", "c2", now=NOW, provider_app_id=x["a"])),
    ("delete_connection", lambda s, x: s.delete_connection("p2", x["c"], event=event())),
    (
        "renew_credentials",
        lambda s, x: s.renew_credentials(
            "p2", x["c"], if_version=1, credentials=b"stolen", keep_alive_at=None, now=NOW
        ),
    ),
    (
        "advance_connect_session",
        lambda s, x: s.advance_connect_session(
            connect_session(2, id=x["s"], stage="started", key_digest=b"stolen"), from_stage="made", now=NOW
        ),
    ),
    ("credentials", lambda s, x: s.credentials("p2", x["c"])),
    (
        "create_installation over a connection",
        lambda s, x: s.create_installation(installation(2, id="n9", group_ref="new", connection_id=x["c"])),
    ),
    (
        "create_installation of an integration",
        lambda s, x: s.create_installation(installation(2, id="n9", group_ref="new", integration_id=x["i"])),
    ),
    ("installation", lambda s, x: s.installation("p2", x["n"])),
    (
        "update_installation",
        lambda s, x: s.update_installation("p2", x["n"], now=NOW, if_config="v1", config=config("v9", number=2)),
    ),
    (
        "update_installation over a connection",
        lambda s, x: s.update_installation("p2", "n2", now=NOW, if_config="v2", connection_id=x["c"]),
    ),
    (
        "update_installation to a revision",
        lambda s, x: s.update_installation(
            "p2", "n2", now=NOW, if_config="v2", config=config("v9", revision_id=x["r"])
        ),
    ),
    ("delete_installation", lambda s, x: s.delete_installation("p2", x["n"])),
    ("keep_schema_check", lambda s, x: s.keep_schema_check("p2", x["n"], lambda _: (schema_check(2), event()))),
    ("operation", lambda s, x: s.operation("p2", x["o"])),
    (
        "operations after",
        lambda s, x: s.operations("p2", OperationFilter(installation_id="n2"), page_size=9, page_token=x["o"]),
    ),
    ("attempts", lambda s, x: s.attempts("p2", x["o"])),
    ("gathered", lambda s, x: s.gathered("p2", x["o"])),
    ("settle", lambda s, x: s.settle(settlement(x["o"], project_id="p2"))),
    ("destination", lambda s, x: s.destination("p2", x["d"])),
    ("update_destination", lambda s, x: s.update_destination("p2", x["d"], now=NOW, url="https://stolen.test")),
    ("delete_destination", lambda s, x: s.delete_destination("p2", x["d"])),
    ("signing_keys", lambda s, x: s.signing_keys("p2", x["d"])),
    (
        "replace_signing_keys",
        lambda s, x: s.replace_signing_keys("p2", x["d"], b"stolen", if_keys=SECRET, now=NOW),
    ),
    ("topic", lambda s, x: s.topic("p2", x["t"])),
    ("rename_topic", lambda s, x: s.rename_topic("p2", x["t"], name="stolen", now=NOW)),
    ("delete_topic", lambda s, x: s.delete_topic("p2", x["t"])),
    ("create_event_route", lambda s, x: s.create_event_route(event_route(2, id="e9", topic_id=x["t"]))),
    ("delete_event_route", lambda s, x: s.delete_event_route("p2", x["e"])),
    (
        "create_destination_route of a topic",
        lambda s, x: s.create_destination_route(destination_route(2, id="y9", topic_id=x["t"])),
    ),
    (
        "create_destination_route to a destination",
        lambda s, x: s.create_destination_route(destination_route(2, id="y9", destination_id=x["d"])),
    ),
    ("delete_destination_route", lambda s, x: s.delete_destination_route("p2", x["y"])),
    ("take_upload", lambda s, x: s.take_upload("p2", x["u"], now=NOW)),
)


async def everything(store: Store, project_id: str) -> list[Any]:
    """Read all that a project has."""
    number = project_id[1:]
    return [
        await store.project(project_id),
        await store.api_keys(project_id),
        await store.jwt_keys(project_id),
        await store.session_key(project_id),
        await store.events(project_id),
        await store.integrations(project_id),
        await store.provider_apps(project_id),
        await store.client_secret(project_id, f"a{number}"),
        await store.connections(project_id),
        await store.credentials(project_id, f"c{number}"),
        await store.installations(project_id),
        await store.schema_checks(project_id),
        await store.operations(project_id, OperationFilter(installation_id=f"n{number}"), page_size=100),
        await store.upload(f"u{number}", now=NOW),
        await store.destinations(project_id),
        await store.signing_keys(project_id, f"d{number}"),
        await store.topics(project_id),
        await store.event_routes(project_id),
        await store.destination_routes(project_id),
        await store.connect_session(connect_session(int(number)).key_digest, now=NOW),
    ]


@pytest.mark.parametrize("attempt", [attempt for _, attempt in ATTEMPTS], ids=[name for name, _ in ATTEMPTS])
async def test_a_foreign_id_answers_like_an_unknown_one_for(store: Store, attempt: Attempt) -> None:
    before = [await everything(store, "p1"), await everything(store, "p2")]
    with pytest.raises((Missing, Superseded)) as foreign:
        await attempt(store, FOREIGN)
    with pytest.raises((Missing, Superseded)) as unknown:
        await attempt(store, UNKNOWN)
    assert type(foreign.value) is type(unknown.value)
    told = str(foreign.value)
    for name in sorted(FOREIGN.values()):
        told = told.replace(f"'{name}'", "'nothing'")
    assert told == str(unknown.value)
    assert [await everything(store, "p1"), await everything(store, "p2")] == before


async def test_lists_hold_nothing_of_another_tenant(store: Store) -> None:
    assert await store.installations("p2", integration_id="i1") == []
    assert (await store.operations("p2", OperationFilter(installation_id="n1"), page_size=9)).results == ()
    assert [one.id for one in await store.connections("p2", group_ref="acme")] == ["c2"]
    await store.update_connection("p1", "c1", now=NOW, event=event())
    assert await store.events("p2") == []
    assert [one.id for one in await store.jwt_keys("p2")] == ["j2", "g2"]
    own = await store.session_key("p2")
    assert own is not None
    assert own.id == "g2"


async def test_an_event_is_stored_for_the_tenant_whose_connection_changed(store: Store) -> None:
    await store.update_connection("p1", "c1", now=NOW, event=event(number=2))
    assert await store.events("p2") == []
    assert await store.events("p1") == [event(sequence=1)]


async def test_what_is_fanned_out_and_claimed_is_of_the_tenant_that_asks(store: Store) -> None:
    await store.update_connection("p1", "c1", now=NOW, event=event())
    assert await store.fan_out("p2", now=NOW, limit=9) == 0
    assert await store.fan_out("p1", now=NOW, limit=9) == 1
    assert await store.claim_deliveries("p2", "d1", owner="me", now=NOW, until=later(60), limit=9) == []
    which = DeliveryFilter()
    assert (await store.deliveries("p2", "d1", which, page_size=9)).results == ()
    (mine,) = await store.claim_deliveries("p1", "d1", owner="me", now=NOW, until=later(60), limit=9)
    theirs = Tried(delivery=replace(mine, project_id="p2"), state="failed", now=NOW, run_at=NOW, disable="gone")
    assert await store.settle_deliveries([theirs]) == [False]
    assert await store.settle_deliveries([replace(theirs, delivery=mine, disable="")]) == [True]
    assert await store.replay_deliveries("p2", "d1", which, now=NOW, dry_run=False) == 0
    assert (await store.destination("p1", "d1")).disabled == ""


async def test_equal_refs_and_names_stay_apart(store: Store) -> None:
    await store.create_connection(connection(2, id="c9", group_name="Theirs", now=later(9)))
    assert (await store.connection("p1", "c1")).group.group_name == "acme"


async def test_another_tenants_finding_is_not_seen(store: Store) -> None:
    assert await store.schema_check("p2", "n1") is None
    assert [check.project_id for check in await store.schema_checks("p2")] == ["p2"]


async def test_another_tenants_operation_is_not_begun_over(store: Store) -> None:
    await store.begin(operation("o1", number=2, payload=b"theirs"))
    assert unplaced(await store.operation("p1", "o1")) == operation()


def test_tables_are_touched_by_the_store_alone() -> None:
    root = Path(__file__).parents[3]
    importers = {
        path.relative_to(root).as_posix()
        for room in ("server", "connectors", "headless", "installations", "migrations")
        for path in (root / room).rglob("*.py")
        if "server.store.tables" in path.read_text()
        and not path.match("server/store/rows/*.py")
        and not path.match("migrations/isthmus_migrations/*.py")
        and not path.match("server/store/tables/*.py")
    }
    assert importers == {
        "migrations/piccolo_app.py",
        "server/store/backlog.py",
        "server/store/census.py",
        "server/store/keyring.py",
        "server/store/piccolo.py",
        "server/store/rotation.py",
        "server/store/sealed.py",
    }
