"""From a request for consent to the link that we hand out. Everything is checked before anybody is sent anywhere."""

from collections.abc import Iterator, Sequence
from typing import Literal
from urllib.parse import quote

import msgspec
from msgspec import UNSET, UnsetType

from connectors.provider import OAuth2Opts, Provider
from installations.errors import InvalidInput, Issue, at, invalid
from installations.installation import AccessPolicy, Connection, ProviderApp
from server.connecting.origins import is_safe, origin_of
from server.connecting.passage import (
    LIFE,
    Customer,
    Direct,
    Pages,
    Passage,
    build_details,
    key_digest,
    new_key,
    values_of,
)
from server.inputs import metadata_issues
from server.services import Services
from server.store.contract import ConnectSession, Missing

WEB_GRANTS = ("authorizationCode", "authorizationCodePKCE")
"""The grants of OAuth 2 that send a customer to the provider."""

_STRICT = (
    'Send "flow": "strict" and finish with POST /v1/oauth-connect:complete. The published React library cannot; '
    "a project that embeds it has to go without accessPolicy.strictConnect."
)


class Asker(msgspec.Struct, frozen=True, kw_only=True):
    """Who asks for a link, and how they want it."""

    project_id: str
    policy: AccessPolicy
    origin: str | None = None
    """The ``Origin`` header of the request."""
    answers_for_page: bool = False
    """A key that is kept on a server asks. Whatever else asks, anybody's page may have it."""
    flow: Literal["direct", "strict"] | UnsetType = UNSET
    return_url: str | UnsetType = UNSET

    @property
    def strict(self) -> bool:
        """Whether the page that asks will finish the flow."""
        return self.flow == "strict"


async def link_for(services: Services, asker: Asker, customer: Customer, *, connection_id: str | None = None) -> str:
    """Answer a link for a customer to give consent by. Raises `InvalidInput` with every issue; then nothing is stored.

    With ``connection_id``, the consent heals that connection and no other.
    """
    provider = web_provider(services, customer.provider)
    pages = pages_of(asker, public_url=services.settings.public_url)
    problems = [*_account_issues(services, customer, provider), *_page_issues(asker, pages)]
    app, unclear = await find_app(services, asker.project_id, customer, provider)
    problems += unclear or _scope_issues(app, provider)
    if problems or app is None:
        raise InvalidInput(problems)
    redirect_uri = callback_uri(services, asker.project_id, provider.name)
    way = Direct(redirect_uri=redirect_uri, strict=asker.strict, connection_id=connection_id)
    known = msgspec.structs.replace(customer, provider_app_id=app.id)
    return await issue_link(services, asker.project_id, Passage(customer=known, pages=pages, way=way))


async def issue_link(services: Services, project_id: str, passage: Passage) -> str:
    """Store a passage, and answer the link that opens it once."""
    ticket, now = new_key().reveal(), services.clock()
    session = ConnectSession(
        id=services.new_id(),
        project_id=project_id,
        stage="made",
        key_digest=key_digest("ticket", ticket),
        details=build_details(passage),
        expire_time=now + LIFE,
    )
    await services.store.create_connect_session(session)
    return f"{services.settings.public_url}/connect/{ticket}"


def customer_of(connection: Connection) -> Customer:
    """Answer who a connection belongs to, for asking them again."""
    return Customer(
        provider=connection.provider,
        group_ref=connection.group.group_ref,
        consumer_ref=connection.consumer.consumer_ref,
        group_name=connection.group.group_name,
        workspace_ref=connection.provider_workspace_ref,
        metadata=connection.provider_metadata or {},
        provider_app_id=connection.provider_app.id if connection.provider_app else None,
    )


def callback_uri(services: Services, project_id: str, provider: str) -> str:
    """Answer where a provider sends customers back to."""
    return redirect_uri(services.settings.public_url, project_id, provider)


def redirect_uri(public_url: str, project_id: str, provider: str) -> str:
    """Spell the redirect URI that a builder registers: another one for each project and provider.

    So an answer that was meant for another one cannot be passed off as this one's (RFC 9700, section 4.4.2).
    """
    return f"{public_url}/callbacks/v1/oauth/{project_id}/{quote(provider, safe='')}"


def pages_of(asker: Asker, *, public_url: str) -> Pages:
    """Tell who may learn of the outcome: the page that asked, or the pages that a server's project lists.

    Our own page for iframes is as well known as the listed pages, for it works inside them alone.
    """
    origin, listed = origin_of(asker.origin or "") or "", asker.policy.allowed_origins
    targets = (origin,) if origin else listed
    is_ours = bool(listed) and origin == origin_of(public_url)
    is_known = asker.answers_for_page or origin in listed or is_ours
    return Pages(origin=origin, is_known=is_known, targets=targets, return_url=asker.return_url or "")


def web_provider(services: Services, name: str) -> Provider:
    """Find a provider whose customers give consent at its own pages. Raises `InvalidInput`."""
    provider = known_provider(services, name)
    if provider.auth_type != "oauth2" or web_options(provider) is None:
        remedy = "Use connections:generate." if not _is_multi_step(provider) else "Use custom-auth/connect."
        message = f"{provider.display_name} is not connected by consent at its own pages"
        raise invalid("provider", message, code="not-supported", remedy=remedy)
    return provider


def known_provider(services: Services, name: str) -> Provider:
    """Find a provider that a request names. Raises `InvalidInput`."""
    provider = services.accounts.providers.get(name)
    if provider is None:
        raise invalid("provider", f"there is no provider {name!r}", code="unknown-provider")
    return provider


def web_options(provider: Provider) -> OAuth2Opts | None:
    """Answer how to run the authorization code grant, where the provider has it."""
    options = provider.oauth2_opts
    return options if options is not UNSET and options.grant_type in WEB_GRANTS else None


