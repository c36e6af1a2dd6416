from collections.abc import Awaitable, Callable

import pytest

from server.store.contract import Store
from tests.server.store.samples import (
    api_key,
    config,
    connection,
    jwt_key,
    later,
    project,
    provider_app,
    spec,
)

Change = Callable[[Store], Awaitable[object]]


async def test_a_process_that_beats_lives(store: Store) -> None:
    await store.beat("me", kind="server")
    await store.beat("you", kind="worker")
    await store.beat("me", kind="server")
    assert await store.living(within_seconds=60) == ["me", "you"]
    assert await store.living(within_seconds=-10) == []


async def test_a_store_that_takes_writes_is_ready(store: Store) -> None:
    before = await store.epoch()
    await store.ready()
    assert await store.epoch() == before


CHANGES: tuple[tuple[str, Change], ...] = (
    ("create_project", lambda s: s.create_project(project(3))),
    ("update_project", lambda s: s.update_project("p1", now=later(9), name="x")),
    ("add_api_key", lambda s: s.add_api_key("p1", api_key(3))),
    ("update_api_key", lambda s: s.update_api_key("p1", "k1", active=False)),
    ("delete_api_key", lambda s: s.delete_api_key("p1", "k1")),
    ("add_jwt_key", lambda s: s.add_jwt_key(jwt_key(1, id="j9"))),
    ("update_jwt_key", lambda s: s.update_jwt_key("p1", "j1", now=later(9), active=False)),
    ("delete_jwt_key", lambda s: s.delete_jwt_key("p1", "j1")),
    ("deploy", lambda s: s.deploy("p1", [spec("n")], spec_version="1.0.0", now=later(9), ids=["x", "y"])),
    ("delete_integration", lambda s: s.delete_integration("p1", "i1")),
    ("update_provider_app", lambda s: s.update_provider_app("p1", provider_app())),
    ("delete_provider_app", lambda s: s.delete_provider_app("p1", "a1")),
    ("create_connection", lambda s: s.create_connection(connection(1, id="c9"))),
    ("update_connection", lambda s: s.update_connection("p1", "c1", now=later(9), credentials=b"new")),
    (
        "update_installation",
        lambda s: s.update_installation("p1", "n1", now=later(9), if_config="v1", config=config("v9")),
    ),
    ("delete_installation", lambda s: s.delete_installation("p1", "n1")),
)


@pytest.mark.parametrize("change", [change for _, change in CHANGES], ids=[name for name, _ in CHANGES])
async def test_the_epoch_grows_with(store: Store, change: Change) -> None:
    before = await store.epoch()
    await change(store)
    assert await store.epoch() > before
