"""Opens a connection for use: which connector, which base URL, which credentials."""

from collections.abc import Iterable, Mapping
from typing import Protocol

from connectors.connector import Account, Connector
from connectors.credentials import (
    Credentials,
    CredentialsError,
    Tokened,
    TokenSource,
    authorize,
    parse_credentials,
    tokened,
)
from connectors.errors import Refused
from connectors.provider import Provider
from connectors.signatures import ConnectionAuth, Verdicts
from installations.installation import Connection
from installations.record import Fault
from server.places import Endpoints, Places, account_values, fill
from server.store.contract import StoredCredentials

__all__ = ["Accounts", "Endpoints", "account_values", "fill"]


class CredentialStore(Protocol):
    """The part of the store that keeps credentials."""

    async def credentials(self, project_id: str, connection_id: str) -> StoredCredentials:
        """Open the credentials of a connection."""
        ...


class Giver(TokenSource, Verdicts, Protocol):
    """Gives the token of a connection, and hears what became of it."""


class Keeper(Protocol):
    """Who keeps tokens fresh (`server/tokens`)."""

    def source(self, connection: Connection, credentials: Tokened, *, version: int) -> Giver:
        """Answer who gives the token of a connection."""
        ...

    def verdicts(self, connection: Connection, *, version: int) -> Verdicts:
        """Answer who takes note of what becomes of credentials without a token."""
        ...


class Accounts(Places):
    """The connectors of this server, and the way from a connection to one of them."""

    def __init__(
        self,
        connectors: Iterable[Connector],
        *,
        provider_urls: Mapping[str, str],
        store: CredentialStore,
        tokens: Keeper,
    ) -> None:
        super().__init__(connectors, provider_urls=provider_urls)
        self._store = store
        self._tokens = tokens

    async def open(self, connection: Connection) -> tuple[Connector, Account, ConnectionAuth]:
        """Answer everything needed to call the customer's account.

        Raises `NotFound` if the provider has left the catalog, `Refused` (``auth``) if there is no usable credential.
        """
        connector = self.connector(connection.provider)
        account = self.account(
            connection.provider,
            workspace_ref=connection.provider_workspace_ref,
            metadata=connection.provider_metadata,
        )
        stored = await self._store.credentials(connection.project_id, connection.id)
        try:
            auth = self._authorize(connection, connector.provider, stored)
        except CredentialsError as error:
            raise Refused(Fault(kind="auth", message=str(error))) from error
        return connector, account, auth

    def _authorize(self, connection: Connection, provider: Provider, stored: StoredCredentials) -> ConnectionAuth:
        credentials: Credentials = parse_credentials(stored.content)
        held = tokened(provider, credentials)
        if held is None:
            auth = authorize(provider, credentials)
            auth.verdicts = self._tokens.verdicts(connection, version=stored.version)
            return auth
        source = self._tokens.source(connection, held, version=stored.version)
        auth = authorize(provider, credentials, tokens=source)
        auth.verdicts = source
        return auth
