"""Deliveries over HTTP: what was sent to a destination, what became of it, and sending it again. All of it is ours."""

from datetime import datetime
from typing import Annotated, Any

import msgspec
from litestar import get, post
from litestar.params import FromPath, QueryParameter, RawBody
from litestar.status_codes import HTTP_200_OK
from msgspec import UNSET, Meta, UnsetType

from installations.errors import InvalidInput, Issue, invalid
from installations.shape import decode, parse_json
from server.api.bodies import Malformed, Name
from server.api.destinations import find_destination
from server.api.operation_views import Pagination
from server.api.provided import Entered, FromApp, takes
from server.api.queries import no_such_page
from server.api.topics import NotificationType
from server.store.contract import Delivery, DeliveryFilter, DeliveryState

PAGE_SIZE = 200
LARGEST_PAGE = 1000
Moment = Annotated[datetime, Meta(tz=True)]


class DeliveryView(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One message: which event, and how far it is."""

    id: str
    message_id: str
    """What receivers know it by: ``webhook-id`` and ``svix-id``, at every attempt."""
    event_type: str
    state: DeliveryState
    attempts: int
    create_time: datetime
    """Of the event."""
    update_time: datetime
    next_attempt: datetime | UnsetType = UNSET
    last_status: int | UnsetType = UNSET
    last_error: str | UnsetType = UNSET


class DeliveryPageView(msgspec.Struct, frozen=True, kw_only=True):
    """A page of deliveries, newest first."""

    results: tuple[DeliveryView, ...]
    pagination: Pagination


class ReplayDeliveries(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Which messages to send again; each member narrows. At least one is needed."""

    ids: Annotated[tuple[Name, ...], Meta(min_length=1, max_length=500)] | UnsetType = UNSET
    event_type: NotificationType | UnsetType = UNSET
    states: Annotated[tuple[DeliveryState, ...], Meta(min_length=1, max_length=4)] | UnsetType = UNSET
    create_time_from: Moment | UnsetType = UNSET
    create_time_before: Moment | UnsetType = UNSET
    dry_run: bool = False
    """Count them only."""


class ReplayAnswer(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """How many are sent again, or with ``dryRun`` would be."""

    count: int
    dry_run: bool


@get("/destinations/{destination:str}/deliveries")
async def list_deliveries(  # noqa: PLR0917 -- a handler's parameters are its URL's
    services: FromApp,
    project_id: Entered,
    destination: FromPath[str],
    in_state: Annotated[DeliveryState | None, QueryParameter(name="state")] = None,
    event_type: Annotated[NotificationType | None, QueryParameter(name="eventType")] = None,
    created_from: Annotated[datetime | None, QueryParameter(name="createTimeFrom")] = None,
    created_before: Annotated[datetime | None, QueryParameter(name="createTimeBefore")] = None,
    page_size: Annotated[int, QueryParameter(name="pageSize", ge=1, le=LARGEST_PAGE)] = PAGE_SIZE,
    page_token: Annotated[str | None, QueryParameter(name="pageToken", max_length=255)] = None,
) -> DeliveryPageView:
    """List what was sent to a destination and what is to be sent, newest first."""
    found = await find_destination(services, project_id, destination)
    if page_token is not None and not page_token.endswith(f".{found.id}"):
        raise no_such_page(page_token)
    which = DeliveryFilter(
        states=() if in_state is None else (in_state,),
        event_type=event_type,
        created_from=created_from,
        created_before=created_before,
    )
    page = await services.store.deliveries(project_id, found.id, which, page_size=page_size, page_token=page_token)
    token = page.next_page_token
    return DeliveryPageView(
        results=tuple(_view(one) for one in page.results),
        pagination=Pagination(done=token is None, next_page_token=UNSET if token is None else token),
    )


@post("/destinations/{destination:str}/deliveries/:replay", status_code=HTTP_200_OK, opt=takes(ReplayDeliveries))
async def replay_deliveries(
    services: FromApp, project_id: Entered, destination: FromPath[str], body: RawBody
) -> ReplayAnswer:
    """Send messages again that are not on their way, under the ids they had: receivers know what they have seen."""
    wanted = _wanted(body)
    found = await find_destination(services, project_id, destination)
    if found.disabled and not wanted.dry_run:
        message = "the destination is disabled, so nothing would be sent"
        raise invalid("destination", message, code="disabled", remedy="Enable it, or change its URL.")
    which = DeliveryFilter(
        ids=wanted.ids or (),
        states=wanted.states or (),
        event_type=wanted.event_type or None,
        created_from=wanted.create_time_from or None,
        created_before=wanted.create_time_before or None,
    )
    now = services.clock()
    count = await services.store.replay_deliveries(project_id, found.id, which, now=now, dry_run=wanted.dry_run)
    return ReplayAnswer(count=count, dry_run=wanted.dry_run)


def _wanted(body: bytes) -> ReplayDeliveries:
    """Read what shall be sent again. A misspelt filter is refused: without it, everything would be sent."""
    try:
        wanted = decode(parse_json(body, dict[str, Any]), ReplayDeliveries, unknown="refuse")
    except InvalidInput as error:
        raise Malformed(error.issues) from error
    if wanted == ReplayDeliveries(dry_run=wanted.dry_run):
        message = "name the messages: by ids, states, eventType, createTimeFrom or createTimeBefore"
        raise Malformed([Issue(path="", message=message, code="required")])
    return wanted


def _view(delivery: Delivery) -> DeliveryView:
    return DeliveryView(
        id=delivery.id,
        message_id=delivery.event_id,
        event_type=delivery.event_type,
        state=delivery.state,
        attempts=delivery.attempts,
        create_time=delivery.create_time,
        update_time=delivery.update_time,
        next_attempt=delivery.run_at if delivery.state == "pending" else UNSET,
        last_status=UNSET if delivery.status is None else delivery.status,
        last_error=delivery.error or UNSET,
    )
