"""Custom schemes in steps over HTTP: start, send the customer away, and go on with what they brought."""

from typing import Annotated, Any

import msgspec
from litestar import Request, post
from litestar.params import RawBody
from litestar.status_codes import HTTP_200_OK
from msgspec import UNSET, Meta, UnsetType

from installations.errors import InvalidInput, Issue
from installations.installation import Connection, MetadataValue
from server.access.keyring import Access
from server.api.bodies import Name, Text
from server.api.connections import DisplayName
from server.api.oauth import ProjectNamed, parse_named
from server.api.provided import FromAccess, FromApp, takes
from server.connecting.asking import Asker
from server.connecting.completing import require_somebody
from server.connecting.keeping import Kept
from server.connecting.passage import Customer
from server.connecting.stepwise import Redirect, begin, go_on
from server.inputs import as_given
from server.services import Services

Parameters = Annotated[dict[Name, Annotated[str, Meta(max_length=10_000)]], Meta(max_length=50)]


class CustomAuthConnect(ProjectNamed, frozen=True, kw_only=True, rename="camel"):
    """The start of a flow, or with ``sessionId`` its continuation."""

    provider: Name | UnsetType = UNSET
    group_ref: Name | UnsetType = UNSET
    consumer_ref: Name | UnsetType = UNSET
    group_name: DisplayName | UnsetType = UNSET
    consumer_name: DisplayName | UnsetType = UNSET
    custom_auth: Annotated[dict[Name, Text], Meta(max_length=50)] | UnsetType = UNSET
    provider_metadata: dict[Name, MetadataValue] | UnsetType = UNSET
    provider_app_id: Name | UnsetType = UNSET
    """Published; no scheme of ours that goes in steps has one."""
    session_id: Name | UnsetType = UNSET
    callback_params: Parameters | UnsetType = UNSET


class CustomAuthAnswer(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Exactly one of the two: where the customer has to go, or the connection."""

    redirect: Redirect | UnsetType = UNSET
    connection: Connection | UnsetType = UNSET


@post("/v1/custom-auth/connect", status_code=HTTP_200_OK, opt=takes(CustomAuthConnect))
async def custom_auth_connect(
    services: FromApp, access: FromAccess, request: Request[Any, Any, Any], body: RawBody
) -> CustomAuthAnswer:
    """Connect in steps, where a provider's custom scheme sends the customer to a page of its own: start, or go on.

    Where the answer is a redirect, open its URL in a window, and come again with ``sessionId`` and what the customer
    brought back as ``callbackParams``, until the answer is a connection.
    """
    wanted = parse_named(body, CustomAuthConnect)
    project_id = access.enter(wanted.project_named)
    if access.policy.strict_connect:
        require_somebody(access)
    if wanted.session_id:
        return _answer(await go_on(services, access, wanted.session_id, wanted.callback_params or {}))
    asker = Asker(
        project_id=project_id,
        policy=access.policy,
        origin=request.headers.get("origin"),
        answers_for_page=access.reach == "full",
    )
    return _answer(await _begin(services, access, asker, wanted))


async def _begin(services: Services, access: Access, asker: Asker, wanted: CustomAuthConnect) -> Redirect | Kept:
    named = {"provider": wanted.provider, "groupRef": wanted.group_ref, "consumerRef": wanted.consumer_ref}
    if missing := [name for name, value in named.items() if value is UNSET]:
        raise InvalidInput(Issue(path=name, message="is required", code="required") for name in missing)
    customer = Customer(
        provider=wanted.provider or "",
        group_ref=wanted.group_ref or "",
        consumer_ref=wanted.consumer_ref or "",
        group_name=wanted.group_name or UNSET,
        consumer_name=wanted.consumer_name or UNSET,
        metadata=as_given(wanted.provider_metadata) or {},
    )
    access.require_person(customer.group_ref, customer.consumer_ref)
    return await begin(services, asker, customer, wanted.custom_auth or {})


def _answer(result: Redirect | Kept) -> CustomAuthAnswer:
    if isinstance(result, Redirect):
        return CustomAuthAnswer(redirect=result)
    return CustomAuthAnswer(connection=result.connection)
