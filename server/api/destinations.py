"""Destinations over HTTP: the webhooks that notifications go to, and the keys that sign what is sent there."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from litestar import delete, get, patch, post
from litestar.params import FromPath, FromQuery, QueryParameter, RawBody
from litestar.status_codes import HTTP_200_OK
from msgspec import UNSET, UnsetType

from connectors.secret import Veiled
from installations.errors import InvalidInput, Issue, invalid
from installations.mask import masked
from installations.shape import decode
from server.api.bodies import Malformed, UpdateMask, parse_body
from server.api.provided import Entered, FromApp, takes
from server.door.address import unescape
from server.notifying.addresses import url_issues
from server.notifying.messages import TEST_TYPE, build_body, build_request, header_issues
from server.notifying.signing import new_keys, parse_keys, rotated
from server.services import Services
from server.store.contract import Destination, Disabled, Taken

MASKS = ("name", "type", "metadata", "metadata.url", "metadata.headers")
"""The paths of a webhook; those of other types of destinations are not offered."""
NAME = re.compile(r"[A-Za-z0-9-]{1,255}")


class WebhookMetadata(Veiled, frozen=True, kw_only=True):
    """Where a webhook is, and what goes along. Both may hold secrets of the receiver's."""

    url: str
    headers: dict[str, str] | UnsetType = UNSET


class CreateDestination(Veiled, frozen=True, kw_only=True):
    """What a new destination shall be. Secrets of other types are ignored."""

    name: str
    type: str
    metadata: WebhookMetadata


class MetadataChange(Veiled, frozen=True, kw_only=True):
    """What may be changed of a webhook's metadata."""

    url: str | UnsetType = UNSET
    headers: dict[str, str] | UnsetType = UNSET


class DestinationChange(Veiled, frozen=True, kw_only=True):
    """What may be changed of a destination. Its type stays, and may be said."""

    name: str | UnsetType = UNSET
    type: str | UnsetType = UNSET
    metadata: MetadataChange | UnsetType = UNSET


class UpdateDestination(Veiled, frozen=True, kw_only=True, rename="camel"):
    """A masked change: of ``name``, ``metadata`` as a whole, ``metadata.url`` or ``metadata.headers``."""

    update_mask: UpdateMask
    destination: DestinationChange


class _Submitted(Veiled, frozen=True, kw_only=True, rename="camel"):
    update_mask: UpdateMask
    destination: dict[str, Any]


class DestinationSecrets(Veiled, frozen=True, kw_only=True, rename="camel"):
    """What signs the messages."""

    webhook_signing_key: str


class DestinationAnswer(Veiled, frozen=True, kw_only=True, rename="camel"):
    """A destination in the published shape; ``disabled`` and ``failingSince`` are ours."""

    id: str
    name: str
    type: Literal["webhook"]
    metadata: WebhookMetadata
    create_time: datetime
    update_time: datetime | UnsetType = UNSET
    disabled: Disabled | UnsetType = UNSET
    failing_since: datetime | UnsetType = UNSET
    secrets: DestinationSecrets | UnsetType = UNSET


