"""Salesforce on loopback: the REST routes for records, collections, upsert, describe, queries and limits.

``async with running_salesforce() as salesforce:`` starts it on a port from the kernel; ``salesforce.url`` is its
instance URL, ``salesforce.requests`` what it was asked, ``salesforce.org`` what it holds, and
``salesforce.answer_next(...)`` what it answers to the next request in place of the truth.
"""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web

from tests.canaries import canary
from tests.simulators.door import Asked, Door, Handler, on_loopback
from tests.simulators.salesforce_collections import Job, creating, deleting, run_collection, saved, updating, upserting
from tests.simulators.salesforce_org import Ambiguity, Org, OrgError
from tests.simulators.salesforce_schema import SOBJECTS, Json, SObject
from tests.simulators.salesforce_soql import MalformedQuery, parse_query

TOKEN = f"00D5e000000!{canary()}"
DATA = "/services/data/v60.0"
RETRIEVE_LIMIT = 2000
DAILY_LIMIT = 15000


class SalesforceSimulator(Door):
    """The server's state and what tests may ask of it."""

    def __init__(self) -> None:
        super().__init__(TOKEN)
        self.org = Org()

    def answer_next(self, status: int, code: str, message: str, *fields: str) -> None:
        """Refuse the next request so, and do nothing."""
        body = [{"errorCode": code, "message": message, "fields": list(fields)}]
        self._instead.append(web.json_response(body, status=status))

    def rate_limit_next(self) -> None:
        """Answer the next request as if the day's calls were spent."""
        self.answer_next(403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.")

    @web.middleware
    async def middleware(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Log, authorise, answer something else on demand, and turn errors into answers."""
        text = await request.text()
        self.requests.append(
            Asked(
                method=request.method,
                path=request.raw_path,
                body=_body_or_none(text),
                headers=dict(request.headers),
            )
        )
        instead = self._instead.pop(0) if self._instead else False
        answer = instead if isinstance(instead, web.Response) else await self._answer(request, handler)
        if instead is None and request.transport is not None:
            request.transport.abort()
        answer.headers["Sforce-Limit-Info"] = f"api-usage={len(self.requests)}/{DAILY_LIMIT}"
        return answer

    async def _answer(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            self._authorise(request)
            return await handler(request)
        except OrgError as error:
            return _refused(error)
        except Ambiguity as error:
            return web.json_response(
                [f"{DATA}/sobjects/{request.match_info['s']}/{one}" for one in error.ids], status=300
            )
        except web.HTTPNotFound:
            return _refused(OrgError("NOT_FOUND", "The requested resource does not exist", status=404))
        except web.HTTPMethodNotAllowed:
            message = f"HTTP Method '{request.method}' not allowed."
            return _refused(OrgError("METHOD_NOT_ALLOWED", message, status=405))

    def _authorise(self, request: web.Request) -> None:
        if request.path == "/services/data":
            return
        if not self.knows(request):
            raise OrgError("INVALID_SESSION_ID", "Session expired or invalid", status=401)

    async def versions(self, _request: web.Request) -> web.Response:
        """``GET /services/data``: needs no session."""
        return web.json_response([{"label": "Spring '24", "url": DATA, "version": "60.0"}])

    async def resources(self, _request: web.Request) -> web.Response:
        """``GET /services/data/v60.0/``."""
        names = ("sobjects", "query", "composite", "limits")
        return web.json_response({name: f"{DATA}/{name}" for name in names})

    async def limits(self, _request: web.Request) -> web.Response:
        """``GET limits``."""
        remaining = DAILY_LIMIT - len(self.requests)
        return web.json_response({"DailyApiRequests": {"Max": DAILY_LIMIT, "Remaining": remaining}})

    async def all_sobjects(self, _request: web.Request) -> web.Response:
        """``GET sobjects``."""
        described = [{key: held for key, held in kind.described().items() if key != "fields"} for kind in SOBJECTS]
        return web.json_response({"encoding": "UTF-8", "maxBatchSize": 200, "sobjects": described})

    async def basic(self, request: web.Request) -> web.Response:
        """``GET sobjects/{s}``."""
        described = self._kind(request).described()
        del described["fields"]
        return web.json_response({"objectDescribe": described, "recentItems": []})

    async def describe(self, request: web.Request) -> web.Response:
        """``GET sobjects/{s}/describe``."""
        return web.json_response(self._kind(request).described())

    async def create(self, request: web.Request) -> web.Response:
        """``POST sobjects/{s}/``: 201."""
        kind = self._kind(request)
        row = self.org.create(kind, await _json(request), allow_duplicates=_allows_duplicates(request))
        headers = {"Location": f"{DATA}/sobjects/{kind.name}/{row['Id']}"}
        return web.json_response(saved(row), status=201, headers=headers)

    async def get(self, request: web.Request) -> web.Response:
        """``GET sobjects/{s}/{id}``."""
        return self._show(request, self._row(request))

    async def get_by_external_id(self, request: web.Request) -> web.Response:
        """``GET sobjects/{s}/{field}/{value}``."""
        return self._show(request, self._matched(request))

    async def update(self, request: web.Request) -> web.Response:
        """``PATCH sobjects/{s}/{id}``: 204 and no body."""
        self.org.update(self._kind(request), self._row(request), await _json(request))
        return web.Response(status=204)

    async def upsert(self, request: web.Request) -> web.Response:
        """``PATCH sobjects/{s}/{field}/{value}``: 201 created, 200 updated, 300 ambiguous."""
        field, value, body = request.match_info["field"], request.match_info["value"], await _json(request)
        if any(name.lower() == field.lower() for name in body):
            message = f"The {field} field should not be specified in the sobject data."
            raise OrgError("INVALID_FIELD", message)
        row, created = self.org.upsert(self._kind(request), field, value, body)
        return web.json_response(saved(row) | {"created": created}, status=201 if created else 200)

    async def delete(self, request: web.Request) -> web.Response:
        """``DELETE sobjects/{s}/{id}``: 204 and no body."""
        self.org.delete(self._row(request))
        return web.Response(status=204)

    async def create_many(self, request: web.Request) -> web.Response:
        """``POST composite/sobjects``."""
        return await self._collection(request, creating(self.org, allow_duplicates=_allows_duplicates(request)))

    async def update_many(self, request: web.Request) -> web.Response:
        """``PATCH composite/sobjects``."""
        return await self._collection(request, updating(self.org))

    async def upsert_many(self, request: web.Request) -> web.Response:
        """``PATCH composite/sobjects/{s}/{field}``."""
        return await self._collection(request, upserting(self.org, self._kind(request), request.match_info["field"]))

    async def delete_many(self, request: web.Request) -> web.Response:
        """``DELETE composite/sobjects?ids=a,b``."""
        records = [{"id": one_id} for one_id in request.query.get("ids", "").split(",")]
        all_or_none = request.query.get("allOrNone") == "true"
        return web.json_response(run_collection(self.org, records, deleting(self.org), all_or_none=all_or_none))

    async def retrieve(self, request: web.Request) -> web.Response:
        """``GET`` or ``POST composite/sobjects/{s}``: ``null`` for an id that finds nothing."""
        kind = self._kind(request)
        if request.method == "POST":
            body = await _json(request)
            ids, fields = body["ids"], tuple(body["fields"])
        else:
            ids, fields = request.query["ids"].split(","), tuple(request.query["fields"].split(","))
        if len(ids) > RETRIEVE_LIMIT:
            raise OrgError(
                "EXCEEDED_ID_LIMIT", f"record limit reached. cannot submit more than {RETRIEVE_LIMIT} records"
            )
        self.org.check_columns(kind, fields)
        return web.json_response([self._shown_or_none(kind, one, fields) for one in ids])

    async def query(self, request: web.Request) -> web.Response:
        """``GET query?q=``."""
        try:
            rows = self.org.select(parse_query(request.query["q"]))
        except MalformedQuery as error:
            raise OrgError("MALFORMED_QUERY", str(error)) from error
        return web.json_response({"totalSize": len(rows), "done": True, "records": rows})

    def _shown_or_none(self, kind: SObject, record_id: str, fields: tuple[str, ...]) -> Json | None:
        try:
            row = self.org.row(kind, record_id)
        except OrgError:
            return None
        return self.org.shown(kind, row, fields)

    def _kind(self, request: web.Request) -> SObject:
        return self.org.sobject(request.match_info["s"])

    def _row(self, request: web.Request) -> Json:
        return self.org.row(self._kind(request), request.match_info["id"])

    def _matched(self, request: web.Request) -> Json:
        found = self.org.matching(self._kind(request), request.match_info["field"], request.match_info["value"])
        if not found:
            raise OrgError("NOT_FOUND", "The requested resource does not exist", status=404)
        if len(found) > 1:
            raise Ambiguity([row["Id"] for row in found])
        return found[0]

    def _show(self, request: web.Request, row: Json) -> web.Response:
        kind = self._kind(request)
        asked = request.query.get("fields")
        names = tuple(asked.split(",")) if asked else tuple(field.name for field in kind.fields)
        return web.json_response(self.org.shown(kind, row, names))

    async def _collection(self, request: web.Request, one: Job) -> web.Response:
        body = await _json(request)
        unknown = body.keys() - {"allOrNone", "records"}
        if unknown or not isinstance(body.get("records"), list):
            raise OrgError("JSON_PARSER_ERROR", f"Unrecognized field in the request body: {sorted(unknown)}")
        all_or_none = body.get("allOrNone", False)
        return web.json_response(run_collection(self.org, body["records"], one, all_or_none=all_or_none))

    def application(self) -> web.Application:
        """Build the server."""
        app = web.Application(middlewares=[self.middleware], client_max_size=10 * 1024 * 1024)
        app.router.add_get("/services/data", self.versions)
        routes: tuple[tuple[str, str, Handler], ...] = (
            ("GET", "/", self.resources),
            ("GET", "/limits", self.limits),
            ("GET", "/query", self.query),
            ("GET", "/sobjects", self.all_sobjects),
            ("GET", "/sobjects/{s}", self.basic),
            ("POST", "/sobjects/{s}", self.create),
            ("GET", "/sobjects/{s}/describe", self.describe),
            ("GET", "/sobjects/{s}/{id}", self.get),
            ("PATCH", "/sobjects/{s}/{id}", self.update),
            ("DELETE", "/sobjects/{s}/{id}", self.delete),
            ("GET", "/sobjects/{s}/{field}/{value}", self.get_by_external_id),
            ("PATCH", "/sobjects/{s}/{field}/{value}", self.upsert),
            ("POST", "/composite/sobjects", self.create_many),
            ("PATCH", "/composite/sobjects", self.update_many),
            ("DELETE", "/composite/sobjects", self.delete_many),
            ("GET", "/composite/sobjects/{s}", self.retrieve),
            ("POST", "/composite/sobjects/{s}", self.retrieve),
            ("PATCH", "/composite/sobjects/{s}/{field}", self.upsert_many),
        )
        for method, path, handler in routes:
            app.router.add_route(method, DATA + path, handler)
            if path != "/" and "{id}" not in path and "{value}" not in path:
                app.router.add_route(method, f"{DATA}{path}/", handler)
        return app


@asynccontextmanager
async def running_salesforce() -> AsyncIterator[SalesforceSimulator]:
    """Run it on loopback while the block lasts."""
    simulator = SalesforceSimulator()
    async with on_loopback(simulator.application()) as simulator.url:
        yield simulator


def _refused(error: OrgError) -> web.Response:
    told: Json = {"message": str(error), "errorCode": error.code}
    return web.json_response([told | ({"fields": error.fields} if error.fields else {})], status=error.status)


def _allows_duplicates(request: web.Request) -> bool:
    return "allowsave=true" in request.headers.get("Sforce-Duplicate-Rule-Header", "").lower()


def _body_or_none(text: str) -> Any:
    try:
        return json.loads(text) if text else None
    except ValueError:
        return text


async def _json(request: web.Request) -> Json:
    try:
        body = await request.json()
    except ValueError as error:
        raise OrgError("JSON_PARSER_ERROR", f"Unexpected character: {error}") from error
    if not isinstance(body, dict):
        raise OrgError("JSON_PARSER_ERROR", "The HTTP entity body is required")
    return body
