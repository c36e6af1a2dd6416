"""Setting out: a link becomes a browser at the provider's consent page, bound to what it has to bring back.

A link can be forwarded to somebody who would then give access to *their* account for *somebody else's* group, so it
does nothing by itself. A window goes straight through if the page that asked opened it, which the ``Referer`` shows,
and if that page is the product's; anybody else is asked first, by a page that says for whom it is. Only a button sets
out, so that programs that look into links use none of them up.
"""

import hmac
from collections.abc import Mapping
from typing import Any, Literal

import msgspec
from msgspec.structs import replace

from connectors.grants import authorization_url, new_verifier
from connectors.secret import Secret, Veiled
from server.connecting.asking import known_provider
from server.connecting.browsers import Cookie, cookie_for, cookie_name
from server.connecting.errors import DeadLink, StrangeBrowser, StrangePage
from server.connecting.landing import client_of, options_of
from server.connecting.origins import origin_of
from server.connecting.passage import (
    LIFE,
    Customer,
    Direct,
    Passage,
    build_details,
    key_digest,
    new_key,
    passage_of,
    values_of,
)
from server.connecting.stepwise import redirect_of
from server.services import Services
from server.store.contract import ConnectSession, Missing, Superseded


class Opened(msgspec.Struct, frozen=True, kw_only=True):
    """A link that somebody opened, with what it leads to."""

    session: ConnectSession
    passage: Passage


class Departure(Veiled, frozen=True, kw_only=True):
    """Where to, and the cookie to come back with."""

    url: str
    cookie: Cookie


class Question(Veiled, frozen=True, kw_only=True):
    """What a person is asked before they set out by a link."""

    app_name: str
    provider: str
    """Its display name."""
    group: str
    cookie: Cookie
    confirmation: str
    """Comes back with the button, and fits the cookie: no other page can press it."""


async def open_link(services: Services, ticket: str) -> Opened:
    """Look at a link without using it up. Raises `DeadLink`."""
    try:
        session = await services.store.connect_session(key_digest("ticket", ticket), now=services.clock())
    except Missing as error:
        raise DeadLink from error
    if session.stage != "made":
        raise DeadLink
    return Opened(session=session, passage=passage_of(session))


def entry(opened: Opened, *, referer: str | None) -> Literal["straight", "ask"]:
    """Tell whether a window may go on at once. Raises `StrangePage` for one that another page opened.

    A page that nobody has listed may be anybody's: with the key out of another page, or a token of their own, they
    would have every visitor's account connected for their group, unseen where the provider asks nothing either.
    """
    pages = opened.passage.pages
    if not pages.origin or not referer:
        return "ask"
    if origin_of(referer) != pages.origin:
        raise StrangePage
    return "straight" if pages.is_known else "ask"


async def question_for(services: Services, opened: Opened) -> Question:
    """Make what the person is asked, and the cookie that their answer needs."""
    cookie = cookie_for(opened.session, opened.passage, new_key(), public_url=services.settings.public_url)
    project = await services.store.project(opened.session.project_id)
    return Question(
        app_name=project.app_name,
        provider=known_provider(services, opened.passage.customer.provider).display_name,
        group=opened.passage.customer.shown_group,
        cookie=cookie,
        confirmation=_confirmation(cookie.value.reveal()),
    )


def require_answer(services: Services, opened: Opened, cookies: Mapping[str, str], *, confirmation: str) -> None:
    """Raise `StrangeBrowser` unless the button was pressed on our own page, in this browser."""
    name = cookie_name(opened.session, opened.passage, public_url=services.settings.public_url)
    value = cookies.get(name, "")
    if not value or not hmac.compare_digest(_confirmation(value).encode(), confirmation.encode("utf-8", "replace")):
        raise StrangeBrowser("The button was not pressed on our page in this browser, or cookies are blocked.")


async def set_out(services: Services, opened: Opened) -> Departure:
    """Use the link up and send the browser on. Raises `DeadLink` where somebody else was faster."""
    session, passage, browser = opened.session, opened.passage, new_key()
    passage, state, url = await _destination(services, session.project_id, passage)
    now = services.clock()
    started = replace(
        session,
        stage="started",
        key_digest=key_digest("state", state.reveal()),
        browser_digest=key_digest("browser", browser.reveal()),
        details=build_details(passage),
        expire_time=now + LIFE,
    )
    await _advance(services, started)
    cookie = cookie_for(started, passage, browser, public_url=services.settings.public_url)
    return Departure(url=url, cookie=cookie)


async def _advance(services: Services, started: ConnectSession) -> None:
    try:
        await services.store.advance_connect_session(started, from_stage="made", now=services.clock())
    except (Superseded, Missing) as error:
        raise DeadLink from error


async def _destination(services: Services, project_id: str, passage: Passage) -> tuple[Passage, Secret, str]:
    """Answer the passage as it goes on, what will open its next stage, and the provider's page."""
    way = passage.way
    if not isinstance(way, Direct):
        return passage, way.state, redirect_of(services, passage.customer, way)
    state = new_key()
    way, url = await _authorization(services, project_id, passage.customer, way, state=state)
    return replace(passage, way=way), state, url


async def _authorization(
    services: Services, project_id: str, customer: Customer, way: Direct, *, state: Secret
) -> tuple[Direct, str]:
    options, values = options_of(known_provider(services, customer.provider)), values_of(customer)
    verifier = new_verifier() if options.grant_type == "authorizationCodePKCE" else None
    url = authorization_url(
        options,
        url=services.accounts.endpoints(customer.provider, values).authorize,
        client=await client_of(services, project_id, customer),
        redirect_uri=way.redirect_uri,
        state=state.reveal(),
        verifier=verifier,
        extra=await _builder_parameters(services, project_id, customer),
        values=values,
    )
    return replace(way, verifier=verifier), url


async def _builder_parameters(services: Services, project_id: str, customer: Customer) -> dict[str, list[str]]:
    """Read ``authQueryParams`` of the provider app: whatever else the builder wants the consent page to know."""
    app = await services.store.provider_app(project_id, customer.provider_app_id or "")
    metadata: dict[str, Any] = app.metadata or {}
    return dict(metadata.get("authQueryParams") or {})


def _confirmation(cookie: str) -> str:
    return key_digest("browser", f"confirm.{cookie}").hex()
