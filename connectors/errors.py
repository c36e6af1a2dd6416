"""How talking to a provider fails: what may have happened, who must act, and what time does.

    ConnectorError           root; carries a `Fault`
    ├── NotSent              no byte of the request left: nothing happened
    ├── Refused              the provider answered that it did nothing
    ├── Ambiguous            it may or may not have happened: time-out, broken connection, 5xx, a status nobody knows
    └── Unreadable           a success status was read, but not its body: it happened, the result is unknown

The table of kinds:

    kind            who acts   what time does
    auth            customer   nothing; a new credential does
    forbidden       customer   nothing; a right or plan does
    rate_limited    nobody     wait ``retry_after_seconds`` or back off
    invalid         caller     nothing
    conflict        caller     nothing
    locked          nobody     back off: a concurrent change holds the record
    not_found       caller     nothing
    unknown_field   customer   nothing; the mapping needs repair
    unknown_object  customer   nothing; the mapping needs repair
    provider        provider   back off
    unrecognised    us         nothing; never counted as success
    not_sent        nobody     back off
    ambiguous       us         reconcile first
"""

from msgspec.structs import replace

from installations.record import Fault, FaultKind

RETRYABLE: frozenset[FaultKind] = frozenset({"rate_limited", "locked", "provider", "not_sent"})
"""Kinds that time mends. Whether a write may be repeated is the delivery's decision, not this set's."""


class ConnectorError(Exception):
    """The root: a request did not go through as a whole."""

    def __init__(self, fault: Fault, *, raw_response: str | None = None) -> None:
        self.fault = fault
        self.raw_response = raw_response
        """The provider's body as text, at most 4 KB."""
        super().__init__(f"{fault.kind}: {fault.message}")


class NotSent(ConnectorError):
    """No byte of the request left us, so nothing happened at the provider."""


class Refused(ConnectorError):
    """The provider answered that it did not do it."""


class Ambiguous(ConnectorError):
    """Nobody can tell from here whether it happened. Its fault is of the kind ``ambiguous``, whatever was given."""

    def __init__(self, fault: Fault, *, raw_response: str | None = None) -> None:
        # A kind that time mends would invite a repetition, and with it a duplicate.
        super().__init__(replace(fault, kind="ambiguous"), raw_response=raw_response)


class Unreadable(ConnectorError):
    """A success status was read, but the body is missing, broken or too large: it happened, the result is unknown."""
