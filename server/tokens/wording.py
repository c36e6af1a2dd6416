"""How a failed renewal reads to whoever sent the request that needed a token: what is wrong, and who acts."""

from connectors.departure import ADDRESS_DENIED
from connectors.errors import ConnectorError, NotSent, Refused
from connectors.grants import BAD_CLIENT, DEAD_GRANT
from connectors.provider import Provider
from installations.record import Fault, FaultKind
from server.tokens.grants import BAD_SETUP, NO_APP

_WHO_ACTS: dict[str, str] = {
    DEAD_GRANT: "the customer has to connect again",
    BAD_CLIENT: "the builder has to correct the provider app's client id or secret",
    NO_APP: "the builder has to register it",
    ADDRESS_DENIED: "the operator has to allow the address",
    BAD_SETUP: "the connection has to be made anew with what is missing",
}
_TIME_HELPS = "it is tried again"
_KEPT: frozenset[FaultKind] = frozenset({"rate_limited", "not_found"})


def unsent(error: ConnectorError, provider: Provider, *, after_seconds: float | None) -> NotSent:
    """Make the error of a request that could not be sent for want of a token."""
    return NotSent(_fault(error, provider, after_seconds=after_seconds, passing="not_sent"))


def refused(error: ConnectorError, provider: Provider, *, after_seconds: float | None) -> Refused:
    """Make the error of a request that was answered with a 401 and could not be sent again with a newer token.

    It is not of the kind ``auth`` unless the grant is dead: the customer's credentials may be as good as ever.
    """
    return Refused(_fault(error, provider, after_seconds=after_seconds, passing="provider"))


def in_words(fault: Fault, provider: Provider) -> str:
    """Say what is wrong and who acts."""
    advice = _WHO_ACTS.get(fault.code or "", _TIME_HELPS)
    return f"no new access token could be had from {provider.display_name}: {fault.message.rstrip('.')}; {advice}"


def _fault(error: ConnectorError, provider: Provider, *, after_seconds: float | None, passing: FaultKind) -> Fault:
    fault = error.fault
    return Fault(
        kind=_kind(fault, passing),
        message=in_words(fault, provider),
        status=fault.status,
        code=fault.code,
        retry_after_seconds=after_seconds,
    )


def _kind(fault: Fault, passing: FaultKind) -> FaultKind:
    if fault.code == DEAD_GRANT:
        return "auth"
    if fault.code == ADDRESS_DENIED:
        return "forbidden"
    if fault.code == BAD_SETUP:
        return "invalid"
    # Whatever else it is, the builder or the provider mends it, and the customer's grant lives on meanwhile.
    return fault.kind if fault.kind in _KEPT else passing
