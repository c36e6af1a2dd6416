"""Provider apps over HTTP: the builder's OAuth clients. The secret goes in and never comes out."""

from typing import Annotated

import msgspec
from litestar import delete, get, patch, post
from litestar.params import FromPath, RawBody
from litestar.status_codes import HTTP_200_OK
from msgspec import UNSET, Meta, UnsetType

from connectors.secret import Veiled
from installations.errors import invalid
from installations.installation import ProviderApp
from server.api.bodies import Name, Text, UpdateMask, parse_body, parse_masked
from server.api.provided import Entered, FromApp, takes
from server.door.address import unescape
from server.services import Services

OAuthScopes = Annotated[tuple[Name, ...], Meta(max_length=200)]


class ProviderAppMetadata(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """Parameters that go along when a customer is asked to consent."""

    auth_query_params: dict[str, list[str]] | UnsetType = UNSET
    provider_params: dict[str, str] | UnsetType = UNSET


class CreateProviderApp(Veiled, frozen=True, kw_only=True, rename="camel"):
    """What a new provider app shall be."""

    provider: Name
    client_id: Name
    client_secret: Text
    external_ref: Name | UnsetType = UNSET
    scopes: OAuthScopes | UnsetType = UNSET
    metadata: ProviderAppMetadata | UnsetType = UNSET


class ProviderAppChange(Veiled, frozen=True, kw_only=True, rename="camel"):
    """What may be changed of a provider app."""

    provider: Name | UnsetType = UNSET
    client_id: Name | UnsetType = UNSET
    client_secret: Text | UnsetType = UNSET
    external_ref: Name | UnsetType = UNSET
    scopes: OAuthScopes | UnsetType = UNSET
    metadata: ProviderAppMetadata | UnsetType = UNSET


class UpdateProviderApp(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A masked change."""

    update_mask: UpdateMask
    provider_app: ProviderAppChange


@post("/provider-apps", status_code=HTTP_200_OK, opt=takes(CreateProviderApp))
async def create_provider_app(services: FromApp, project_id: Entered, body: RawBody) -> ProviderApp:
    """Keep the OAuth client that you have registered at a provider; the answer is a 200, as published."""
    wanted = parse_body(body, CreateProviderApp)
    _check_provider(services, wanted.provider)
    app = ProviderApp(
        id=services.new_id(),
        project_id=project_id,
        provider=wanted.provider,
        client_id=wanted.client_id,
        create_time=services.clock(),
        external_ref=wanted.external_ref,
        scopes=wanted.scopes,
        metadata=_plain(wanted.metadata),
    )
    await services.store.create_provider_app(app, client_secret=wanted.client_secret.encode())
    return app


@get("/provider-apps")
async def list_provider_apps(services: FromApp, project_id: Entered) -> list[ProviderApp]:
    """List provider apps, oldest first."""
    return await services.store.provider_apps(project_id)


@patch("/provider-apps/{provider_app_id:str}", opt=takes(UpdateProviderApp))
async def update_provider_app(
    services: FromApp, project_id: Entered, provider_app_id: FromPath[str], body: RawBody
) -> ProviderApp:
    """Replace the members that the mask names."""
    members = parse_masked(body, UpdateProviderApp)
    secret = members.pop("client_secret", None)
    if "provider" in members:
        _check_provider(services, members["provider"])
    if "metadata" in members:
        members["metadata"] = _plain(members["metadata"])
    app = await services.store.provider_app(project_id, unescape(provider_app_id))
    return await services.store.update_provider_app(
        project_id,
        msgspec.structs.replace(app, **members, update_time=services.clock()),
        client_secret=secret.encode() if secret is not None else None,
    )


@delete("/provider-apps/{provider_app_id:str}")
async def delete_provider_app(services: FromApp, project_id: Entered, provider_app_id: FromPath[str]) -> None:
    """Remove a provider app. Its connections stay, but tokens that were had by it cannot be renewed any more."""
    await services.store.delete_provider_app(project_id, unescape(provider_app_id))


def _check_provider(services: Services, provider: str) -> None:
    if provider not in services.accounts.providers:
        raise invalid("provider", f"there is no provider {provider!r}", code="unknown-provider")


def _plain(metadata: ProviderAppMetadata | UnsetType) -> dict[str, object] | UnsetType:
    return UNSET if metadata is UNSET else msgspec.to_builtins(metadata)
