"""Targets are found once, and never after the configuration they stand for has changed."""

from typing import Any

import httpx
import msgspec
import pytest

from connectors.connector import Account, Connector
from connectors.memory.connector import Memory
from installations.errors import NotFound
from installations.installation import Connection, Installation
from installations.manifest import IntegrationSpec
from server.directory import Directory
from server.store.memory import MemoryStore
from tests.server.store.samples import config, later, populated


class Accounts:
    """Opens every connection, and counts how often."""

    def __init__(self) -> None:
        self.opened: list[str] = []

    def connector(self, provider: str) -> Connector:
        assert provider
        return Memory()

    async def open(self, connection: Connection) -> tuple[Connector, Account, httpx.Auth]:
        self.opened.append(connection.id)
        return Memory(), Account(base_url="https://a.test"), httpx.Auth()


@pytest.fixture
async def store() -> MemoryStore:
    made = MemoryStore()
    await populated(made)
    await made.deploy("p1", [writing()], spec_version="1.0.0", now=later(5), ids=["i9", "r9"])
    await made.update_installation("p1", "n1", now=later(6), if_config="v1", config=config("v9", revision_id="r9"))
    return made


def writing() -> IntegrationSpec:
    body = {"name": "crm", "provider": "hubspot", "write": {"objects": [{"objectName": "contact"}]}}
    return msgspec.convert(body, IntegrationSpec)


async def target(directory: Directory, **changes: str) -> Any:
    asked = {"project_id": "p1", "integration": "crm", "group_ref": "acme", "object_name": "contact", **changes}
    return await directory.target(
        asked["project_id"], asked["integration"], group_ref=asked["group_ref"], object_name=asked["object_name"]
    )


async def test_a_target_is_loaded_once_and_again_after_a_change(store: MemoryStore) -> None:
    accounts = Accounts()
    directory = Directory(store, accounts)
    first = await target(directory)
    assert first is await target(directory)
    assert (first.installation.config.id, first.rules.object_name, accounts.opened) == ("v9", "contact", ["c1"])
    await store.update_installation("p1", "n1", now=later(7), if_config="v9", config=config("v10", revision_id="r9"))
    directory.forget()
    assert (await target(directory)).installation.config.id == "v10"


MISSING = [
    ({"project_id": "p2"}, "'contact'"),
    ({"integration": "other"}, "there is no integration 'other'"),
    ({"group_ref": "nobody"}, "group 'nobody' has not installed"),
    ({"object_name": "deal"}, "'deal'"),
]


@pytest.mark.parametrize(("changes", "said"), MISSING, ids=lambda part: str(part)[:30])
async def test_whichever_link_is_missing_is_named(store: MemoryStore, changes: dict[str, str], said: str) -> None:
    directory = Directory(store, Accounts())
    with pytest.raises(NotFound, match=said):
        await target(directory, **changes)


class Interrupted(MemoryStore):
    """A store in which the configuration changes while somebody reads it."""

    directory: Directory | None = None

    async def installations(self, project_id: str, **narrower: Any) -> list[Installation]:
        found = await super().installations(project_id, **narrower)
        if self.directory is not None:
            self.directory.forget()
        return found


async def test_what_was_read_while_something_changed_is_used_once_and_not_kept() -> None:
    store = Interrupted()
    await populated(store)
    await store.deploy("p1", [writing()], spec_version="1.0.0", now=later(5), ids=["i9", "r9"])
    await store.update_installation("p1", "n1", now=later(6), if_config="v1", config=config("v9", revision_id="r9"))
    accounts = Accounts()
    store.directory = Directory(store, accounts)
    await target(store.directory)
    await target(store.directory)
    assert accounts.opened == ["c1", "c1"]
