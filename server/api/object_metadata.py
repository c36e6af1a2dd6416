"""What a customer's own account has, asked live: one object and its fields, through an installation or a connection."""

from typing import Annotated

import msgspec
from litestar import get
from litestar.params import FromPath, QueryParameter
from msgspec import UNSET, UnsetType

from installations.manifest import IntegrationSpec, ReadObject, WriteObject
from installations.schema import ObjectMetadata
from server.api.provided import Entered, FromApp
from server.door.address import unescape
from server.store.contract import Missing

GroupRef = Annotated[str, QueryParameter(name="groupRef", max_length=255)]
ExcludeReadOnly = Annotated[bool, QueryParameter(name="excludeReadOnly")]
Refresh = Annotated[bool, QueryParameter(name="refresh")]
"""Asked live unless told otherwise: the published route is, and a backend may have made a field a moment ago."""


@get("/integrations/{integration_id_or_name:str}/objects/{object_name:str}/metadata")
async def get_integration_object(  # noqa: PLR0917 -- a handler's parameters are its URL's
    services: FromApp,
    project_id: Entered,
    integration_id_or_name: FromPath[str],
    object_name: FromPath[str],
    group_ref: GroupRef,
    exclude_read_only: ExcludeReadOnly = False,  # noqa: FBT002 -- a query flag
    refresh: Refresh = True,  # noqa: FBT002 -- as above
) -> ObjectMetadata:
    """Describe an object for an installation; its name is the provider's, or the product's own.

    The account is asked, unless ``refresh=false`` says that a description up to ten minutes old will do.
    """
    integration = await services.store.integration(project_id, unescape(integration_id_or_name))
    found = await services.store.installations(project_id, integration_id=integration.id, group_ref=group_ref)
    if not found:
        raise Missing(f"Group {group_ref!r} has not installed this integration.")
    revision = await services.store.revision(project_id, found[0].config.revision_id)
    native, mapped = _names(revision.content, unescape(object_name))
    described = await services.schemas.describe(found[0].connection, native, refresh=refresh)
    return msgspec.structs.replace(_shown(described, writable_only=exclude_read_only), mapped_object_name=mapped)


@get("/providers/{provider:str}/objects/{object_name:str}/metadata")
async def get_connection_object(  # noqa: PLR0917 -- a handler's parameters are its URL's
    services: FromApp,
    project_id: Entered,
    provider: FromPath[str],
    object_name: FromPath[str],
    group_ref: GroupRef,
    exclude_read_only: ExcludeReadOnly = False,  # noqa: FBT002 -- a query flag
    refresh: Refresh = True,  # noqa: FBT002 -- as above
) -> ObjectMetadata:
    """Describe an object for a group's connection; its name is the provider's, ``refresh`` as for an installation."""
    found = await services.store.connections(project_id, provider=unescape(provider), group_ref=group_ref)
    if not found:
        raise Missing(f"Group {group_ref!r} has no connection to this provider.")
    described = await services.schemas.describe(found[0], unescape(object_name), refresh=refresh)
    return _shown(described, writable_only=exclude_read_only)


def _names(spec: IntegrationSpec, name: str) -> tuple[str, str | UnsetType]:
    """Answer the provider's name and the product's own; a provider's name comes first where both would match."""
    declared: list[ReadObject | WriteObject] = [
        *(spec.read.objects if spec.read else ()),
        *(spec.write.objects if spec.write else ()),
    ]
    own = {one.object_name: one.map_to_name for one in reversed(declared) if one.map_to_name is not UNSET}
    native = next((native for native, mapped in own.items() if mapped == name), name)
    native = name if any(one.object_name == name for one in declared) else native
    return native, own.get(native, UNSET)


def _shown(described: ObjectMetadata, *, writable_only: bool) -> ObjectMetadata:
    if not writable_only:
        return described
    fields = {name: field for name, field in described.fields.items() if field.read_only is not True}
    return msgspec.structs.replace(described, fields=fields)
