"""The API's door: who calls, which fault hits, what the endpoint says, what is written down, what goes back."""

import asyncio
import socket
import struct
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from email.utils import format_datetime
from urllib.parse import parse_qsl

import msgspec
from aiohttp import web

from connectors.sandbox.access import Credential
from connectors.sandbox.calls import Answer, Call, Endpoint
from connectors.sandbox.creating import keep_refusal
from connectors.sandbox.entrance import SECRET_HEADERS, enter, shown_path
from connectors.sandbox.faults import FaultRule
from connectors.sandbox.journal import BODY_KEPT, LoggedRequest
from connectors.sandbox.refusals import ErrorBody, Refusal, bad_request
from connectors.sandbox.state import Sandbox, Tenant
from connectors.sandbox.table import Unit

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_MOST_FIELDS = 50
_PAGE_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}
NOT_PROCESSED = ("not_processed", "We are too busy and have done nothing; come again.")
"""Code and words of the one error of ours after which nothing can have happened."""
_STATUS_WORDS = {
    401: ("unauthorized", "The credential was refused."),
    403: ("forbidden", "This is not allowed."),
    429: ("rate_limited", "Too many requests."),
    423: ("locked", "The record is being changed by somebody else."),
    500: ("internal_error", "Something went wrong on our side."),
    503: ("unavailable", "We are down for a moment."),
}


class _Visit(msgspec.Struct, kw_only=True):
    """One request on its way through the door."""

    request: web.Request
    tenant: Tenant
    credential: Credential
    number: int
    body: bytes
    fault: FaultRule | None

    @property
    def key(self) -> str | None:
        return self.request.headers.get("Idempotency-Key")


def guarded(sandbox: Sandbox, endpoint: Endpoint, *, everybody: Credential | None = None) -> Handler:
    """Make a request handler of an endpoint. With ``everybody``, that is what it opens to whoever comes."""

    async def handle(request: web.Request) -> web.StreamResponse:
        credential = everybody or enter(sandbox, request)
        body = await _read(request)
        tenant = sandbox.tenant(credential.workspace)
        visit = _Visit(
            request=request,
            tenant=tenant,
            credential=credential,
            number=sandbox.journal.next_number(),
            body=body,
            fault=_fault(tenant, request),
        )
        return await _pass(sandbox, visit, endpoint)

    return handle


def _fault(tenant: Tenant, request: web.Request) -> FaultRule | None:
    """Tell what goes wrong: the rate is over, or what was ordered."""
    wait = tenant.pacemaker.wait_seconds()
    if wait is not None:
        return FaultRule(kind="rate_limit", retry_after_seconds=wait)
    return tenant.faults.take(request.method, request.path, request.match_info.get("object", ""))


async def read_json(request: web.Request) -> bytes:
    """Read a body that says it is JSON; 415 for anything else, compressed bodies included."""
    if request.content_type != "application/json" or "Content-Encoding" in request.headers:
        message = "Send bodies as Content-Type: application/json, not compressed."
        raise Refusal(415, "unsupported_media_type", message)
    return await request.read()


async def read_form(request: web.Request) -> Mapping[str, str]:
    """Read a form; 415 for anything else, 400 for one that cannot be read."""
    if request.content_type != "application/x-www-form-urlencoded":
        raise Refusal(415, "unsupported_media_type", "Send a form: application/x-www-form-urlencoded.")
    try:
        return dict(parse_qsl((await request.read()).decode("ascii"), max_num_fields=_MOST_FIELDS))
    except ValueError as error:
        raise bad_request("The form cannot be read.") from error


def html_response(html: str, *, status: int = 200) -> web.Response:
    """Encode a page."""
    return web.Response(status=status, text=html, content_type="text/html", headers=_PAGE_HEADERS)


def json_response(answer: Answer) -> web.Response:
    """Encode an answer."""
    headers = {"Content-Type": "application/json", **answer.headers}
    if answer.body is None:
        return web.Response(status=answer.status, headers=answer.headers)
    return web.Response(status=answer.status, body=msgspec.json.encode(answer.body), headers=headers)


def refusal_response(refusal: Refusal) -> web.Response:
    """Encode a refusal."""
    return json_response(Answer(status=refusal.status, body=refusal.body, headers=refusal.headers))


