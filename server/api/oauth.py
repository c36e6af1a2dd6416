"""Consent over HTTP: links for customers to give it by, and the end of the strict flow."""

from typing import Annotated, Any, Literal, TypeVar

import msgspec
from litestar import MediaType, Request, Response, patch, post
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import FromPath, RawBody
from litestar.status_codes import HTTP_200_OK, HTTP_201_CREATED
from msgspec import UNSET, Meta, UnsetType

from connectors.secret import Veiled
from installations.errors import Issue, invalid
from installations.installation import Connection, MetadataValue
from server.api.bodies import Malformed, Name, parse_body
from server.api.connections import DisplayName, find_connection
from server.api.provided import Entered, FromAccess, FromApp, takes
from server.connecting.asking import Asker, customer_of, link_for
from server.connecting.completing import Completion, complete, require_somebody
from server.connecting.passage import Customer
from server.inputs import as_given

Url = Annotated[str, Meta(min_length=1, max_length=2048)]
WEB_SCHEMES = ("oauth2/authorizationCode", "oauth2/authorizationCodePKCE")


class ProjectNamed(Veiled, frozen=True, kw_only=True, rename="camel"):
    """A request that names its project in the body."""

    project_id_or_name: Name | UnsetType = UNSET
    project_id: Name | UnsetType = UNSET
    """What older clients call it."""

    @property
    def project_named(self) -> str:
        """The project's id or name; empty where neither is there."""
        return self.project_id_or_name or self.project_id or ""


Named = TypeVar("Named", bound=ProjectNamed)


def parse_named(body: bytes, kind: type[Named]) -> Named:
    """Decode a body that names its project. Raises `Malformed` with every issue, no name among them."""
    issues: list[Issue] = []
    wanted = None
    try:
        wanted = parse_body(body, kind)
    except Malformed as error:
        issues += error.issues
    if not _names_project(body):
        issues.insert(0, Issue(path="projectIdOrName", message="is required", code="required"))
    if wanted is None or issues:
        raise Malformed(issues)
    return wanted


def _names_project(body: bytes) -> bool:
    try:
        return bool(parse_body(body, ProjectNamed).project_named)
    except Malformed:
        # What is wrong with the name, or with the whole, is said already.
        return True


Flow = Literal["strict"]


class FlowWanted(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """How the flow shall end. Ours; not in the published schema."""

    flow: Flow | UnsetType = UNSET
    """The page that asked finishes with `POST /v1/oauth-connect:complete`."""
    return_url: Url | UnsetType = UNSET
    """Where the customer goes on in a window that no page of the product opened."""


class OauthConnect(ProjectNamed, frozen=True, kw_only=True, rename="camel"):
    """Whose consent is asked for, and at which provider."""

    provider: Name
    group_ref: Name
    consumer_ref: Name
    group_name: DisplayName | UnsetType = UNSET
    consumer_name: DisplayName | UnsetType = UNSET
    provider_workspace_ref: Name | UnsetType = UNSET
    provider_metadata: dict[Name, MetadataValue] | UnsetType = UNSET
    provider_app_id: Name | UnsetType = UNSET
    enable_csrf_protection: bool | UnsetType = msgspec.field(default=UNSET, name="enableCSRFProtection")
    """Published, and without effect: a flow without it does not exist here."""
    flow: Flow | UnsetType = UNSET
    return_url: Url | UnsetType = UNSET


class CompleteOauth(ProjectNamed, frozen=True, kw_only=True, rename="camel"):
    """The end of a strict flow. A backend may name the person it believes to be in front of it."""

    completion_code: Url
    group_ref: Name | UnsetType = UNSET
    consumer_ref: Name | UnsetType = UNSET


@post("/v1/oauth-connect", status_code=HTTP_200_OK, media_type=MediaType.TEXT, opt=takes(OauthConnect))
async def oauth_connect(services: FromApp, access: FromAccess, request: Request[Any, Any, Any], body: RawBody) -> str:
    """Make a link by which a customer gives access to their account. It works once, for ten minutes."""
    wanted = parse_named(body, OauthConnect)
    project_id = access.enter(wanted.project_named)
    access.require_person(wanted.group_ref, wanted.consumer_ref)
    customer = Customer(
        provider=wanted.provider,
        group_ref=wanted.group_ref,
        consumer_ref=wanted.consumer_ref,
        group_name=wanted.group_name or UNSET,
        consumer_name=wanted.consumer_name or UNSET,
        workspace_ref=wanted.provider_workspace_ref,
        metadata=as_given(wanted.provider_metadata) or {},
        provider_app_id=wanted.provider_app_id or None,
    )
    asker = Asker(
        project_id=project_id,
        policy=access.policy,
        origin=request.headers.get("origin"),
        answers_for_page=access.reach == "full",
        flow=wanted.flow,
        return_url=wanted.return_url,
    )
    return await link_for(services, asker, customer)


@post(
    "/v1/oauth-connect/:complete",
    responses={HTTP_200_OK: ResponseSpec(Connection, description="Healed", generate_examples=False)},
    opt=takes(CompleteOauth),
)
async def complete_oauth(services: FromApp, access: FromAccess, body: RawBody) -> Response[Connection]:
    """Finish a strict flow with the page's own credential: 201 for a new connection, 200 for one that was healed."""
    require_somebody(access)
    wanted = parse_named(body, CompleteOauth)
    access.enter(wanted.project_named)
    completion = Completion(code=wanted.completion_code, group_ref=wanted.group_ref, consumer_ref=wanted.consumer_ref)
    kept = await complete(services, access, completion)
    return Response(kept.connection, status_code=HTTP_201_CREATED if kept.is_new else HTTP_200_OK)


@patch("/connections/{connection_id:str}/:oauth-update", media_type=MediaType.TEXT, opt=takes(FlowWanted))
async def oauth_update(  # noqa: PLR0917 -- a handler's parameters are its URL's
    services: FromApp,
    access: FromAccess,
    request: Request[Any, Any, Any],
    project_id: Entered,
    connection_id: FromPath[str],
    body: RawBody,
) -> str:
    """Make a link by which a customer gives access again: it heals this connection and no other."""
    wanted = parse_body(body, FlowWanted) if body.strip() else FlowWanted()
    connection = await find_connection(services, project_id, connection_id, access=access)
    if connection.auth_scheme not in WEB_SCHEMES:
        message = f"the connection authenticates by {connection.auth_scheme}, which does not change"
        raise invalid("connection", message, code="credentials", remedy="Give new credentials with PATCH.")
    asker = Asker(
        project_id=project_id,
        policy=access.policy,
        origin=request.headers.get("origin"),
        answers_for_page=access.reach == "full",
        flow=wanted.flow,
        return_url=wanted.return_url,
    )
    return await link_for(services, asker, customer_of(connection), connection_id=connection.id)
