"""Custom schemes in steps: the customer goes to the provider, and comes back with what completes their inputs.

The callback only remembers what the browser that set out brought, and hands it to the page that asked; the page asks
again with its own credential, which ends the flow. What it sends must be what was brought.
"""

import hmac
from collections.abc import Mapping
from urllib.parse import quote

import msgspec
from msgspec import UNSET
from msgspec.structs import replace

from connectors.connector import Prober
from connectors.credentials import CachedToken, CredentialsError, CustomCredentials, authorize
from connectors.errors import ConnectorError
from connectors.grants import trade
from connectors.provider import CustomOpts, Provider
from connectors.secret import Secret, Veiled
from connectors.signatures import ConnectionAuth
from connectors.templates import placeholders
from installations.errors import InvalidInput, invalid
from installations.installation import ConnectionStatus
from server.access.keyring import Access
from server.accounts import fill
from server.connecting.asking import Asker, issue_link, known_provider, missing_inputs, pages_of
from server.connecting.browsers import require_browser, stepwise_state
from server.connecting.errors import DeadLink, Finished, StrangePage
from server.connecting.failures import denial
from server.connecting.keeping import Given, Kept, keep
from server.connecting.passage import (
    Customer,
    Pages,
    Passage,
    Stepwise,
    build_details,
    key_digest,
    new_key,
    passage_of,
    values_of,
)
from server.inputs import brought_issues, step_issues
from server.services import Services
from server.store.contract import ConnectSession, Missing, Superseded

_OURS = ("callbackURL", "sessionId")
"""Names in a redirect template that are filled in here."""


class Redirect(Veiled, frozen=True, kw_only=True, rename="camel"):
    """Where to send the customer, and how to go on afterwards."""

    url: str
    session_id: str


class Brought(msgspec.Struct, frozen=True, kw_only=True):
    """What a customer came back with, for the page that asked."""

    app_name: str
    pages: Pages
    parameters: dict[str, str]


async def begin(services: Services, asker: Asker, customer: Customer, inputs: Mapping[str, str]) -> Redirect | Kept:
    """Start: answer where to send the customer, or the connection where the inputs are all it takes.

    Raises `InvalidInput` with every issue; `ConnectorError` where the provider does not take the inputs.
    """
    provider, options = multi_step_provider(services, customer.provider)
    problems = [*missing_inputs(customer, provider), *step_issues(provider, inputs)]
    if problems:
        raise InvalidInput(problems)
    way = Stepwise(state=new_key(), inputs={name: Secret(value) for name, value in inputs.items()})
    passage = Passage(customer=customer, pages=pages_of(asker, public_url=services.settings.public_url), way=way)
    if options.redirect_url is UNSET:
        return await _finish(services, asker.project_id, passage, way)
    redirect_of(services, customer, way)
    url = await issue_link(services, asker.project_id, passage)
    return Redirect(url=url, session_id=way.state.reveal())


async def bring_back(services: Services, cookies: Mapping[str, str], parameters: Mapping[str, str]) -> Brought:
    """Remember what the browser that set out brings.

    Raises `DeadLink`, `Finished`, `StrangeBrowser`, `StrangePage`; then nothing has changed.
    """
    public_url, now = services.settings.public_url, services.clock()
    session, passage, way = await _session(services, stepwise_state(cookies, public_url=public_url))
    if session.stage != "started":
        raise Finished
    require_browser(session, passage, cookies, public_url=public_url)
    _require_session(services, passage, way, parameters)
    app_name = (await services.store.project(session.project_id)).app_name
    brought = {name: Secret(value) for name, value in parameters.items()}
    after = replace(passage, way=replace(way, brought=brought))
    try:
        await services.store.advance_connect_session(
            replace(session, stage="returned", details=build_details(after)), from_stage="started", now=now
        )
    except Superseded as error:
        raise Finished from error
    except Missing as error:
        raise DeadLink from error
    return Brought(app_name=app_name, pages=passage.pages, parameters=dict(parameters))


async def go_on(services: Services, access: Access, session_id: str, parameters: Mapping[str, str]) -> Kept:
    """Finish with what the customer brought. When this answers, the connection is committed.

    Raises `InvalidInput` for a session that is unknown, used, expired or another person's, or whose customer has not
    come back yet, and for parameters that nobody brought; `ConnectorError` where the provider does not take them.
    """
    try:
        session, passage, way = await _session(services, session_id)
    except DeadLink as error:
        raise _unknown() from error
    customer = passage.customer
    if session.project_id != access.project_id or not customer.is_one(access.group_ref, access.consumer_ref):
        raise _unknown()
    if session.stage == "started":
        raise invalid("sessionId", "the customer has not come back from the provider yet", code="not-returned")
    if session.stage != "returned":
        raise _unknown()
    known = _completing(services, customer, way, parameters)
    spent = replace(passage, way=replace(way, inputs={}, brought={}))
    try:
        await services.store.advance_connect_session(
            replace(session, stage="spent", details=build_details(spent)), from_stage="returned", now=services.clock()
        )
    except (Superseded, Missing) as error:
        raise _unknown() from error
    return await _finish(services, session.project_id, passage, replace(way, brought=known))


def _require_session(services: Services, passage: Passage, way: Stepwise, parameters: Mapping[str, str]) -> None:
    """Raise `StrangePage` where the provider was told the session and what comes back does not name it.

    Any page can send the customer's browser here with an account of its own, and the cookie comes along.
    """
    _, options = multi_step_provider(services, passage.customer.provider)
    state = way.state.reveal().encode()
    named = any(hmac.compare_digest(value.encode("utf-8", "replace"), state) for value in parameters.values())
    if "sessionId" in placeholders(options.redirect_url or "") and not named:
        raise StrangePage


