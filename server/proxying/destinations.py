"""Whose account a call goes to, and whether the integration and the customer let it through."""

import time
from collections.abc import Callable
from typing import Protocol

import httpx
import msgspec

from connectors.connector import Account, Connector
from installations.installation import Connection, Installation
from server.access.remembered import Remembered
from server.directory import Lookups, find_installation
from server.proxying.calls import Place
from server.proxying.errors import ProxyOff


class Destination(msgspec.Struct, frozen=True, kw_only=True):
    """Where calls of one place go."""

    installation: Installation
    connector: Connector
    base_url: str
    """The provider's, or its module's, without a trailing slash."""
    auth: httpx.Auth


class Store(Lookups, Protocol):
    """The part of the store this module reads."""

    async def installation(self, project_id: str, installation_id: str) -> Installation:
        """Find one. Raises `Missing`."""
        ...


class Accounts(Protocol):
    """Opens a connection for use."""

    async def open(self, connection: Connection) -> tuple[Connector, Account, httpx.Auth]:
        """Find the connector, fill in the base URL, decrypt the credentials."""
        ...

    def module_account(self, account: Account, provider: str, module: str) -> Account:
        """Answer the account below a module's base URL."""
        ...


class Destinations:
    """The destinations of one process, each remembered for a second."""

    def __init__(self, store: Store, accounts: Accounts, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._store = store
        self._accounts = accounts
        self._found = Remembered(self._look_up, monotonic=monotonic)

    def forget(self) -> None:
        """Drop everything, because some configuration changed."""
        self._found.forget()

    async def find(self, place: Place) -> Destination:
        """Find where calls go. Raises `Missing`, `NotFound`, `ProxyOff`, and `Refused` without a usable credential."""
        return await self._found.get(place)

    async def _look_up(self, place: Place) -> Destination:
        installation = await self._installation(place)
        revision = await self._store.revision(place.project_id, installation.config.revision_id)
        offered, chosen = revision.content.proxy, installation.config.content.proxy
        if not offered or not offered.enabled:
            raise ProxyOff("The integration does not offer proxy calls; its manifest needs proxy.enabled.")
        if chosen and not chosen.enabled:
            raise ProxyOff("Proxy calls are switched off in the config of this installation.")
        connector, account, auth = await self._accounts.open(installation.connection)
        if offered.use_module:
            module = revision.content.module or ""
            account = self._accounts.module_account(account, connector.provider.name, module)
        return Destination(installation=installation, connector=connector, base_url=account.base_url, auth=auth)

    async def _installation(self, place: Place) -> Installation:
        if place.installation_id:
            return await self._store.installation(place.project_id, place.installation_id)
        return await find_installation(self._store, place.project_id, place.integration, group_ref=place.group_ref)
