"""Revisions over HTTP: one of them, filled in with what a customer's own account has, for the embedded UI."""

import asyncio
from typing import Annotated

from litestar import get
from litestar.params import FromPath, QueryParameter

from connectors.connector import Describer
from connectors.errors import ConnectorError
from installations.errors import InvalidInput, invalid
from installations.hydration import HydratedRevision, hydrate, objects_of
from installations.installation import Connection
from installations.schema import ObjectMetadata
from server.api.provided import Entered, FromAccess, FromApp
from server.door.address import unescape
from server.services import Services
from server.store.contract import Missing

AT_ONCE = 4
"""How many objects of one account are asked for at the same time; the customer waits, and the provider counts."""


@get("/integrations/{integration_id_or_name:str}/revisions/{revision_id:str}/:hydrate")
async def hydrate_revision(  # noqa: PLR0917 -- a handler's parameters are its URL's
    services: FromApp,
    access: FromAccess,
    project_id: Entered,
    integration_id_or_name: FromPath[str],
    revision_id: FromPath[str],
    connection_id: Annotated[str, QueryParameter(name="connectionId", max_length=255)],
) -> HydratedRevision:
    """Show a revision with the fields of one connection's account; an object that cannot be described says why."""
    integration = await services.store.integration(project_id, unescape(integration_id_or_name))
    revision = await services.store.revision(project_id, unescape(revision_id))
    if revision.content.name != integration.name:
        raise Missing("There is no such revision of this integration.")
    connection = await services.store.connection(project_id, connection_id)
    access.require_sight(connection.group.group_ref, noun="connection", name=connection_id)
    if connection.provider != integration.provider:
        message = f"the connection is to {connection.provider}, the integration to {integration.provider}"
        raise invalid("query.connectionId", message, code="provider-mismatch")
    return hydrate(revision, await _describe(services, connection, objects_of(revision.content)))


async def _describe(
    services: Services, connection: Connection, names: tuple[str, ...]
) -> dict[str, ObjectMetadata | str]:
    connector, account, auth = await services.accounts.open(connection)
    if not isinstance(connector, Describer):
        return dict.fromkeys(names, f"{connector.provider.display_name} cannot describe its objects.")
    slots = asyncio.Semaphore(AT_ONCE)

    async def ask(name: str) -> ObjectMetadata | str:
        try:
            async with slots:
                return await services.perform(connector.describe(account, name), auth=auth, origin=account.base_url)
        except ConnectorError as error:
            return error.fault.message
        except InvalidInput as error:
            return str(error)

    return dict(zip(names, await asyncio.gather(*map(ask, names)), strict=True))
