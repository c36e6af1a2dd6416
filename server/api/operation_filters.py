"""Which operations a caller means: the same names in a list's query and in the body of an act on many."""

from datetime import UTC, datetime
from typing import Annotated, Literal, Protocol, get_args

import msgspec
from litestar.di import NamedDependency
from litestar.params import FromQuery, QueryParameter, SkipValidation
from msgspec import UNSET, Meta, UnsetType

from installations.errors import Issue
from installations.installation import Integration
from installations.operation import Reason, State, public_status
from installations.record import FaultKind
from server.api.bodies import Malformed, Name
from server.api.queries import TIME
from server.store.contract import OperationFilter

AskedState = Literal["in_progress", "queued", "claimed", "sent", "parked", "success", "failure", "unknown"]
"""Every state, and ``in_progress``, which is all of them that are not over."""
Time = Annotated[str, Meta(max_length=64, extra_json_schema={"format": "date-time"})]


class AskedFilter(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What narrows; each member that is given does."""

    state: AskedState | UnsetType = UNSET
    object: Name | UnsetType = UNSET
    """The provider's name."""
    group_ref: Name | UnsetType = UNSET
    error_class: FaultKind | UnsetType = UNSET
    """Of the last attempt."""
    reason: Reason | UnsetType = UNSET
    integration: Name | UnsetType = UNSET
    """Its id or name."""
    installation: Name | UnsetType = UNSET
    created_from: Time | UnsetType = UNSET
    created_before: Time | UnsetType = UNSET
    replayed: bool | UnsetType = UNSET
    """Whether another operation did it again."""


Asked = NamedDependency[SkipValidation[AskedFilter]]
Text = QueryParameter(min_length=1, max_length=255)


def asked_filter(  # noqa: PLR0917 -- the parameters of a list
    in_state: Annotated[AskedState | None, QueryParameter(name="state")] = None,
    object: Annotated[str | None, Text] = None,  # noqa: A002 -- its public name
    group_ref: Annotated[str | None, QueryParameter(name="groupRef", min_length=1, max_length=255)] = None,
    error_class: Annotated[FaultKind | None, QueryParameter(name="errorClass")] = None,
    reason: FromQuery[Reason | None] = None,
    integration: Annotated[str | None, Text] = None,
    installation: Annotated[str | None, Text] = None,
    created_from: Annotated[str | None, QueryParameter(name="createdFrom", format="date-time")] = None,
    created_before: Annotated[str | None, QueryParameter(name="createdBefore", format="date-time")] = None,
    replayed: FromQuery[bool | None] = None,
) -> AskedFilter:
    """Read the query of a list."""
    given = {
        "state": in_state,
        "object": object,
        "group_ref": group_ref,
        "error_class": error_class,
        "reason": reason,
        "integration": integration,
        "installation": installation,
        "created_from": created_from,
        "created_before": created_before,
        "replayed": replayed,
    }
    return AskedFilter(**{name: value for name, value in given.items() if value is not None})  # type: ignore[arg-type]


class Integrations(Protocol):
    """The part of the store that knows integrations by their names."""

    async def integration(self, project_id: str, id_or_name: str) -> Integration:
        """Find one."""
        ...


async def operations_meant(store: Integrations, project_id: str, asked: AskedFilter, *, path: str) -> OperationFilter:
    """Build the store's filter. Raises `Malformed` for times that are none, and `Missing` for the integration.

    ``path`` is where the names stand: ``query`` or ``filter``.
    """
    times = _times(asked, path=path)
    integration_id = None
    if asked.integration is not UNSET:
        integration_id = (await store.integration(project_id, asked.integration)).id
    return OperationFilter(
        integration_id=integration_id,
        installation_id=asked.installation or None,
        states=() if asked.state is UNSET else states_of(asked.state),
        object_name=asked.object or None,
        group_ref=asked.group_ref or None,
        fault_kind=asked.error_class or None,
        reason=None if asked.reason is UNSET else asked.reason,
        created_from=times["createdFrom"],
        created_before=times["createdBefore"],
        replayed=None if asked.replayed is UNSET else asked.replayed,
    )


def states_of(asked: AskedState) -> tuple[State, ...]:
    """List the states that a word means."""
    if asked == "in_progress":
        return tuple(state for state in get_args(State) if public_status(state) == asked)
    return (asked,)


def _times(asked: AskedFilter, *, path: str) -> dict[str, datetime | None]:
    given = {"createdFrom": asked.created_from, "createdBefore": asked.created_before}
    times: dict[str, datetime | None] = {}
    issues: list[Issue] = []
    for name, text in given.items():
        try:
            times[name] = None if text is UNSET else _time(text)
        except (msgspec.ValidationError, OverflowError, ValueError):
            issues.append(Issue(path=f"{path}.{name}", message=TIME, code="time", value=text))
    if issues:
        raise Malformed(issues)
    return times


def _time(text: str) -> datetime:
    time: datetime = msgspec.convert(text, Annotated[datetime, Meta(tz=True)])
    return time.astimezone(UTC)