class TestAnswer(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What a receiver did with a test message."""

    delivered: bool
    message_id: str
    status: int | UnsetType = UNSET
    error: str | UnsetType = UNSET


class TestData(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The data of a test message."""

    project_id: str
    destination_id: str
    destination_name: str


@post("/destinations", opt=takes(CreateDestination))
async def create_destination(services: FromApp, project_id: Entered, body: RawBody) -> DestinationAnswer:
    """Name a webhook. Its signing key is made here; ask for it with includeSecrets."""
    wanted = parse_body(body, CreateDestination)
    headers = wanted.metadata.headers or {}
    _check(services, name=wanted.name, kind=wanted.type, url=wanted.metadata.url, headers=headers)
    destination = Destination(
        id=services.new_id(),
        project_id=project_id,
        name=wanted.name,
        url=wanted.metadata.url,
        headers=headers,
        create_time=services.clock(),
    )
    try:
        await services.store.create_destination(destination, signing_keys=new_keys())
    except Taken as error:
        raise _taken(error) from error
    return _answer(destination)


@get("/destinations")
async def list_destinations(services: FromApp, project_id: Entered) -> list[DestinationAnswer]:
    """List destinations, oldest first."""
    return [_answer(one) for one in await services.store.destinations(project_id)]


@get("/destinations/{destination:str}")
async def get_destination(
    services: FromApp,
    project_id: Entered,
    destination: FromPath[str],
    include_secrets: Annotated[bool, QueryParameter(name="includeSecrets")] = False,  # noqa: FBT002 -- a query flag
    rotate: FromQuery[bool] = False,  # noqa: FBT002 -- as above
) -> DestinationAnswer:
    """Show a destination by its id or name, with its newest signing key where that is asked for.

    With rotate=true a new key is made first; for a day messages are signed with both.
    """
    found = await find_destination(services, project_id, destination)
    stored = await services.store.signing_keys(project_id, found.id) if include_secrets or rotate else b""
    if rotate:
        now, before = services.clock(), stored
        stored = rotated(parse_keys(before), now=now)
        await services.store.replace_signing_keys(project_id, found.id, stored, if_keys=before, now=now)
        found = await services.store.destination(project_id, found.id)
    if not include_secrets:
        return _answer(found)
    key = parse_keys(stored)[0].key.reveal()
    return msgspec.structs.replace(_answer(found), secrets=DestinationSecrets(webhook_signing_key=key))


@patch("/destinations/{destination:str}", opt=takes(UpdateDestination))
async def update_destination(
    services: FromApp, project_id: Entered, destination: FromPath[str], body: RawBody
) -> DestinationAnswer:
    """Replace what the mask names. A changed URL lets a disabled destination be sent to again."""
    change = _picked(parse_body(body, _Submitted))
    found = await find_destination(services, project_id, destination)
    metadata = MetadataChange() if change.metadata is UNSET else change.metadata
    _check(services, name=change.name, kind=change.type, url=metadata.url, headers=metadata.headers)
    try:
        changed = await services.store.update_destination(
            project_id,
            found.id,
            now=services.clock(),
            name=change.name,
            url=metadata.url,
            headers=metadata.headers,
            enabled=UNSET if metadata.url is UNSET else True,
        )
    except Taken as error:
        raise _taken(error) from error
    return _answer(changed)


@delete("/destinations/{destination:str}")
async def delete_destination(services: FromApp, project_id: Entered, destination: FromPath[str]) -> None:
    """Remove a destination with its routes, and with what was still to be delivered there."""
    found = await find_destination(services, project_id, destination)
    await services.store.delete_destination(project_id, found.id)


@post("/destinations/{destination:str}/:enable", status_code=HTTP_200_OK)
async def enable_destination(services: FromApp, project_id: Entered, destination: FromPath[str]) -> DestinationAnswer:
    """Send to a destination again that was disabled because it failed. What was skipped meanwhile can be replayed."""
    found = await find_destination(services, project_id, destination)
    return _answer(await services.store.update_destination(project_id, found.id, now=services.clock(), enabled=True))


@post("/destinations/{destination:str}/:test", status_code=HTTP_200_OK)
async def test_destination(services: FromApp, project_id: Entered, destination: FromPath[str]) -> TestAnswer:
    """Send a signed message of the type destination.test now, once, and tell what the receiver answered."""
    found = await find_destination(services, project_id, destination)
    keys = parse_keys(await services.store.signing_keys(project_id, found.id))
    data = TestData(project_id=project_id, destination_id=found.id, destination_name=found.name)
    message_id, body = services.new_id(), build_body(TEST_TYPE, msgspec.json.encode(data))
    request = build_request(found, body, message_id=message_id, keys=keys, now=services.clock())
    answer = await services.courier.hand_over(request)
    return TestAnswer(
        delivered=not answer.error,
        message_id=message_id,
        status=UNSET if answer.status is None else answer.status,
        error=answer.error or UNSET,
    )


async def find_destination(services: Services, project_id: str, destination: str) -> Destination:
    """Find a destination of this project by the path's id or name. Raises `Missing`."""
    return await services.store.destination(project_id, unescape(destination))


def _picked(submitted: _Submitted) -> DestinationChange:
    """Take what the mask names."""
    try:
        picked = masked(MASKS, submitted.update_mask, _with_headers(submitted.destination))
        whole = {path: value for path, value in picked.items() if "." not in path}
        inside = {path.removeprefix("metadata."): value for path, value in picked.items() if "." in path}
        if isinstance(whole.get("metadata"), Mapping):
            # The whole of it was replaced: headers that it does not name are gone.
            whole["metadata"] = {"headers": {}, **whole["metadata"]}
        elif inside:
            whole["metadata"] = inside
        return decode(whole, DestinationChange, path="destination")
    except InvalidInput as error:
        raise Malformed(error.issues) from error


def _with_headers(destination: Mapping[str, Any]) -> Mapping[str, Any]:
    """Read null headers as none: the published shape allows both."""
    metadata = destination.get("metadata")
    if isinstance(metadata, Mapping) and metadata.get("headers", UNSET) is None:
        return {**destination, "metadata": {**metadata, "headers": {}}}
    return destination


def _check(
    services: Services,
    *,
    name: str | UnsetType,
    kind: str | UnsetType,
    url: str | UnsetType,
    headers: Mapping[str, str] | UnsetType,
) -> None:
    """Raise `InvalidInput` with everything that is wrong."""
    issues: list[Issue] = []
    if name is not UNSET and not NAME.fullmatch(name):
        message = "a name has letters, digits and dashes, at most 255 of them"
        issues.append(Issue(path="name", code="bad-name", message=message))
    if kind is not UNSET and kind != "webhook":
        message = f"destinations of the type {kind[:64]!r} are not offered"
        issues.append(Issue(path="type", code="not-offered", message=message, remedy="Use a webhook."))
    if url is not UNSET:
        issues += url_issues(url, path="metadata.url", allowed_networks=services.settings.allowed_networks)
    if headers is not UNSET:
        issues += header_issues(headers, path="metadata.headers")
    if issues:
        raise InvalidInput(issues)


def _taken(error: Taken) -> InvalidInput:
    return invalid("name", str(error), code="taken", remedy="Choose another name.")


def _answer(destination: Destination) -> DestinationAnswer:
    return DestinationAnswer(
        id=destination.id,
        name=destination.name,
        type="webhook",
        metadata=WebhookMetadata(url=destination.url, headers=dict(destination.headers) or UNSET),
        create_time=destination.create_time,
        update_time=destination.update_time,
        disabled=destination.disabled or UNSET,
        failing_since=destination.failing_since or UNSET,
    )