def _is_multi_step(provider: Provider) -> bool:
    return provider.custom_opts is not UNSET and provider.custom_opts.multi_step is True


async def find_app(
    services: Services, project_id: str, customer: Customer, provider: Provider
) -> tuple[ProviderApp | None, list[Issue]]:
    """Find the provider app that is meant, or say what is unclear about it."""
    if customer.provider_app_id is not None:
        return await _named_app(services, project_id, customer.provider_app_id, provider)
    apps = [app for app in await services.store.provider_apps(project_id) if app.provider == provider.name]
    if len(apps) == 1:
        return apps[0], []
    return None, [_no_app(services, project_id, provider) if not apps else _which_app(apps, provider)]


async def _named_app(
    services: Services, project_id: str, app_id: str, provider: Provider
) -> tuple[ProviderApp | None, list[Issue]]:
    try:
        app = await services.store.provider_app(project_id, app_id)
    except Missing:
        return None, [Issue(path="providerAppId", message="there is no such provider app", code="unknown-provider-app")]
    if app.provider == provider.name:
        return app, []
    message = f"this provider app is for {app.provider}, not for {provider.name}"
    return None, [Issue(path="providerAppId", message=message, code="unknown-provider-app")]


def _no_app(services: Services, project_id: str, provider: Provider) -> Issue:
    place = callback_uri(services, project_id, provider.name)
    return Issue(
        path="providerAppId",
        message=f"there is no provider app for {provider.display_name} in this project",
        code="no-provider-app",
        remedy=f"Register an OAuth client at {provider.display_name} with the redirect URI {place}, and give its id "
        f"and secret to POST /v1/projects/{project_id}/provider-apps.",
    )


def _which_app(apps: Sequence[ProviderApp], provider: Provider) -> Issue:
    names = ", ".join(app.id for app in apps)
    message = f"there are several provider apps for {provider.display_name}; name one of {names}"
    return Issue(path="providerAppId", message=message, code="required")


def _scope_issues(app: ProviderApp | None, provider: Provider) -> list[Issue]:
    options = web_options(provider)
    if app is None or options is None or not options.explicit_scopes_required or app.scopes:
        return []
    message = f"{provider.display_name} must be told which scopes to ask for, and the provider app has none"
    remedy = f"PATCH the provider app {app.id} with the mask scopes."
    return [Issue(path="providerAppId", message=message, code="no-scopes", remedy=remedy)]


def _page_issues(asker: Asker, pages: Pages) -> Iterator[Issue]:
    """Find what is wrong with the pages that are to have part in the flow."""
    if asker.return_url is not UNSET and (issue := _return_issue(asker.return_url, asker.policy)):
        yield issue
    if asker.policy.strict_connect and not asker.strict:
        message = "this project takes only consents that the page that asked finishes, and nobody says that it will"
        yield Issue(path="flow", message=message, code="strict-only", remedy=_STRICT)
    if asker.strict and not pages.targets and asker.return_url is UNSET:
        message = "in the strict flow the page that started has to finish, and no page is known"
        remedy = "Ask from the page itself, give returnUrl, or list the project's accessPolicy.allowedOrigins."
        yield Issue(path="flow", message=message, code="no-page", remedy=remedy)


def _return_issue(url: str, policy: AccessPolicy) -> Issue | None:
    origin = origin_of(url)
    if origin is None or not is_safe(origin) or not url.isascii() or not url.isprintable():
        return Issue(path="returnUrl", message="must be an https URL", code="bad-value")
    if origin in policy.allowed_origins:
        return None
    message = f"the origin {origin} is not in the project's accessPolicy.allowedOrigins"
    return Issue(path="returnUrl", message=message, code="not-allowed")


def _account_issues(services: Services, customer: Customer, provider: Provider) -> list[Issue]:
    """Find what the customer has yet to fill in, and what cannot stand in the URLs it goes into."""
    missing = list(missing_inputs(customer, provider))
    return list({issue.path: issue for issue in (*_url_issues(services, customer, provider), *missing)}.values())


def missing_inputs(customer: Customer, provider: Provider) -> Iterator[Issue]:
    """List the declared inputs that were not given. What the provider tells by itself need not be."""
    values, options = values_of(customer), web_options(provider)
    declared = {item.name for item in provider.metadata.input} if provider.metadata is not UNSET else set()
    wanted = options is not None and options.explicit_workspace_required and "workspace" not in declared
    if wanted and not values.get("workspace"):
        message = f"{provider.display_name} needs to know the workspace"
        yield Issue(path="providerWorkspaceRef", message=message, code="required")
    later = _learnt_paths(provider)
    yield from (issue for issue in metadata_issues(provider, values) if issue.path not in later)


def _learnt_paths(provider: Provider) -> frozenset[str]:
    """Name the values that the provider tells along with the token, or is asked for afterwards."""
    options, metadata = web_options(provider), provider.metadata
    told = (options.token_metadata_fields.other_fields or ()) if options is not None else ()
    asked = (metadata.post_authentication or ()) if metadata is not UNSET else ()
    names = {*(item.name for item in told), *(item.name for item in asked)}
    return frozenset(at("providerMetadata", name) for name in names)


def _url_issues(services: Services, customer: Customer, provider: Provider) -> Iterator[Issue]:
    ref, metadata = customer.workspace_ref, customer.metadata
    try:
        services.accounts.endpoints(provider.name, values_of(customer))
    except InvalidInput as error:
        yield from error.issues
    try:
        services.accounts.account(provider.name, workspace_ref=ref, metadata=metadata)
    except InvalidInput as error:
        later = _learnt_paths(provider)
        yield from (issue for issue in error.issues if issue.code != "required" or issue.path not in later)
