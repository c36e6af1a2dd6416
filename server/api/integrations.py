"""Integrations over HTTP: deploying manifests, and what was deployed."""

from typing import Annotated, Any

import msgspec
from litestar import MediaType, Request, Response, delete, get, post, put
from litestar.params import FromPath, FromQuery, RawBody
from litestar.status_codes import HTTP_200_OK
from msgspec import UNSET, Meta, UnsetType
from msgspec.structs import replace

from installations.amp_manifest import parse_manifest, read_integration
from installations.errors import Issue, invalid
from installations.installation import Integration
from installations.manifest import Manifest
from server.api.bodies import Name, parse_body
from server.api.provided import Entered, FromApp, takes
from server.api.uploads import take_archive
from server.archives import manifest_in
from server.deployments import SPEC_VERSION, deploy, provider_facts
from server.door.address import unescape
from server.events import deletion_events, removal_events
from server.services import Services
from server.store.contract import Taken

DETAIL_HEADER = "x-isthmus-detail"


class Source(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A manifest: its text, or the name of an uploaded archive. Exactly one is given."""

    source_yaml: Annotated[str, Meta(max_length=300_000)] | UnsetType = UNSET
    source_zip_url: Annotated[str, Meta(max_length=500)] | UnsetType = UNSET


class NewRevision(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The first revision of an integration; ``content`` is one integration of a manifest."""

    content: dict[str, Any]
    spec_version: str = SPEC_VERSION


class CreateIntegration(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """An integration made without a manifest file."""

    name: Name
    provider: Name
    latest_revision: NewRevision


class Deployed(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What a deployment made, with the warnings of the manifest: the answer to callers who ask for detail."""

    integrations: list[Integration]
    warnings: tuple[Issue, ...]


@get("/integrations")
async def list_integrations(services: FromApp, project_id: Entered) -> list[Integration]:
    """List integrations with their latest revisions, oldest first."""
    return [shown(integration) for integration in await services.store.integrations(project_id)]


@get("/integrations/{integration_id_or_name:str}")
async def get_integration(services: FromApp, project_id: Entered, integration_id_or_name: FromPath[str]) -> Integration:
    """Show an integration with its latest revision."""
    return shown(await services.store.integration(project_id, unescape(integration_id_or_name)))


@post("/integrations", opt=takes(CreateIntegration))
async def create_integration(services: FromApp, project_id: Entered, body: RawBody) -> Response[bytes]:
    """Make an integration; the answer is empty, as published."""
    wanted = parse_body(body, CreateIntegration)
    if wanted.latest_revision.spec_version != SPEC_VERSION:
        raise invalid("latestRevision.specVersion", f"must be {SPEC_VERSION}", code="bad-value")
    data = {**wanted.latest_revision.content, "name": wanted.name, "provider": wanted.provider}
    spec, _ = read_integration(data, path="latestRevision.content", providers=provider_facts(services))
    for existing in await services.store.integrations(project_id):
        if existing.name == spec.name:
            raise Taken(f"There is an integration named {spec.name!r} already.", existing_id=existing.id)
    await deploy(services, project_id, [spec], destructive=False)
    return Response(b"", media_type=MediaType.TEXT)


@put("/integrations/:batch", status_code=HTTP_200_OK, opt=takes(Source))
async def deploy_integrations(
    services: FromApp,
    request: Request[Any, Any, Any],
    project_id: Entered,
    body: RawBody,
    destructive: FromQuery[bool] = False,  # noqa: FBT002 -- a query flag
) -> list[Integration] | Deployed:
    """Deploy a manifest. Integrations it does not name stay; unchanged ones keep their revision."""
    manifest, warnings = await _manifest(services, project_id, body)
    deployed = await deploy(services, project_id, manifest.integrations, destructive=destructive)
    integrations = [shown(integration) for integration in deployed]
    if request.headers.get(DETAIL_HEADER, "").lower() == "true":
        return Deployed(integrations=integrations, warnings=warnings)
    return integrations


@post("/integrations/{integration_id_or_name:str}/revisions", opt=takes(Source))
async def create_revision(
    services: FromApp,
    project_id: Entered,
    integration_id_or_name: FromPath[str],
    body: RawBody,
    destructive: FromQuery[bool] = False,  # noqa: FBT002 -- a query flag
) -> Response[bytes]:
    """Deploy one integration out of a manifest; the answer is empty, as published."""
    integration = await services.store.integration(project_id, unescape(integration_id_or_name))
    manifest, _ = await _manifest(services, project_id, body)
    specs = [spec for spec in manifest.integrations if spec.name == integration.name]
    if not specs:
        raise invalid("integrations", f"the manifest has no integration {integration.name!r}", code="required")
    await deploy(services, project_id, specs, destructive=destructive)
    return Response(b"", media_type=MediaType.TEXT)


@delete("/integrations/{integration_id_or_name:str}")
async def delete_integration(services: FromApp, project_id: Entered, integration_id_or_name: FromPath[str]) -> None:
    """Remove an integration and its installations, and the connections that nothing else uses."""
    integration = await services.store.integration(project_id, unescape(integration_id_or_name))
    now = services.clock()
    await services.store.delete_integration(
        project_id,
        integration.id,
        event_for=deletion_events(new_id=services.new_id, now=now),
        removed=removal_events(integration_name=integration.name, new_id=services.new_id, now=now),
    )


def shown(integration: Integration) -> Integration:
    """Give read objects the members that the published schema requires and a manifest may leave out, as empty text.

    A strict client (sdk-node-platform 0.2.3) takes a whole list for an empty problem where one of them is missing.
    """
    content = integration.latest_revision.content
    if content.read is UNSET:
        return integration
    objects = tuple(
        replace(each, destination=each.destination or "", schedule=each.schedule or "") for each in content.read.objects
    )
    content = replace(content, read=replace(content.read, objects=objects))
    return replace(integration, latest_revision=replace(integration.latest_revision, content=content))


async def _manifest(services: Services, project_id: str, body: bytes) -> tuple[Manifest, tuple[Issue, ...]]:
    """Read the manifest that a request carries or names. Raises `InvalidInput`."""
    source = parse_body(body, Source)
    if (source.source_yaml is UNSET) == (source.source_zip_url is UNSET):
        raise invalid("", "give exactly one of sourceYaml and sourceZipUrl", code="required")
    if source.source_zip_url is not UNSET:
        text: str | bytes = manifest_in(await take_archive(services, project_id, source.source_zip_url))
    else:
        text = source.source_yaml or ""
    return parse_manifest(text, providers=provider_facts(services))
