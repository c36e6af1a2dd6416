"""Coming back from the provider: what a callback must prove before anything is believed, and how the way ends.

The state is one of ours and waits for its only use, and the browser is the one that set out: without both, nothing is
touched. Then the state is spent, whatever the rest says: that the callback is the one of this project and provider, and
that the answer comes from the provider that was asked (RFC 9207). Only then is a code traded, or, in the strict flow,
sealed away until the page that asked has finished.
"""

import hmac
from collections.abc import Mapping

import msgspec
from msgspec.structs import replace

from connectors.errors import ConnectorError
from connectors.secret import Secret, Veiled
from installations.errors import InvalidInput
from installations.installation import Connection
from server import logs
from server.connecting.asking import callback_uri, known_provider
from server.connecting.browsers import cookie_name, require_browser
from server.connecting.errors import DeadLink, Finished
from server.connecting.failures import denial, why
from server.connecting.landing import land
from server.connecting.passage import (
    COMPLETION_LIFE,
    Direct,
    Pages,
    Passage,
    build_details,
    key_digest,
    new_key,
    passage_of,
    values_of,
)
from server.services import Services
from server.store.contract import ConnectSession, Missing, StoreError, Superseded


class Callback(Veiled, frozen=True, kw_only=True):
    """What a browser brings to a callback; absent is empty."""

    project_id: str
    provider: str
    """Both as the path has them."""
    cookies: Mapping[str, str]
    state: str = ""
    code: str = ""
    error: str = ""
    error_description: str = ""
    issuer: str = ""


class Failure(msgspec.Struct, frozen=True, kw_only=True):
    """It came to nothing."""

    reason: str


class Waiting(msgspec.Struct, frozen=True, kw_only=True):
    """The page that asked has to finish with this code."""

    completion_code: Secret


class Ended(msgspec.Struct, frozen=True, kw_only=True):
    """How a customer's way ended, and who may be told."""

    app_name: str
    provider: str
    """Its display name."""
    pages: Pages
    cookie_name: str
    result: Connection | Failure | Waiting


async def come_back(services: Services, callback: Callback) -> Ended:
    """Answer how it ended; what is stored is committed then.

    Raises `DeadLink` for a state that is not ours, `Finished` for one that was used, `StrangeBrowser`; then nothing has
    changed.
    """
    session, passage, way = await _waiting_session(services, callback)
    # Whatever the page needs is read before anything is used up: a database that goes away then has cost nothing.
    app_name = (await services.store.project(session.project_id)).app_name
    provider = known_provider(services, passage.customer.provider).display_name
    failure = _failure(services, session, passage, callback, provider=provider)
    completion_code = new_key() if way.strict and failure is None else None
    await _spend(services, session, passage, way, callback, completion_code=completion_code)
    result: Connection | Failure | Waiting
    if failure is not None:
        result = _told(session, failure)
    elif completion_code is not None:
        result = Waiting(completion_code=completion_code)
    else:
        result = await _finish(services, session, passage, way, code=Secret(callback.code))
    return Ended(
        app_name=app_name,
        provider=provider,
        pages=passage.pages,
        cookie_name=cookie_name(session, passage, public_url=services.settings.public_url),
        result=result,
    )


async def _waiting_session(services: Services, callback: Callback) -> tuple[ConnectSession, Passage, Direct]:
    try:
        session = await services.store.connect_session(key_digest("state", callback.state), now=services.clock())
    except Missing as error:
        raise DeadLink from error
    passage = passage_of(session)
    way = passage.way
    if not isinstance(way, Direct):
        raise DeadLink
    if session.stage != "started":
        raise Finished
    require_browser(session, passage, callback.cookies, public_url=services.settings.public_url)
    return session, passage, way


def _failure(
    services: Services, session: ConnectSession, passage: Passage, callback: Callback, *, provider: str
) -> str | None:
    """Tell why an answer is not believed, or what the provider itself says against it."""
    way, wanted = passage.way, passage.customer.provider
    place = callback_uri(services, callback.project_id, callback.provider)
    if (callback.project_id, callback.provider) != (session.project_id, wanted) or place != _uri(way):
        return "The provider's answer came to another provider's address, so it was not used."
    issuer = services.accounts.endpoints(wanted, values_of(passage.customer)).issuer
    # Where a provider declares none, its own callback address says whose answer this is (RFC 9700, section 4.4.2.2).
    if issuer is not None and not hmac.compare_digest(issuer.encode(), callback.issuer.encode("utf-8", "replace")):
        return f"The answer does not come from the {provider} that was asked, so it was not used."
    if callback.error:
        return denial(callback.error, callback.error_description, provider=provider)
    return None if callback.code else f"{provider} sent neither a code nor an error."


def _uri(way: object) -> str:
    return way.redirect_uri if isinstance(way, Direct) else ""


async def _spend(
    services: Services,
    session: ConnectSession,
    passage: Passage,
    way: Direct,
    callback: Callback,
    *,
    completion_code: Secret | None,
) -> None:
    """Use the state up, in one conditional update. Raises `Finished` where another callback was faster."""
    now = services.clock()
    if completion_code is None:
        gone = replace(passage, way=replace(way, verifier=None))
        after = replace(session, stage="spent", details=build_details(gone))
    else:
        kept = replace(passage, way=replace(way, code=Secret(callback.code)))
        after = replace(
            session,
            stage="returned",
            key_digest=key_digest("completion", completion_code.reveal()),
            details=build_details(kept),
            expire_time=now + COMPLETION_LIFE,
        )
    try:
        await services.store.advance_connect_session(after, from_stage="started", now=now)
    except Superseded as error:
        raise Finished from error
    except Missing as error:
        raise DeadLink from error


async def _finish(
    services: Services, session: ConnectSession, passage: Passage, way: Direct, *, code: Secret
) -> Connection | Failure:
    provider = known_provider(services, passage.customer.provider).display_name
    try:
        return (await land(services, session.project_id, passage, way, code=code)).connection
    except (ConnectorError, InvalidInput, StoreError) as error:
        return _told(session, why(error, provider=provider), error=error)


def _told(session: ConnectSession, reason: str, *, error: Exception | None = None) -> Failure:
    fault = error.fault if isinstance(error, ConnectorError) else None
    logs.event(
        "connect.failed",
        project_id=session.project_id,
        session_id=session.id,
        error=type(error).__name__ if error else "callback",
        kind=fault.kind if fault else None,
    )
    return Failure(reason=reason)