def multi_step_provider(services: Services, name: str) -> tuple[Provider, CustomOpts]:
    """Find a provider whose custom scheme goes in steps. Raises `InvalidInput`."""
    provider = known_provider(services, name)
    options = provider.custom_opts
    if options is UNSET or options.multi_step is not True:
        message = f"{provider.display_name} is not connected in steps"
        raise invalid("provider", message, code="not-supported", remedy="Use connections:generate or oauth-connect.")
    return provider, options


def redirect_of(services: Services, customer: Customer, way: Stepwise) -> str:
    """Fill in where the customer goes. Raises `InvalidInput` with every value that is missing or cannot stand there."""
    provider, options = multi_step_provider(services, customer.provider)
    ours = (callback_url(services), way.state.reveal())
    template = services.accounts.moved(provider, options.redirect_url or "")
    for name, value in zip(_OURS, ours, strict=True):
        for spelling in ("{{." + name + "}}", "{{ ." + name + " }}"):
            template = template.replace(spelling, quote(value, safe=""))
    return fill(template, values_of(customer))


def callback_url(services: Services) -> str:
    """Answer where providers send stepwise customers back to; it is published, and one for all."""
    return f"{services.settings.public_url}/callbacks/v1/custom-auth/default"


async def _session(services: Services, state: str) -> tuple[ConnectSession, Passage, Stepwise]:
    try:
        session = await services.store.connect_session(key_digest("state", state), now=services.clock())
    except Missing as error:
        raise DeadLink from error
    passage = passage_of(session)
    if not isinstance(passage.way, Stepwise):
        raise DeadLink
    return session, passage, passage.way


def _completing(
    services: Services, customer: Customer, way: Stepwise, parameters: Mapping[str, str]
) -> dict[str, Secret]:
    """Answer what completes the inputs. Raises `InvalidInput` unless it is what the customer's own browser brought."""
    if not hmac.compare_digest(_canonical(parameters), _canonical({k: v.reveal() for k, v in way.brought.items()})):
        raise invalid("callbackParams", "these are not what the customer came back with", code="not-brought")
    provider, options = multi_step_provider(services, customer.provider)
    if problems := list(brought_issues(provider, parameters)):
        raise _denied(provider, parameters) or InvalidInput(problems)
    return {name: way.brought[name] for name in options.callback_params or ()}


def _denied(provider: Provider, parameters: Mapping[str, str]) -> InvalidInput | None:
    """Tell a customer who was refused, or said no, from one who came back with too little (RFC 6749, 4.1.2.1)."""
    if not parameters.get("error"):
        return None
    description = parameters.get("error_description", "")
    message = denial(parameters["error"], description, provider=provider.display_name)
    return invalid("callbackParams", message, code="denied")


def _canonical(parameters: Mapping[str, str]) -> bytes:
    return msgspec.json.encode(sorted(parameters.items()))


def _unknown() -> InvalidInput:
    message = "this session is unknown, was used already, has expired, or is another person's"
    return invalid("sessionId", message, code="unknown-session")


async def _finish(services: Services, project_id: str, passage: Passage, way: Stepwise) -> Kept:
    customer = passage.customer
    provider, options = multi_step_provider(services, customer.provider)
    # What the browser brings never replaces what the customer filled in.
    credentials = CustomCredentials(values={**way.brought, **way.inputs})
    status: ConnectionStatus = "working"
    if options.token_request is UNSET:
        status = await _try(services, customer, provider, credentials)
    else:
        credentials = await _traded(services, customer, options, credentials)
    given = Given(
        project_id=project_id,
        customer=customer,
        provider=provider,
        scheme="none",
        status=status,
        credentials=credentials,
        now=services.clock(),
    )
    return await keep(services, given)


async def _traded(
    services: Services, customer: Customer, options: CustomOpts, credentials: CustomCredentials
) -> CustomCredentials:
    assert options.token_request is not UNSET  # noqa: S101 -- for the type checker
    url = services.accounts.endpoints(customer.provider, values_of(customer)).token
    flow = trade(options.token_request, url=url, values=credentials.values)
    granted = await services.perform(flow, auth=ConnectionAuth(), origin=url)
    now = services.clock()
    token = CachedToken(access_token=granted.access_token, expires_at=granted.expires_at(now), issued_at=now)
    return replace(credentials, token=token)


async def _try(
    services: Services, customer: Customer, provider: Provider, credentials: CustomCredentials
) -> ConnectionStatus:
    """Tell whether the credentials work. Raises `InvalidInput` if the provider refuses them; unknown is ``created``."""
    connector = services.accounts.connector(provider.name)
    if not isinstance(connector, Prober):
        return "created"
    account = services.accounts.account(provider.name, workspace_ref=customer.workspace_ref, metadata=customer.metadata)
    try:
        auth = authorize(provider, credentials)
        await services.perform(connector.probe(account), auth=auth, origin=account.base_url)
    except CredentialsError as error:
        raise invalid("customAuth", str(error), code="credentials") from error
    except ConnectorError as error:
        if error.fault.kind not in ("auth", "forbidden"):
            return "created"
        message = f"{provider.display_name} refuses these credentials: {error.fault.message}"
        raise invalid("customAuth", message, code="credentials-refused") from error
    return "working"
