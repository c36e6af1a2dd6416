"""What is taken back ends on every process within a second, over a real database and the poll for changes."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager

import msgspec
import pytest

from installations.installation import AccessPolicy, Project
from server.access.errors import AccessError
from server.access.keyring import Keyring
from server.access.keys import new_key
from server.changes import Changes, follow
from server.clock import utc_now
from server.settings import Settings
from server.store.contract import Store
from server.store.opening import open_store
from tests.server.access.test_tokens import jwt_key
from tests.server.house import START, stored_key
from tests.server.signing import claims_at, header_for, signed
from tests.server.store.samples import MASTER_KEY

PROMISED_SECONDS = 1.0
BUSY_SECONDS = 0.5
"""What a machine with other things to do may add."""
KINDS = {"sqlite": "sqlite_url", "postgres": "migrated_postgres_url"}


class Here(msgspec.Struct, kw_only=True):
    """Two processes' worth of key rings over one database, and credentials that both know."""

    store: Store
    """Of the process where changes are made."""
    elsewhere: Keyring
    key: str
    key_id: str
    token: str


@asynccontextmanager
async def following(store: Store) -> AsyncIterator[Keyring]:
    """Do what a server does: look for changes, and forget."""
    keyring, changes, looked = Keyring(store), Changes(), asyncio.Event()
    changes.subscribe(keyring.forget)
    changes.subscribe(looked.set)
    task = asyncio.create_task(follow(changes, store=store))
    try:
        await looked.wait()
        yield keyring
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def opened(stack: AsyncExitStack, url: str) -> Store:
    store = open_store(Settings(database_url=url, master_keys=(MASTER_KEY,)))
    await store.start()
    stack.push_async_callback(store.close)
    return store


@pytest.fixture(params=KINDS)
async def here(request: pytest.FixtureRequest) -> AsyncIterator[Here]:
    url = request.getfixturevalue(KINDS[request.param])
    async with AsyncExitStack() as stack:
        store = await opened(stack, url)
        # SQLite has one process; there the second key ring stands for what that process remembers.
        other = await opened(stack, url) if request.param == "postgres" else store
        text = new_key()
        key = stored_key("p1", text, scopes=("frontend",))
        project = Project(id="p1", name="acme", app_name="Acme", org_id="o", create_time=START)
        await store.create_project(project, key=key)
        await store.add_jwt_key(jwt_key("k1", "p1"))
        token = signed(header_for("k1"), claims_at(utc_now().timestamp()))
        elsewhere = await stack.enter_async_context(following(other))
        yield Here(store=store, elsewhere=elsewhere, key=text, key_id=key.id, token=token)


Change = Callable[[Here], Awaitable[object]]
OF_KEYS: list[tuple[str, Change]] = [
    ("switched off", lambda here: here.store.update_api_key("p1", here.key_id, active=False)),
    ("deleted", lambda here: here.store.delete_api_key("p1", here.key_id)),
    (
        "barred",
        lambda here: here.store.update_project("p1", now=START, access_policy=AccessPolicy(require_jwt=True)),
    ),
]
OF_TOKENS: list[tuple[str, Change]] = [
    ("switched off", lambda here: here.store.update_jwt_key("p1", "k1", now=START, active=False)),
    ("deleted", lambda here: here.store.delete_jwt_key("p1", "k1")),
    (
        "barred",
        lambda here: here.store.update_project(
            "p1", now=START, access_policy=AccessPolicy(allowed_origins=("https://app.example.com",))
        ),
    ),
]


async def seconds_until_refused(here: Here, header: tuple[bytes, bytes], change: Change) -> float:
    """Use a credential elsewhere without a pause, change something here, and wait until it is refused."""
    assert (await here.elsewhere.admit([header])).project_id == "p1"
    await change(here)
    began = time.monotonic()
    while True:
        try:
            await here.elsewhere.admit([header])
        except AccessError:
            return time.monotonic() - began
        assert time.monotonic() < began + 10
        await asyncio.sleep(0)


@pytest.mark.parametrize("change", [row[1] for row in OF_KEYS], ids=[row[0] for row in OF_KEYS])
async def test_an_api_key_ends_everywhere_within_a_second(here: Here, change: Change) -> None:
    took = await seconds_until_refused(here, (b"x-api-key", here.key.encode()), change)
    assert took <= PROMISED_SECONDS + BUSY_SECONDS


@pytest.mark.parametrize("change", [row[1] for row in OF_TOKENS], ids=[row[0] for row in OF_TOKENS])
async def test_a_token_ends_everywhere_within_a_second_of_its_key(here: Here, change: Change) -> None:
    took = await seconds_until_refused(here, (b"authorization", f"Bearer {here.token}".encode()), change)
    assert took <= PROMISED_SECONDS + BUSY_SECONDS
