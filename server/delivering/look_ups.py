"""Look-ups: the records as the provider has them now, where a plan must know before it can be sent.

Overwrite rules look at the record they would overwrite. An upsert that the provider cannot do by itself looks for the
record first, and becomes an update of what was found or a create.
"""

import asyncio
from collections.abc import Mapping
from typing import Any, Protocol, TypeVar

import httpx
import msgspec

from connectors.connector import Account, Connector, Finder, Flow
from connectors.departure import Permit
from connectors.dispatch import capabilities, upserts_natively
from connectors.errors import ConnectorError, Refused
from connectors.transport import OnSend
from installations.pipeline import Current, Plan
from installations.record import Fault

T = TypeVar("T")

AT_ONCE = 8
"""How many look-ups of one batch are under way together."""


class Perform(Protocol):
    """Runs a flow against the network (`connectors/transport.py`), with a total deadline."""

    async def __call__(
        self,
        flow: Flow[T],
        *,
        auth: httpx.Auth,
        origin: str,
        on_send: OnSend | None = None,
        permit: Permit | None = None,
        fresh: bool = False,
    ) -> T:
        """Answer what the flow returns; raise what it raises, and what ``on_send`` does."""
        ...


class Place(Protocol):
    """Where a write goes."""

    @property
    def connector(self) -> Connector:
        """How to talk to it."""
        ...

    @property
    def account(self) -> Account:
        """Where it is."""
        ...

    @property
    def auth(self) -> httpx.Auth:
        """How to prove who we are there."""
        ...


class Looked(msgspec.Struct, frozen=True, kw_only=True):
    """What was found."""

    current: tuple[Current | None, ...] = ()
    """One entry for each record, or none at all where nothing had to be known."""
    refused: Mapping[int, Fault] = msgspec.field(default_factory=dict)
    """By index: records of a batch that cannot be written, because nobody can tell which one is meant."""


def looks(connector: Connector, plan: Plan) -> bool:
    """Whether this plan must know the records as they are now."""
    if plan.action == "upsert" and not upserts_natively(connector, plan.object_name, plan.match_field):
        return True
    return bool(plan.needs)


def names(connection_id: str, plan: Plan) -> list[str]:
    """Name the records that a plan changes: those that exist, and those that are matched by a field."""
    place, key = f"{connection_id}/{plan.object_name}", plan.match_field
    if key is None:
        return [f"{place}/{record.id}" for record in plan.records if record.id is not None]
    # Providers match texts without regard to case; two names for one lock would be worse than one lock for two.
    return [f"{place}?{key}={str(record.fields[key]).casefold()}" for record in plan.records]


async def look_up(perform: Perform, place: Place, plan: Plan) -> Looked:
    """Read what a plan must know. Raises `ConnectorError` where the provider cannot be asked; nothing is changed."""
    if not looks(place.connector, plan):
        return Looked()
    if plan.action == "upsert":
        return await _find_all(perform, place, plan)
    ids = [record.id for record in plan.records if record.id is not None]
    fetcher = capabilities(place.connector).fetcher
    if fetcher is None:
        raise TypeError(f"{place.connector.provider.name} cannot fetch")
    flow = fetcher.fetch(place.account, plan.object_name, ids=ids, fields=plan.needs)
    records = await perform(flow, auth=place.auth, origin=place.account.base_url)
    return Looked(current=tuple(Current(id=key, fields=records[key]) if key in records else None for key in ids))


async def _find_all(perform: Perform, place: Place, plan: Plan) -> Looked:
    finder, field = capabilities(place.connector).finder, plan.match_field
    if finder is None or field is None:
        raise TypeError(f"{place.connector.provider.name} cannot find")
    slots = asyncio.Semaphore(AT_ONCE)

    async def find(value: Any) -> Current | Fault | None:
        async with slots:
            return await _find(perform, place, plan, finder=finder, field=field, value=value)

    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(find(record.fields[field])) for record in plan.records]
    except ExceptionGroup as errors:
        raise _foremost(errors) from errors
    found = [task.result() for task in tasks]
    refused = {index: each for index, each in enumerate(found) if isinstance(each, Fault)}
    if refused and (not plan.batch or plan.all_or_none):
        raise Refused(next(iter(refused.values())))
    return Looked(current=tuple(None if isinstance(each, Fault) else each for each in found), refused=refused)


def _foremost(errors: ExceptionGroup[Exception]) -> Exception:
    return next((error for error in errors.exceptions if not isinstance(error, ConnectorError)), errors.exceptions[0])


async def _find(
    perform: Perform, place: Place, plan: Plan, *, finder: Finder, field: str, value: Any
) -> Current | Fault | None:
    fields = plan.needs or (field,)
    flow = finder.find(place.account, plan.object_name, field=field, value=value, fields=fields)
    records = await perform(flow, auth=place.auth, origin=place.account.base_url)
    if len(records) > 1:
        message = f"{len(records)} records have {field} = {value!r}: {', '.join(sorted(records))}"
        return Fault(kind="conflict", message=message, fields=(field,))
    return next((Current(id=key, fields=record) for key, record in records.items()), None)
