"""HubSpot on loopback: the routes of objects v3, properties, schemas and account information.

``hubspot.seconds`` is what each call takes besides, ``hubspot.calls`` counts them by what was asked.

``async with running_hubspot() as hubspot:`` starts it on a port from the kernel; ``hubspot.url`` is its base URL,
``hubspot.requests`` what it was asked, ``hubspot.portal`` what it holds, and ``hubspot.answer_next(...)`` what it
answers to the next request in place of the truth.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web

from tests.canaries import canary
from tests.simulators.door import Asked, Door, Handler, on_loopback
from tests.simulators.hubspot_bodies import (
    batch_answer,
    batch_inputs,
    batch_written,
    json_body,
    matches,
    missing,
    sent_body,
)
from tests.simulators.hubspot_portal import Entry, ObjectType, Portal, PortalError
from tests.simulators.hubspot_schema import Json

TOKEN = f"pat-na1-{canary()}"


class HubSpotSimulator(Door):
    """The server's state and what tests may ask of it."""

    def __init__(self) -> None:
        super().__init__(TOKEN)
        self.portal = Portal()
        self.seconds = 0.0
        self.calls: Counter[str] = Counter()
        """How often a route was asked, such as ``POST /crm/v3/objects/{type}/batch/create``."""

    def answer_next(self, status: int, body: Any = None, headers: dict[str, str] | None = None) -> None:
        """Answer the next request so, and do nothing."""
        self._instead.append(web.json_response(body if body is not None else {}, status=status, headers=headers))

    def rate_limit_next(self, policy: str = "TEN_SECONDLY_ROLLING") -> None:
        """Answer 429 to the next request."""
        body = {
            "status": "error",
            "message": f"You have reached your {policy.lower()} limit.",
            "errorType": "RATE_LIMIT",
            "category": "RATE_LIMITS",
            "correlationId": "c033cdaa-2c40-4a64-ae48-b4cec88dad24",
            "policyName": policy,
        }
        interval = {"X-HubSpot-RateLimit-Max": "110", "X-HubSpot-RateLimit-Remaining": "0"}
        self.answer_next(429, body, interval | {"X-HubSpot-RateLimit-Interval-Milliseconds": "10000"})

    def records(self, object_name: str) -> dict[str, Entry]:
        """The records of one type by id, archived ones too."""
        return self.portal.type_named(object_name).records

    @web.middleware
    async def middleware(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Log, authorise, answer something else on demand, and turn errors into answers."""
        body = await sent_body(request)
        self.requests.append(
            Asked(method=request.method, path=request.path_qs, body=body, headers=dict(request.headers))
        )
        resource = request.match_info.route.resource
        self.calls[f"{request.method} {resource.canonical if resource else request.path}"] += 1
        if self.seconds:
            await asyncio.sleep(self.seconds)
        instead = self._instead.pop(0) if self._instead else False
        if isinstance(instead, web.Response):
            return instead
        try:
            self._authorise(request)
            answer = await handler(request)
        except PortalError as error:
            answer = web.json_response(error.body, status=error.status)
        except (KeyError, TypeError, ValueError) as error:
            refusal = PortalError(400, f"Invalid input JSON: {error!r}")
            answer = web.json_response(refusal.body, status=400)
        if instead is None and request.transport is not None:
            request.transport.abort()
        return answer

    def _authorise(self, request: web.Request) -> None:
        if not self.knows(request):
            message = "Authentication credentials not found. This API supports OAuth 2.0 authentication."
            raise PortalError(401, message, category="INVALID_AUTHENTICATION")

    def _kind(self, request: web.Request) -> ObjectType:
        return self.portal.type_named(request.match_info["type"])

    def _entry(self, request: web.Request) -> Entry:
        found = self._kind(request).get(request.match_info["id"], id_property=request.query.get("idProperty"))
        if found is None:
            raise PortalError(404, "resource not found", category="OBJECT_NOT_FOUND")
        return found

    async def create(self, request: web.Request) -> web.Response:
        """``POST /crm/v3/objects/{type}``."""
        body = await json_body(request, {"properties", "associations"})
        entry = self.portal.create(self._kind(request), body["properties"], body.get("associations", []))
        return web.json_response(entry.as_json(tuple(body["properties"])), status=201)

    async def read(self, request: web.Request) -> web.Response:
        """``GET /crm/v3/objects/{type}/{id}``."""
        asked = tuple(name for text in request.query.getall("properties", []) for name in text.split(","))
        return web.json_response(self._entry(request).as_json(asked))

    async def update(self, request: web.Request) -> web.Response:
        """``PATCH /crm/v3/objects/{type}/{id}``."""
        body = await json_body(request, {"properties"})
        entry = self.portal.update(self._kind(request), self._entry(request), body["properties"])
        return web.json_response(entry.as_json(tuple(body["properties"])))

    async def archive(self, request: web.Request) -> web.Response:
        """``DELETE /crm/v3/objects/{type}/{id}``: 204 for any id, known or not."""
        entry = self._kind(request).records.get(request.match_info["id"])
        if entry is not None:
            entry.archived = True
        return web.Response(status=204)

    async def batch_create(self, request: web.Request) -> web.Response:
        """``POST /crm/v3/objects/{type}/batch/create``."""
        kind, inputs = self._kind(request), await batch_inputs(request, {"properties", "associations"})

        def write(item: Json) -> tuple[Entry, Json]:
            return self.portal.create(kind, item["properties"], item.get("associations", [])), {}

        return batch_written(inputs, write, success=201)

    async def batch_update(self, request: web.Request) -> web.Response:
        """``POST /crm/v3/objects/{type}/batch/update``, which stays partial."""
        kind, inputs = self._kind(request), await batch_inputs(request, {"properties", "id", "idProperty"})
        ids = [item["id"] for item in inputs]
        if len(set(ids)) != len(ids):
            raise PortalError(400, f"Duplicate IDs found in batch input: {sorted(ids)}. IDs must be unique")

        def write(item: Json) -> tuple[Entry, Json]:
            entry = kind.get(item["id"], id_property=item.get("idProperty"))
            if entry is None:
                raise missing(kind, [item["id"]])
            return self.portal.update(kind, entry, item["properties"]), {}

        return batch_written(inputs, write, success=200, partial=True)

    async def batch_upsert(self, request: web.Request) -> web.Response:
        """``POST /crm/v3/objects/{type}/batch/upsert``."""
        kind, inputs = self._kind(request), await batch_inputs(request, {"properties", "id", "idProperty"})

        def write(item: Json) -> tuple[Entry, Json]:
            key = item.get("idProperty")
            entry = kind.get(item["id"], id_property=key)
            if entry is not None:
                return self.portal.update(kind, entry, item["properties"]), {"new": False}
            if key is None:
                raise missing(kind, [item["id"]])
            return self.portal.create(kind, {key: item["id"]} | item["properties"], []), {"new": True}

        return batch_written(inputs, write, success=200)

    async def batch_archive(self, request: web.Request) -> web.Response:
        """``POST /crm/v3/objects/{type}/batch/archive``: 204, without a word on any record."""
        kind = self._kind(request)
        for item in await batch_inputs(request, {"id"}):
            if item["id"] in kind.records:
                kind.records[item["id"]].archived = True
        return web.Response(status=204)

    async def batch_read(self, request: web.Request) -> web.Response:
        """``POST /crm/v3/objects/{type}/batch/read``: 207 where some are missing."""
        kind = self._kind(request)
        body = await json_body(request, {"inputs", "properties", "propertiesWithHistory", "idProperty"})
        keys = [item["id"] for item in body["inputs"]]
        found = [(key, kind.get(key, id_property=body.get("idProperty"))) for key in keys]
        results = [entry.as_json(tuple(body["properties"])) for _, entry in found if entry is not None]
        absent = [key for key, entry in found if entry is None]
        errors = [missing(kind, absent).entry(None)] if absent else []
        return batch_answer(results, errors, success=200)

    async def search(self, request: web.Request) -> web.Response:
        """``POST /crm/v3/objects/{type}/search``: EQ filters only, case-insensitive."""
        kind = self._kind(request)
        body = await json_body(request, {"filterGroups", "properties", "limit", "query", "sorts", "after"})
        groups = body.get("filterGroups", [])
        for condition in (condition for group in groups for condition in group["filters"]):
            if condition["propertyName"] not in kind.properties:
                name = condition["propertyName"]
                detail = {
                    "message": f"Property '{name}' does not exist",
                    "code": "PROPERTY_DOESNT_EXIST",
                    "context": {"propertyName": [name]},
                }
                raise PortalError(400, "There was a problem with the request.", errors=[detail])
        hits = [e for e in kind.living() if e.id not in self.portal.unindexed and matches(e, groups)]
        results = [entry.as_json(tuple(body.get("properties", []))) for entry in hits[: body.get("limit", 10)]]
        return web.json_response({"total": len(hits), "results": results})

    async def associations(self, request: web.Request) -> web.Response:
        """``GET /crm/v4/objects/{type}/{id}/associations/{to}``."""
        target = self.portal.type_named(request.match_info["to"])
        results = [
            {
                "toObjectId": item["to"]["id"],
                "associationTypes": [
                    {"category": t["associationCategory"], "typeId": t["associationTypeId"], "label": None}
                    for t in item["types"]
                ],
            }
            for item in self._entry(request).associations
            if item["to"]["id"] in target.records
        ]
        return web.json_response({"results": results})

    async def properties(self, request: web.Request) -> web.Response:
        """``GET /crm/v3/properties/{type}``."""
        return web.json_response({"results": [item.as_json() for item in self._kind(request).properties.values()]})

    async def schema(self, request: web.Request) -> web.Response:
        """``GET /crm/v3/schemas/{type}``."""
        kind = self._kind(request)
        name = kind.singular.lower()
        body = {
            "id": kind.type_id.removeprefix("2-"),
            "objectTypeId": kind.type_id,
            "name": f"{name}s",
            "fullyQualifiedName": f"p12345_{name}s",
            "labels": {"singular": name.capitalize(), "plural": f"{name.capitalize()}s"},
            "requiredProperties": list(kind.required),
            "searchableProperties": [],
            "primaryDisplayProperty": next(iter(kind.required), None),
            "secondaryDisplayProperties": [],
            "properties": [item.as_json() for item in kind.properties.values()],
            "associations": [],
            "archived": False,
        }
        return web.json_response(body)

    async def account(self, _request: web.Request) -> web.Response:
        """``GET /account-info/v3/details``."""
        return web.json_response({"portalId": 12345, "accountType": "DEVELOPER_TEST", "timeZone": "US/Eastern"})

    def application(self) -> web.Application:
        """The routes, the literal ones first."""
        app = web.Application(middlewares=[self.middleware])
        objects = "/crm/v3/objects/{type}"
        app.add_routes(
            [
                web.post(f"{objects}/batch/create", self.batch_create),
                web.post(f"{objects}/batch/update", self.batch_update),
                web.post(f"{objects}/batch/upsert", self.batch_upsert),
                web.post(f"{objects}/batch/archive", self.batch_archive),
                web.post(f"{objects}/batch/read", self.batch_read),
                web.post(f"{objects}/search", self.search),
                web.post(objects, self.create),
                web.get(f"{objects}/{{id}}", self.read),
                web.patch(f"{objects}/{{id}}", self.update),
                web.delete(f"{objects}/{{id}}", self.archive),
                web.get("/crm/v4/objects/{type}/{id}/associations/{to}", self.associations),
                web.get("/crm/v3/properties/{type}", self.properties),
                web.get("/crm/v3/schemas/{type}", self.schema),
                web.get("/crm-object-schemas/v3/schemas/{type}", self.schema),
                web.get("/account-info/v3/details", self.account),
            ]
        )
        return app


@asynccontextmanager
async def running_hubspot() -> AsyncIterator[HubSpotSimulator]:
    """Serve a fresh account on 127.0.0.1 until the block ends."""
    simulator = HubSpotSimulator()
    async with on_loopback(simulator.application()) as simulator.url:
        yield simulator
