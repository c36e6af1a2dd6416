"""The pages of our own origin that customers pass on their way to a connection, over HTTP."""

from typing import Any
from urllib.parse import parse_qsl

from litestar import MediaType, Request, Response, get, post
from litestar.params import FromPath, RawBody
from litestar.status_codes import HTTP_200_OK, HTTP_302_FOUND, HTTP_400_BAD_REQUEST

from installations.errors import InvalidInput
from server.api import problems
from server.api.provided import FromApp
from server.connecting.browsers import has_stepwise, without
from server.connecting.errors import ConnectError, Finished, StrangePage
from server.connecting.pages import (
    ECHOED,
    Page,
    bringing_page,
    dead_page,
    echo_page,
    ending_page,
    finished_page,
    question_page,
)
from server.connecting.returning import Callback, Ended, Failure, come_back
from server.connecting.starting import Opened, entry, open_link, question_for, require_answer, set_out
from server.connecting.stepwise import bring_back
from server.door.address import unescape
from server.door.refusals import BadRequest, RequestError, WrongMediaType
from server.services import Services

Visit = Request[Any, Any, Any]
_MOST_FIELDS = 50
_FORM = "application/x-www-form-urlencoded"
_UNEXPECTED = "Something went wrong here, through no fault of yours. Start again in the product."


@get("/connect/{ticket:str}", include_in_schema=False)
async def open_connect_link(services: FromApp, request: Visit, ticket: FromPath[str]) -> Response[str]:
    """Send a window that the asking page opened on to the provider; ask anybody else first."""
    _require_window(request)
    opened = await open_link(services, unescape(ticket))
    if entry(opened, referer=request.headers.get("referer")) == "straight":
        return await _departure(services, opened)
    question = await question_for(services, opened)
    return _shown(question_page(question), cookie=question.cookie.header())


@post("/connect/{ticket:str}", include_in_schema=False, status_code=HTTP_200_OK)
async def confirm_connect_link(
    services: FromApp, request: Visit, ticket: FromPath[str], body: RawBody
) -> Response[str]:
    """Take the button that was pressed on our page."""
    _require_window(request)
    if request.headers.get("sec-fetch-site", "same-origin") != "same-origin":
        raise StrangePage
    opened = await open_link(services, unescape(ticket))
    confirmation = _form(request, body).get("confirmation", "")
    require_answer(services, opened, request.cookies, confirmation=confirmation)
    return await _departure(services, opened)


@get("/callbacks/v1/oauth/{tenant:str}/{provider:str}", include_in_schema=False)
async def return_from_provider(
    services: FromApp, request: Visit, tenant: FromPath[str], provider: FromPath[str]
) -> Response[str]:
    """Take what the provider sends the customer back with, and tell how it ended."""
    _require_window(request)
    query = request.query_params
    callback = Callback(
        project_id=unescape(tenant),
        provider=unescape(provider),
        cookies=request.cookies,
        state=query.get("state", ""),
        code=query.get("code", ""),
        error=query.get("error", ""),
        error_description=query.get("error_description", ""),
        issuer=query.get("iss", ""),
    )
    return _ending(services, await come_back(services, callback))


@get("/callbacks/v1/custom-auth/default", include_in_schema=False)
async def return_stepwise(services: FromApp, request: Visit) -> Response[str]:
    """Take the parameters of a customer who comes back from a custom scheme, and hand them to the page that asked."""
    _require_window(request)
    return await _brought(services, request, dict(request.query_params.items()))


@post("/callbacks/v1/custom-auth/default", include_in_schema=False, status_code=HTTP_200_OK)
async def return_stepwise_by_form(services: FromApp, request: Visit, body: RawBody) -> Response[str]:
    """Take the same from a form. A form of another site comes without our cookie, so our own page sends it again."""
    _require_window(request)
    parameters = {**dict(request.query_params.items()), **_form(request, body)}
    echoed = parameters.pop(ECHOED, None) is not None
    if not echoed and not has_stepwise(request.cookies, public_url=services.settings.public_url):
        return _shown(echo_page(parameters))
    return await _brought(services, request, parameters)


CONNECT_PAGES = [
    open_connect_link,
    confirm_connect_link,
    return_from_provider,
    return_stepwise,
    return_stepwise_by_form,
]
"""Pages for people; they are no part of the API's description."""


def page_problem(request: Visit, error: Exception) -> Response[str]:
    """Say on a page why it does not go on."""
    problems.record(error, request_id=request.scope["state"]["request_id"])
    told = isinstance(error, ConnectError | InvalidInput | RequestError)
    show = finished_page if isinstance(error, Finished) else dead_page
    return _shown(show(str(error) if told else _UNEXPECTED), status=problems.problem_of(error).status)


async def _departure(services: Services, opened: Opened) -> Response[str]:
    departure = await set_out(services, opened)
    headers = {
        "location": departure.url,
        "set-cookie": departure.cookie.header(),
        "cache-control": "no-store",
        "referrer-policy": "no-referrer",
    }
    return Response("", status_code=HTTP_302_FOUND, headers=headers, media_type=MediaType.TEXT)


def _ending(services: Services, ended: Ended) -> Response[str]:
    status = HTTP_400_BAD_REQUEST if isinstance(ended.result, Failure) else HTTP_200_OK
    cookie = without(ended.cookie_name, public_url=services.settings.public_url)
    return _shown(ending_page(ended), cookie=cookie, status=status)


async def _brought(services: Services, request: Visit, parameters: dict[str, str]) -> Response[str]:
    return _shown(bringing_page(await bring_back(services, request.cookies, parameters)))


def _shown(page: Page, *, cookie: str = "", status: int = HTTP_200_OK) -> Response[str]:
    headers = {**page.headers, **({"set-cookie": cookie} if cookie else {})}
    return Response(page.html, status_code=status, headers=headers, media_type=MediaType.HTML)


def _require_window(request: Visit) -> None:
    """Refuse frames, scripts and programs that fetch ahead: only a window is a person. Old browsers do not say."""
    ahead = f"{request.headers.get('sec-purpose', '')} {request.headers.get('purpose', '')}"
    if request.headers.get("sec-fetch-dest", "document") != "document" or "prefetch" in ahead:
        raise StrangePage


def _form(request: Visit, body: bytes) -> dict[str, str]:
    """Read a form. Raises `RequestError`, also for a field that is there twice: two readers would differ on it."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != _FORM:
        raise WrongMediaType("This page takes a form.")
    try:
        pairs = parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=_MOST_FIELDS, errors="strict")
    except ValueError as error:
        raise BadRequest("The form cannot be read.") from error
    fields = dict(pairs)
    if len(fields) != len(pairs) or any("\0" in text for pair in pairs for text in pair):
        raise BadRequest("The form has a field twice, or a NUL character.")
    return fields
