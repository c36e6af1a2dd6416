"""Asks a token endpoint for a connection's next token: which grant, which client, which address."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Protocol

import msgspec
from msgspec import UNSET, UnsetType

from connectors.connector import Flow
from connectors.credentials import (
    AuthorizationCodeTokens,
    ClientCredentials,
    CustomCredentials,
    PasswordCredentials,
    Tokened,
)
from connectors.errors import NotSent
from connectors.grants import Client, Granted, for_client, for_password, refresh, trade
from connectors.provider import OAuth2Opts, Provider, TokenRequest
from connectors.secret import Secret
from connectors.templates import TemplateError
from installations.errors import InvalidInput
from installations.installation import Connection, ProviderApp
from installations.record import Fault
from server.places import Places, account_values
from server.store.contract import Missing

NO_APP = "no_provider_app"
"""The fault code where the builder has to register a provider app."""
BAD_SETUP = "token_request_impossible"
"""The fault code where what a connection or a provider declares does not suffice to ask."""

Ask = Callable[[Flow[Granted], str], Awaitable[Granted]]
"""Runs a grant against the network, with a deadline that is shorter than the lease. The text is the endpoint's URL."""


class Apps(Protocol):
    """The part of the store that keeps the builder's OAuth clients."""

    async def provider_apps(self, project_id: str) -> list[ProviderApp]:
        """List them."""
        ...

    async def client_secret(self, project_id: str, app_id: str) -> bytes:
        """Open the secret."""
        ...


class Holder(msgspec.Struct, frozen=True, kw_only=True):
    """Whose token it is: what a grant must know of a connection, made or about to be."""

    project_id: str
    provider: str
    values: Mapping[str, str]
    """What fills the placeholders of endpoints."""
    app: ProviderApp | UnsetType = UNSET


def holder_of(connection: Connection) -> Holder:
    """Describe a connection."""
    return Holder(
        project_id=connection.project_id,
        provider=connection.provider,
        values=account_values(workspace_ref=connection.provider_workspace_ref, metadata=connection.provider_metadata),
        app=connection.provider_app,
    )


class Grants:
    """Every grant that needs no browser."""

    def __init__(self, apps: Apps, places: Places, *, ask: Ask) -> None:
        self._apps = apps
        self._places = places
        self._ask = ask

    async def next(self, holder: Holder, credentials: Tokened) -> Granted:
        """Get the next token, or the first one. Raises `ConnectorError`, as `connectors/grants.py` tells."""
        try:
            url = self._places.endpoints(holder.provider, _known(holder, credentials)).token
            flow = await self._flow(holder, credentials, url=url)
            return await self._ask(flow, url)
        except (InvalidInput, TemplateError) as error:
            raise NotSent(Fault(kind="invalid", message=str(error), code=BAD_SETUP)) from error

    async def _flow(self, holder: Holder, credentials: Tokened, *, url: str) -> Flow[Granted]:
        provider = self._places.providers[holder.provider]
        if isinstance(credentials, CustomCredentials):
            facts = {name: Secret(text) for name, text in holder.values.items()}
            return trade(_token_request(provider), url=url, values={**facts, **credentials.values})
        options = _oauth2(provider)
        if isinstance(credentials, AuthorizationCodeTokens):
            if credentials.refresh_token is None:
                raise NotSent(Fault(kind="auth", message="there is no refresh token", code=BAD_SETUP))
            client = await self._app_client(holder, provider, client_id=credentials.client_id)
            return refresh(options, url=url, client=client, refresh_token=credentials.refresh_token)
        client = _own_client(credentials)
        if isinstance(credentials, ClientCredentials):
            return for_client(options, url=url, client=client)
        name, password = credentials.username, credentials.password
        return for_password(options, url=url, client=client, username=name, password=password)

    async def _app_client(self, holder: Holder, provider: Provider, *, client_id: str) -> Client:
        app = await self._app(holder, provider, client_id=client_id)
        try:
            secret = (await self._apps.client_secret(holder.project_id, app.id)).decode()
        except Missing as error:
            message = f"the provider app of {provider.display_name} that the connection was made with is gone"
            raise NotSent(Fault(kind="not_sent", message=message, code=NO_APP)) from error
        return Client(client_id=app.client_id, client_secret=Secret(secret) if secret else None)

    async def _app(self, holder: Holder, provider: Provider, *, client_id: str) -> ProviderApp:
        """Find the app whose client the tokens were given to; asking with another would kill the grant."""
        if holder.app and client_id in ("", holder.app.client_id):
            return holder.app
        if not client_id:
            return await self._only_app(holder, provider)
        for app in await self._apps.provider_apps(holder.project_id):
            if (app.provider, app.client_id) == (provider.name, client_id):
                return app
        message = f"no provider app of {provider.display_name} has the client {client_id!r} that the tokens belong to"
        raise NotSent(Fault(kind="not_sent", message=message, code=NO_APP))

    async def _only_app(self, holder: Holder, provider: Provider) -> ProviderApp:
        """Tokens that came from elsewhere name no client. With two to choose from, a guess could kill the grant."""
        apps = [app for app in await self._apps.provider_apps(holder.project_id) if app.provider == provider.name]
        if len(apps) == 1:
            return apps[0]
        count = "no provider app is" if not apps else f"{len(apps)} provider apps are"
        message = f"{count} registered for {provider.display_name}, and the connection names none"
        raise NotSent(Fault(kind="not_sent", message=message, code=NO_APP))


def _known(holder: Holder, credentials: Tokened) -> dict[str, str]:
    if not isinstance(credentials, CustomCredentials):
        return dict(holder.values)
    # The address itself may depend on an input, such as a tenant.
    return {**holder.values, **{name: secret.reveal() for name, secret in credentials.values.items()}}


def _own_client(credentials: ClientCredentials | PasswordCredentials) -> Client:
    return Client(client_id=credentials.client_id, client_secret=credentials.client_secret, scopes=credentials.scopes)


def _oauth2(provider: Provider) -> OAuth2Opts:
    if provider.oauth2_opts is UNSET:
        raise NotSent(Fault(kind="invalid", message=f"{provider.display_name} has no OAuth 2", code=BAD_SETUP))
    return provider.oauth2_opts


def _token_request(provider: Provider) -> TokenRequest:
    options = provider.custom_opts
    if options is UNSET or options.token_request is UNSET:
        raise NotSent(Fault(kind="invalid", message=f"{provider.display_name} gives no tokens", code=BAD_SETUP))
    return options.token_request
