"""Connections over HTTP: a group's access to a provider, made without a browser."""

from typing import Annotated, Any, Literal

import msgspec
from litestar import delete, get, patch, post
from litestar.params import FromPath, FromQuery, QueryParameter, RawBody
from msgspec import UNSET, Meta, UnsetType

from connectors.connector import Account, Connector, Prober
from connectors.credentials import Credentials, CredentialsError, authorize, build_credentials
from connectors.departure import ADDRESS_DENIED
from connectors.errors import ConnectorError
from connectors.provider import Provider
from installations.errors import InvalidInput, Issue, at, invalid
from installations.installation import Connection, ConnectionStatus, MetadataValue
from server.access.keyring import Access
from server.accounts import account_values
from server.api.bodies import Name, Text, UpdateMask, parse_body, parse_masked
from server.api.credential_forms import CredentialForms, Opened, open_forms
from server.api.provided import Entered, FromAccess, FromApp, takes
from server.api.stored_tokens import ConnectionWithTokens, with_tokens
from server.door.address import unescape
from server.events import connection_event, creation_event
from server.inputs import as_given, completed, metadata_issues
from server.services import Services
from server.store.contract import NewConnection
from server.tokens.held import keep_alive_at

GroupRef = Annotated[str | None, QueryParameter(name="groupRef", max_length=255)]


DisplayName = Annotated[str, Meta(max_length=255)]
"""Empty where a host page has none to pass on; then the reference is the name."""


class GenerateConnection(CredentialForms, frozen=True, kw_only=True, rename="camel"):
    """What a new connection shall be."""

    provider: Name
    group_ref: Name
    consumer_ref: Name
    group_name: DisplayName | UnsetType = UNSET
    consumer_name: DisplayName | UnsetType = UNSET
    provider_workspace_ref: Name | UnsetType = UNSET
    provider_metadata: dict[Name, MetadataValue] | UnsetType = UNSET


class ConnectionChange(CredentialForms, frozen=True, kw_only=True, rename="camel"):
    """What may be changed of a connection."""

    provider_workspace_ref: Text | UnsetType = UNSET
    provider_metadata: dict[Name, MetadataValue] | UnsetType = UNSET