async def _pass(sandbox: Sandbox, visit: _Visit, endpoint: Endpoint) -> web.StreamResponse:
    fault = visit.fault
    if visit.tenant.pacemaker.pace.latency_ms:
        await asyncio.sleep(visit.tenant.pacemaker.pace.latency_ms / 1000)
    if fault is None:
        return _written(sandbox, visit, json_response(_carry_out(sandbox, visit, endpoint)))
    if fault.kind == "delay":
        return await _delayed(sandbox, visit, endpoint, fault=fault)
    if fault.kind == "broken_json":
        whole = json_response(_carry_out(sandbox, visit, endpoint))
        content = whole.body if isinstance(whole.body, bytes) else b""
        whole.body = content[: len(content) // 2]
        return _written(sandbox, visit, whole)
    if fault.when == "after" and fault.kind not in {"rate_limit", "overload"}:
        _carry_out(sandbox, visit, endpoint)
    if fault.kind in {"drop", "reset"}:
        return _dropped(sandbox, visit, reset=fault.kind == "reset")
    answer = _faulty(sandbox, fault)
    if fault.stored and fault.when == "before":
        keep_refusal(_call(sandbox, visit), answer)
    return _written(sandbox, visit, json_response(answer))


async def _delayed(sandbox: Sandbox, visit: _Visit, endpoint: Endpoint, *, fault: FaultRule) -> web.StreamResponse:
    seconds = fault.delay_ms / 1000
    if fault.when == "before":
        await asyncio.sleep(seconds)
        return _written(sandbox, visit, json_response(_carry_out(sandbox, visit, endpoint)))
    response = json_response(_carry_out(sandbox, visit, endpoint))
    await asyncio.sleep(seconds)
    return _written(sandbox, visit, response)


def _carry_out(sandbox: Sandbox, visit: _Visit, endpoint: Endpoint) -> Answer:
    call = _call(sandbox, visit)
    try:
        answer = endpoint(call)
    except Refusal as refusal:
        return Answer(status=refusal.status, body=refusal.body, headers=refusal.headers)
    for effect in call.unit.effects:
        sandbox.journal.enter(
            effect,
            request=visit.number,
            at=sandbox.options.now(),
            workspace=visit.credential.workspace,
            idempotency_key=visit.key,
        )
    return answer


def _call(sandbox: Sandbox, visit: _Visit) -> Call:
    return Call(
        workspace=visit.tenant.workspace,
        access=visit.credential.access,
        scheme=visit.credential.scheme,
        path=visit.request.match_info,
        query=visit.request.query,
        body=visit.body,
        unit=Unit(),
        keys=visit.tenant.keys if sandbox.options.idempotency == "header" else None,
        key=visit.key,
    )


def _faulty(sandbox: Sandbox, fault: FaultRule) -> Answer:
    status = {"rate_limit": 429, "overload": 503}.get(fault.kind, fault.status)
    code, message = _STATUS_WORDS.get(status, ("refused", f"The sandbox was told to answer {status}."))
    if fault.kind == "overload":
        code, message = NOT_PROCESSED
    headers = _retry_after(sandbox, fault) if status in {429, 503} else {}
    return Answer(status=status, body=ErrorBody(code=code, message=message), headers=headers)


def _retry_after(sandbox: Sandbox, fault: FaultRule) -> dict[str, str]:
    if fault.retry_after_form == "none":
        return {}
    if fault.retry_after_form == "seconds":
        return {"Retry-After": str(fault.retry_after_seconds)}
    moment = sandbox.options.now() + timedelta(seconds=fault.retry_after_seconds)
    return {"Retry-After": format_datetime(moment, usegmt=True)}


def _dropped(sandbox: Sandbox, visit: _Visit, *, reset: bool) -> web.StreamResponse:
    _log(sandbox, visit, status=None)
    transport = visit.request.transport
    if transport is not None:
        if reset:
            # Closing at once, without a moment for what is still unread: the other side sees a reset.
            linger = struct.pack("ii", 1, 0)
            transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        transport.abort()
    return web.Response()  # Goes nowhere: the connection is closed.


def _written(sandbox: Sandbox, visit: _Visit, response: web.Response) -> web.Response:
    _log(sandbox, visit, status=response.status)
    response.headers["X-Request-Id"] = str(visit.number)
    return response


def _log(sandbox: Sandbox, visit: _Visit, *, status: int | None) -> None:
    request = visit.request
    sandbox.journal.log(
        LoggedRequest(
            number=visit.number,
            at=sandbox.options.now(),
            workspace=visit.credential.workspace,
            method=request.method,
            path=shown_path(request),
            headers=_shown_headers(request.headers),
            body=visit.body[:BODY_KEPT].decode("utf-8", "replace"),
            status=status,
            fault=visit.fault.kind if visit.fault else None,
        )
    )


def _shown_headers(headers: Mapping[str, str]) -> dict[str, str]:
    return {
        name: "***" if name.lower() in SECRET_HEADERS else value.encode("utf-8", "replace").decode()
        for name, value in headers.items()
    }


async def _read(request: web.Request) -> bytes:
    return await read_json(request) if request.body_exists else b""
