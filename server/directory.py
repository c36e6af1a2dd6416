"""Finds everything a write needs, for a (project, integration, group, object), without asking the database twice.

A `Target` is compiled once for each config revision and kept until any configuration changes (`server/changes.py`),
because a write must not wait for the database to learn what it knew a moment ago.
"""

from typing import Protocol

import httpx
import msgspec

from connectors.connector import Account, CaseBlind, Connector
from installations.errors import Issue, NotFound
from installations.installation import Connection, Installation, Integration, Revision
from installations.operation import Operation
from installations.pipeline import Rules, compile_rules
from server.store.contract import Missing

MOST_OPENED = 5_000
"""How many installations are kept opened: about 15 KB each."""
MOST_TARGETS = 20_000
"""How many are kept: about 5 KB each."""


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """Where a write goes, and under whose rules."""

    installation: Installation
    rules: Rules
    connector: Connector
    account: Account
    auth: httpx.Auth


class Opened(msgspec.Struct, frozen=True, kw_only=True):
    """Where a stored write goes: its rules have been applied already."""

    installation: Installation
    connector: Connector
    account: Account
    auth: httpx.Auth


class Lookups(Protocol):
    """The part of the store this module reads."""

    async def installation(self, project_id: str, installation_id: str) -> Installation:
        """Find one."""
        ...

    async def integration(self, project_id: str, id_or_name: str) -> Integration:
        """Find one."""
        ...

    async def installations(
        self, project_id: str, *, integration_id: str | None = None, group_ref: str | None = None
    ) -> list[Installation]:
        """List."""
        ...

    async def revision(self, project_id: str, revision_id: str) -> Revision:
        """Find one."""
        ...


class Accounts(Protocol):
    """Opens a connection for use."""

    def connector(self, provider: str) -> Connector:
        """Find a connector. Raises `NotFound`."""
        ...

    async def open(self, connection: Connection) -> tuple[Connector, Account, httpx.Auth]:
        """Find the connector, fill in the base URL, decrypt the credentials."""
        ...


class Directory:
    """The targets of one process."""

    def __init__(self, store: Lookups, accounts: Accounts) -> None:
        self._store = store
        self._accounts = accounts
        self._targets: dict[tuple[str, str, str, str], Target] = {}
        self._opened: dict[tuple[str, str], Opened] = {}
        self._installations: dict[tuple[str, str], Installation] = {}
        self._integrations: dict[tuple[str, str], Integration] = {}
        self._generation = 0

    def forget(self) -> None:
        """Drop everything, because some configuration changed."""
        self._generation += 1
        self._targets.clear()
        self._opened.clear()
        self._installations.clear()
        self._integrations.clear()

    async def opened(self, operation: Operation) -> Opened:
        """Open what a stored write goes to, as it is now.

        Raises `Missing` or `NotFound` where that is gone, `Refused` (``auth``) without a usable credential.
        """
        key = (operation.project_id, operation.installation_id)
        if (found := self._opened.get(key)) is not None:
            return found
        generation = self._generation
        installation = await self._store.installation(*key)
        connector, account, auth = await self._accounts.open(installation.connection)
        opened = Opened(installation=installation, connector=connector, account=account, auth=auth)
        if generation == self._generation:
            if len(self._opened) >= MOST_OPENED:
                self._opened.clear()
            self._opened[key] = opened
        return opened

    async def connector(self, operation: Operation) -> Connector:
        """Answer how to talk to what a stored write goes to, credentials or not. Raises `Missing`, `NotFound`."""
        installation = await self.installation(operation.project_id, operation.installation_id)
        return self._accounts.connector(installation.connection.provider)

    async def installation(self, project_id: str, installation_id: str) -> Installation:
        """Find one, without the database where it is known. Raises `Missing`."""
        key = (project_id, installation_id)
        if (opened := self._opened.get(key)) is not None:
            return opened.installation
        if (found := self._installations.get(key)) is not None:
            return found
        generation = self._generation
        installation = await self._store.installation(*key)
        if generation == self._generation:
            if len(self._installations) >= MOST_OPENED:
                self._installations.clear()
            self._installations[key] = installation
        return installation

    async def integration(self, project_id: str, id_or_name: str) -> Integration:
        """Find one. Raises `Missing`."""
        if (found := self._integrations.get((project_id, id_or_name))) is not None:
            return found
        generation = self._generation
        integration = await self._store.integration(project_id, id_or_name)
        if generation == self._generation:
            if len(self._integrations) >= MOST_OPENED:
                self._integrations.clear()
            self._integrations[project_id, id_or_name] = integration
        return integration

    async def target(self, project_id: str, integration: str, *, group_ref: str, object_name: str) -> Target:
        """Find the target. Raises `NotFound` with a sentence for whichever link is missing."""
        key = (project_id, integration, group_ref, object_name)
        found = self._targets.get(key)
        if found is not None:
            return found
        generation = self._generation
        target = await self._load(project_id, integration, group_ref=group_ref, object_name=object_name)
        # A change that came while we were reading may have been missed by what we read.
        if generation == self._generation:
            if len(self._targets) >= MOST_TARGETS:
                self._targets.clear()
            self._targets[key] = target
        return target

    async def _load(self, project_id: str, integration: str, *, group_ref: str, object_name: str) -> Target:
        installation = await find_installation(self._store, project_id, integration, group_ref=group_ref)
        revision = await self._store.revision(project_id, installation.config.revision_id)
        connector, account, auth = await self._accounts.open(installation.connection)
        rules = compile_rules(
            revision.content, installation.config.content, object_name, ignores_case=isinstance(connector, CaseBlind)
        )
        return Target(installation=installation, rules=rules, connector=connector, account=account, auth=auth)


async def find_installation(store: Lookups, project_id: str, integration: str, *, group_ref: str) -> Installation:
    """Find what a group installed. Raises `NotFound` with a sentence for whichever link is missing."""
    try:
        found = await store.integration(project_id, integration)
    except Missing as error:
        raise _not_found("path.integrationId", f"there is no integration {integration!r} in this project") from error
    installations = await store.installations(project_id, integration_id=found.id, group_ref=group_ref)
    if not installations:
        raise _not_found("groupRef", f"group {group_ref!r} has not installed the integration {found.name!r}")
    return installations[0]


def _not_found(path: str, message: str) -> NotFound:
    return NotFound([Issue(path=path, message=message, code="not-found")])