class UpdateConnection(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A masked change."""

    update_mask: UpdateMask
    connection: ConnectionChange


@post("/connections/:generate", opt=takes(GenerateConnection))
async def generate_connection(services: FromApp, access: FromAccess, project_id: Entered, body: RawBody) -> Connection:
    """Make a connection without a browser: from a key, a password, a client, or tokens that were had elsewhere.

    The credential is tried where the provider allows that cheaply; a refused one is a 422.
    """
    wanted = parse_body(body, GenerateConnection)
    access.require_person(wanted.group_ref, wanted.consumer_ref)
    connector = _connector(services, wanted.provider)
    given, ref = as_given(wanted.provider_metadata), wanted.provider_workspace_ref
    metadata = completed(given, connector.provider, workspace_ref=ref) or UNSET
    wanted = msgspec.structs.replace(wanted, provider_metadata=metadata)
    account, opened = _filled_in(services, wanted, provider=connector.provider)
    status, credentials = await _try(services, connector, account, opened, project_id=project_id)
    new = NewConnection(
        id=services.new_id(),
        project_id=project_id,
        provider=wanted.provider,
        group_ref=wanted.group_ref,
        consumer_ref=wanted.consumer_ref,
        auth_scheme=opened.scheme,
        status=status,
        now=services.clock(),
        credentials=build_credentials(credentials),
        group_name=wanted.group_name or UNSET,
        consumer_name=wanted.consumer_name or UNSET,
        provider_workspace_ref=wanted.provider_workspace_ref,
        provider_metadata=wanted.provider_metadata,
        keep_alive_at=keep_alive_at(connector.provider, credentials, now=services.clock()),
    )
    known = await services.store.connections(project_id, consumer_ref=new.consumer_ref)
    event = creation_event(new, known=known, event_id=services.new_id())
    return await services.store.create_connection(new, event=event)


@get("/connections")
async def list_connections(  # noqa: PLR0917 -- a handler's parameters are its URL's
    services: FromApp,
    access: FromAccess,
    project_id: Entered,
    provider: FromQuery[str | None] = None,
    group_ref: GroupRef = None,
    consumer_ref: Annotated[str | None, QueryParameter(name="consumerRef", max_length=255)] = None,
) -> list[Connection]:
    """List connections, a usable one first; to a browser, one group's only."""
    access.require_one_group(group_ref)
    if access.hides(group_ref):
        return []
    group_ref = access.group_ref if group_ref is None else group_ref
    return await services.store.connections(
        project_id, provider=provider, group_ref=group_ref, consumer_ref=consumer_ref
    )


@get("/connections/{connection_id:str}")
async def get_connection(  # noqa: PLR0917 -- a handler's parameters are its URL's
    services: FromApp,
    access: FromAccess,
    project_id: Entered,
    connection_id: FromPath[str],
    include_creds: Annotated[bool, QueryParameter(name="includeCreds")] = False,  # noqa: FBT002 -- a query flag
    include_refresh_token: Annotated[bool, QueryParameter(name="includeRefreshToken")] = False,  # noqa: FBT002 -- as above
    refresh: FromQuery[Literal["force", "ifExpired"] | None] = None,
) -> ConnectionWithTokens:
    """Show a connection; to a key with the scope full also its OAuth tokens, which ``refresh`` has renewed before."""
    connection = await find_connection(services, project_id, connection_id, access=access)
    shows_tokens = include_creds or include_refresh_token
    if shows_tokens or refresh is not None:
        access.require_full()
    if refresh is not None:
        connection = await services.tokens.refresh(connection, force=refresh == "force")
    if not shows_tokens:
        return with_tokens(connection, None)
    stored = await services.store.credentials(project_id, connection.id)
    return with_tokens(connection, stored.content, refresh_token=include_refresh_token)


@patch("/connections/{connection_id:str}", opt=takes(UpdateConnection))
async def update_connection(
    services: FromApp, access: FromAccess, project_id: Entered, connection_id: FromPath[str], body: RawBody
) -> Connection:
    """Replace what the mask names. New credentials must be of the connection's kind."""
    members = parse_masked(body, UpdateConnection)
    connection = await find_connection(services, project_id, connection_id, access=access)
    named = ("provider_workspace_ref", "provider_metadata")
    described: dict[str, Any] = {name: members.pop(name) for name in named if name in members}
    if "provider_metadata" in described:
        given = as_given(described["provider_metadata"], known=connection.provider_metadata)
        ref = described.get("provider_workspace_ref", connection.provider_workspace_ref)
        provider = services.accounts.connector(connection.provider).provider
        described["provider_metadata"] = completed(given, provider, workspace_ref=ref)
    account = _described(services, connection, described)
    if not members and access.reach != "full":
        _require_same_addresses(services, connection, account)
    if members:
        described |= await _new_credentials(services, connection, account, CredentialForms(**members))
    now = services.clock()
    event = connection_event("connection.updated", connection, event_id=services.new_id(), now=now)
    return await services.store.update_connection(project_id, connection.id, now=now, event=event, **described)


@delete("/connections/{connection_id:str}")
async def delete_connection(
    services: FromApp, access: FromAccess, project_id: Entered, connection_id: FromPath[str]
) -> None:
    """Remove a connection that no installation uses any more; another one stays, which is a 409. Raises `InUse`."""
    connection = await find_connection(services, project_id, connection_id, access=access)
    event = connection_event("connection.deleted", connection, event_id=services.new_id(), now=services.clock())
    await services.store.delete_connection(project_id, connection.id, event=event)


async def find_connection(services: Services, project_id: str, connection_id: str, *, access: Access) -> Connection:
    """Find a connection by the path's name for it. Raises `Missing`, also for one of a group the caller may not see."""
    name = unescape(connection_id)
    connection = await services.store.connection(project_id, name)
    access.require_sight(connection.group.group_ref, noun="connection", name=name)
    return connection


def _filled_in(services: Services, wanted: GenerateConnection, *, provider: Provider) -> tuple[Account, Opened]:
    """Check all that the customer filled in. Raises `InvalidInput` with every issue of it."""
    issues: list[Issue] = []
    account = opened = None
    try:
        account = _account(services, provider, wanted.provider_workspace_ref, wanted.provider_metadata)
    except InvalidInput as error:
        issues += error.issues
    try:
        opened = open_forms(wanted, provider=provider)
    except InvalidInput as error:
        issues += error.issues
    if account is None or opened is None:
        raise InvalidInput(issues)
    return account, opened


def _account(
    services: Services,
    provider: Provider,
    workspace_ref: str | UnsetType,
    metadata: dict[str, MetadataValue] | UnsetType,
) -> Account:
    """Find the account. Raises `InvalidInput` with every declared input that is missing or not allowed."""
    issues: list[Issue] = []
    account = None
    try:
        account = services.accounts.account(provider.name, workspace_ref=workspace_ref, metadata=metadata)
    except InvalidInput as error:
        issues += error.issues
    named = {issue.path for issue in issues}
    known = account_values(workspace_ref=workspace_ref, metadata=metadata)
    issues += [issue for issue in metadata_issues(provider, known) if issue.path not in named]
    if account is None or issues:
        raise InvalidInput(issues)
    return account


def _described(services: Services, connection: Connection, described: dict[str, Any]) -> Account:
    ref = described.get("provider_workspace_ref", connection.provider_workspace_ref)
    metadata = described.get("provider_metadata", connection.provider_metadata)
    if described:
        provider = _connector(services, connection.provider).provider
        try:
            return _account(services, provider, ref, metadata)
        except InvalidInput as error:
            below = (msgspec.structs.replace(issue, path=f"connection.{issue.path}") for issue in error.issues)
            raise InvalidInput(below) from error
    # What a provider has come to ask for since must not keep anybody from giving a new key.
    return services.accounts.account(connection.provider, workspace_ref=ref, metadata=metadata)


def _require_same_addresses(services: Services, connection: Connection, account: Account) -> None:
    """Raises `InvalidInput` where stored credentials would go where a visitor of the embedded UI wants them to."""
    ref, metadata = connection.provider_workspace_ref, connection.provider_metadata
    before = account_values(workspace_ref=ref, metadata=metadata)
    if services.accounts.leads_elsewhere(connection.provider, account.metadata, than=before):
        message = "this would send the stored credentials to another address"
        remedy = "Give the credentials of that account in the same change, connect it anew, or use a full API key."
        raise invalid("connection", message, code="credentials", remedy=remedy)


async def _new_credentials(
    services: Services, connection: Connection, account: Account, forms: CredentialForms
) -> dict[str, Any]:
    connector = _connector(services, connection.provider)
    opened = open_forms(forms, provider=connector.provider, path="connection")
    if opened.scheme != connection.auth_scheme:
        message = f"the connection authenticates by {connection.auth_scheme}, which does not change"
        raise invalid(f"connection.{opened.member}", message, code="credentials")
    status, credentials = await _try(
        services, connector, account, opened, project_id=connection.project_id, path="connection"
    )
    return {
        "credentials": build_credentials(credentials),
        "status": status,
        "keep_alive_at": keep_alive_at(connector.provider, credentials, now=services.clock()),
    }


def _connector(services: Services, provider: str) -> Connector:
    if provider not in services.accounts.providers:
        raise invalid("provider", f"there is no provider {provider!r}", code="unknown-provider")
    return services.accounts.connector(provider)


async def _try(
    services: Services, connector: Connector, account: Account, opened: Opened, *, project_id: str, path: str = ""
) -> tuple[ConnectionStatus, Credentials]:
    """Tell whether the credential works, and answer it with its first token where it is of a kind that has one.

    Raises `InvalidInput` if the provider refuses it, and `ConnectorError` where a first token is needed and nobody
    can tell; where nobody can tell of another one, it is ``created``.
    """
    credentials, provider = opened.credentials, connector.provider
    try:
        credentials = await services.tokens.first(provider, credentials, project_id=project_id, values=account.metadata)
    except ConnectorError as error:
        _require_taken(error, provider, at(path, opened.member))
        raise
    if not isinstance(connector, Prober):
        return "created", credentials
    try:
        auth = authorize(provider, credentials)
        await services.perform(connector.probe(account), auth=auth, origin=account.base_url)
    except CredentialsError:
        return "created", credentials
    except ConnectorError as error:
        _require_taken(error, provider, at(path, opened.member))
        return "created", credentials
    return "working", credentials


def _require_taken(error: ConnectorError, provider: Provider, path: str) -> None:
    """Raises `InvalidInput` for an error that says that the credential, or the address, is not good."""
    if error.fault.code == ADDRESS_DENIED:
        remedy = "The operator allows a range of addresses in ISTHMUS_ALLOWED_NETWORKS."
        message = f"{provider.display_name} may not be called: {error.fault.message}"
        raise invalid("provider", message, code="address-denied", remedy=remedy) from error
    if error.fault.kind in ("auth", "forbidden"):
        message = f"{provider.display_name} refuses these credentials: {error.fault.message}"
        raise invalid(path, message, code="credentials-refused") from error
