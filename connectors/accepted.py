"""What 202 says to a write: the provider has taken it, does it later, and nobody has seen it done.

https://www.rfc-editor.org/rfc/rfc9110#section-15.3.3: "the request might or might not eventually be acted upon". A
connector that knows how to ask for the job asks on in its own flow, and its last answer counts. Of all others a 202
that ends the flow is heard here, so that what stands in its body is not taken for a record: it may be the job.
"""

import functools

import httpx
from msgspec.structs import replace

from connectors.connector import Flow
from connectors.errors import Ambiguous, ConnectorError, Unreadable
from installations.record import Change, Fault, Outcome

LATER = "the provider has accepted it (202) and does it later; nobody has seen it done"
_CREATING = frozenset({"create", "upsert"})


def heard(flow: Flow[Outcome], change: Change) -> Flow[Outcome]:
    """Run a flow that writes. Raises `Ambiguous` with status 202 for a create whose last answer was that.

    An update or a delete is as the flow says, with a warning: the provider has what we wanted set.
    """
    step = functools.partial(next, flow)
    accepted = False
    try:
        while True:
            try:
                request: httpx.Request = step()
            except StopIteration as stop:
                outcome: Outcome = stop.value
                return _judged(outcome, change) if accepted else outcome
            except Unreadable as error:
                if accepted:
                    raise _accepted() from error
                raise
            try:
                response: httpx.Response = yield request
            except ConnectorError as error:
                accepted, step = False, functools.partial(flow.throw, error)
            else:
                accepted = response.status_code == httpx.codes.ACCEPTED and request.method != "GET"
                step = functools.partial(flow.send, response)
    finally:
        flow.close()


def _judged(outcome: Outcome, change: Change) -> Outcome:
    if change.action in _CREATING:
        raise _accepted()
    return replace(outcome, warnings=(*outcome.warnings, LATER))


def _accepted() -> Ambiguous:
    # No wait of the provider's: it would be one until the job may be asked for, and hold the whole connection.
    return Ambiguous(Fault(kind="ambiguous", message=LATER, status=httpx.codes.ACCEPTED))
