"""The end of the strict flow: the page that asked hands the completion code in, and proves for whom it asks.

Whoever was led to a provider's consent by a forwarded link has a token for themselves, or none; so their consent never
becomes somebody else's connection.
"""

from msgspec import UNSET, UnsetType
from msgspec.structs import replace

from connectors.secret import Veiled
from installations.errors import InvalidInput, invalid
from server.access.errors import Forbidden
from server.access.keyring import Access
from server.connecting.keeping import Kept
from server.connecting.landing import land
from server.connecting.passage import Customer, Direct, Passage, build_details, key_digest, passage_of
from server.services import Services
from server.store.contract import ConnectSession, Missing, Superseded


def require_somebody(access: Access) -> None:
    """Raise `Forbidden` for a credential that stands for nobody, such as a key that everybody's browser has."""
    if access.reach == "frontend":
        raise Forbidden(
            "A frontend key stands for nobody in particular: finish with a JWT for the person, or from your backend."
        )


class Completion(Veiled, frozen=True, kw_only=True):
    """A code, and for whom its holder says it is."""

    code: str
    group_ref: str | UnsetType = UNSET
    consumer_ref: str | UnsetType = UNSET


async def complete(services: Services, access: Access, completion: Completion) -> Kept:
    """Finish a customer's way. When this answers, the connection is committed.

    Raises `InvalidInput` for a code that is unknown, used, expired or another person's (nobody is told which), and
    whatever `land` raises: the code is spent then.
    """
    session, passage, way = await _session(services, access, completion)
    spent = replace(passage, way=replace(way, code=None, verifier=None))
    after = replace(session, stage="spent", details=build_details(spent))
    try:
        await services.store.advance_connect_session(after, from_stage="returned", now=services.clock())
    except (Superseded, Missing) as error:
        raise _unknown() from error
    if way.code is None:
        raise _unknown()
    return await land(services, session.project_id, passage, way, code=way.code)


async def _session(
    services: Services, access: Access, completion: Completion
) -> tuple[ConnectSession, Passage, Direct]:
    try:
        session = await services.store.connect_session(key_digest("completion", completion.code), now=services.clock())
    except Missing as error:
        raise _unknown() from error
    passage = passage_of(session)
    way = passage.way
    if session.project_id != access.project_id or session.stage != "returned" or not isinstance(way, Direct):
        raise _unknown()
    if not _is_meant(passage.customer, access, completion):
        raise _unknown()
    return session, passage, way


def _is_meant(customer: Customer, access: Access, completion: Completion) -> bool:
    """Tell whether a customer is the person of the token, and the one that is named."""
    named = customer.is_one(completion.group_ref or None, completion.consumer_ref or None)
    return named and customer.is_one(access.group_ref, access.consumer_ref)


def _unknown() -> InvalidInput:
    message = "this code is unknown, was used already, has expired, or is for another person"
    return invalid("completionCode", message, code="unknown-completion-code")
