"""What an operation keeps as bytes: the plan it carries out, and what came of it so far."""

from collections.abc import Sequence

import msgspec
from msgspec.structs import replace

from installations import paths
from installations.operation import Operation
from installations.pipeline import Current, Plan, PlannedRecord
from installations.record import Outcome


class Stored(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What an operation's payload holds: enough to explain it, and to finish it without planning anew."""

    plan: Plan
    """Of an auto-batch without its records; `with_gathered` puts them in."""
    places: tuple[int, ...] = ()
    """Of an operation that does another one again: which records of that one these are; empty where they are all."""
    current: tuple[Current | None, ...] = ()
    """The records as a synchronous write saw them. An asynchronous one looks again at every attempt."""


_ENCODER = msgspec.json.Encoder()
_STORED = msgspec.json.Decoder(Stored)
_OUTCOME = msgspec.json.Decoder(Outcome)
_RECORD = msgspec.json.Decoder(PlannedRecord)


def encoded(thing: Stored | Outcome | PlannedRecord) -> bytes:
    """Encode what is kept."""
    return _ENCODER.encode(thing)


def stored(operation: Operation) -> Stored:
    """Read what an operation was to do."""
    return _STORED.decode(operation.payload)


def with_gathered(kept: Stored, records: Sequence[bytes]) -> Stored:
    """Put the records of an auto-batch (`Operations.gathered`) into its plan."""
    planned = tuple(map(_RECORD.decode, records))
    needs = dict.fromkeys(paths.member(gate.field) for record in planned for gate in record.pending)
    return replace(kept, plan=replace(kept.plan, records=planned, needs=tuple(needs)))


def stored_outcome(operation: Operation) -> Outcome | None:
    """Read what came of an operation, or ``None`` while nothing has."""
    return _OUTCOME.decode(operation.outcome) if operation.outcome else None
