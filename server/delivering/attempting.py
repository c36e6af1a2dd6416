"""One attempt at the provider: the one way for requests that wait for it and for the worker alike.

`require_possible` is for a plan that nobody has accepted yet. `prepare` looks at what the plan must know and changes
nothing. `carry_out` sends. Between these two the caller stores that it is about to be sent.
"""

from collections.abc import Mapping, Sequence

import msgspec
from msgspec.structs import replace

from connectors.connector import Connector
from connectors.departure import Permit
from connectors.dispatch import Need, missing_capability, send
from connectors.errors import ConnectorError, Refused
from connectors.transport import OnSend
from installations.errors import invalid
from installations.pipeline import Current, Plan, settle
from installations.record import Change, Fault, Outcome
from server.delivering.attempts import Tried, beside, effect_of, effect_of_outcome, failed, first_fault, without
from server.delivering.look_ups import Perform, Place, look_up
from server.delivering.recognising import Safety, safety_of


class Prepared(msgspec.Struct, frozen=True, kw_only=True):
    """A change that is ready to be sent."""

    change: Change
    """Without the records that are refused already, and with the keys of the others."""
    safety: Safety
    """What sending all of it twice would do."""
    refused: Mapping[int, Fault] = msgspec.field(default_factory=dict)
    """By index in the plan: records that cannot be written, because nobody can tell which one is meant."""
    current: tuple[Current | None, ...] = ()


def require_possible(connector: Connector, made: Plan) -> None:
    """Raises `InvalidInput` for a plan that nothing of this connector can carry out."""
    need = Need(
        action=made.action,
        object_name=made.object_name,
        batch=made.batch,
        all_or_none=made.all_or_none,
        current=bool(made.needs),
        match_field=made.match_field,
    )
    if (lack := missing_capability(connector, need)) is not None:
        raise invalid("type", lack, code="not-supported")


async def prepare(perform: Perform, place: Place, plan: Plan, *, keys: Sequence[str] = ()) -> Prepared:
    """Look up and settle a plan. ``keys`` are one for each record, or none at all.

    Raises `ConnectorError` where the provider cannot be asked; then nothing has happened.
    """
    looked = await look_up(perform, place, plan)
    change = replace(settle(plan, looked.current), keys=tuple(keys))
    asked = without(change, looked.refused)
    safety = safety_of(place.connector, asked)
    return Prepared(change=asked, safety=safety, refused=looked.refused, current=looked.current)


async def carry_out(
    perform: Perform,
    place: Place,
    prepared: Prepared,
    *,
    on_send: OnSend | None = None,
    permit: Permit | None = None,
) -> Tried:
    """Send a change. A connector's failure is an outcome, not an error; what ``on_send`` raises goes through.

    What nobody could tell a repetition of gets a connection of its own: a resting one that the provider closes at that
    moment would leave a doubt that nothing ever settles.
    """
    change = prepared.change
    if not change.records:
        return beside(Tried(outcome=Outcome(records=()), effect="not_sent", fault=None), prepared.refused)
    flow = send(place.connector, place.account, change)
    try:
        outcome = await perform(
            flow,
            auth=place.auth,
            origin=place.account.base_url,
            on_send=on_send,
            permit=permit,
            fresh=prepared.safety.is_blind,
        )
    except ConnectorError as error:
        tried = Tried(
            outcome=failed(len(change.records), error),
            effect=effect_of(error),
            fault=error.fault,
            refused_whole=isinstance(error, Refused),
        )
    else:
        tried = Tried(outcome=outcome, effect=effect_of_outcome(outcome), fault=first_fault(outcome))
    return beside(tried, prepared.refused)
