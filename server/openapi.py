"""Our own OpenAPI document: what the framework knows of the routes, said the way the public sees them."""

import re
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec
from litestar import MediaType, Request
from litestar.openapi.config import OpenAPIConfig
from litestar.openapi.plugins import OpenAPIRenderPlugin
from litestar.routes import HTTPRoute

from installations.record import WriteRequest
from server.api.problems import PROBLEM_TYPE, ProblemDocument
from server.write_results import AcceptedAnswer, BatchAnswer, SingleAnswer

VERSION = "1.0.0"
"""Of the interface, not of the program."""
PATH = "/openapi.json"
RECORDS = "/v1/projects/{projectIdOrName}/integrations/{integrationIdOrName}/objects/{objectName}"
_REF = "#/components/schemas/{name}"
_PARAMETER = re.compile(r"\{(\w+)\}")
_OPEN = ("/healthz", "/readyz", "/v1/providers", "/v1/uploads/")
"""Where no key is asked for."""


def openapi_config() -> OpenAPIConfig:
    """Serve the document at `PATH`, and no pages with scripts from elsewhere."""
    plugin = _Published(path="/", media_type=MediaType.JSON)
    return OpenAPIConfig(title="Isthmus", version=VERSION, path=PATH, render_plugins=[plugin])


class _Published(OpenAPIRenderPlugin):
    """Renders the document once."""

    _document: bytes | None = None

    def render(self, request: Request[Any, Any, Any], openapi_schema: dict[str, Any]) -> bytes:
        if self._document is None:
            routes = [route for route in request.app.routes if isinstance(route, HTTPRoute)]
            self._document = msgspec.json.encode(publish(openapi_schema, routes))
        return self._document


def publish(schema: dict[str, Any], routes: Iterable[HTTPRoute]) -> dict[str, Any]:
    """Build the public document from the framework's."""
    bodies = dict(_bodies(routes))
    components: dict[str, Any] = dict(schema.get("components", {}).get("schemas", {}))
    paths: dict[str, Any] = {}
    for path, operations in schema["paths"].items():
        public = public_path(path)
        for method, operation in operations.items():
            paths.setdefault(public, {})[method] = _operation(operation, public, bodies.get((path, method)), components)
    paths[RECORDS] = {"post": _write_operation(components)}
    return {
        "openapi": schema["openapi"],
        "info": {"title": "Isthmus", "version": VERSION},
        "paths": dict(sorted(paths.items())),
        "components": {
            "schemas": dict(sorted(components.items())),
            "securitySchemes": {"apiKey": {"type": "apiKey", "in": "header", "name": "X-Api-Key"}},
        },
    }


def public_path(path: str) -> str:
    """Spell a routed path as the public does: verbs at the end of a segment, parameters in camel case."""
    return _PARAMETER.sub(lambda match: f"{{{_camel(match[1])}}}", path.replace("/:", ":"))


def _bodies(routes: Iterable[HTTPRoute]) -> Iterator[tuple[tuple[str, str], Any]]:
    for route in routes:
        for handler in route.route_handlers:
            for method in handler.http_methods:
                if "body" in handler.opt:
                    yield (route.path_format, method.lower()), handler.opt["body"]


def _operation(operation: dict[str, Any], path: str, body: Any, components: dict[str, Any]) -> dict[str, Any]:
    published = {
        **operation,
        "operationId": _identifier(operation),
        "parameters": [{**one, "name": _public_name(one)} for one in operation.get("parameters", ())],
        "responses": {
            **{status: one for status, one in operation["responses"].items() if not status.startswith("4")},
            "default": _problem(components),
        },
        "security": [] if path.startswith(_OPEN) else [{"apiKey": []}],
    }
    if body is not None:
        published["requestBody"] = {"required": True, "content": _json(body, components)}
    return published


def _write_operation(components: dict[str, Any]) -> dict[str, Any]:
    done = {"schema": {"oneOf": [_schema(kind, components) for kind in (SingleAnswer, BatchAnswer, AcceptedAnswer)]}}
    names = ("projectIdOrName", "integrationIdOrName", "objectName")
    return {
        "summary": "WriteRecords",
        "operationId": "WriteRecords",
        "description": "Create, update, upsert or delete records in a customer's account.",
        "parameters": [
            *({"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in names),
            {"name": "Idempotency-Key", "in": "header", "schema": {"type": "string", "maxLength": 255}},
            {"name": "X-Isthmus-Detail", "in": "header", "schema": {"enum": ["true", "false"]}},
        ],
        "requestBody": {"required": True, "content": _json(WriteRequest, components)},
        "responses": {
            "200": {"description": "Done, or accepted", "content": {"application/json": done}},
            "202": {"description": "Its fate is not known yet", "content": _json(AcceptedAnswer, components)},
            "400": {"description": "Not understood", "content": {"text/plain": {"schema": {"type": "string"}}}},
            "422": {
                "description": "Nothing was written",
                "content": {"application/json": done, **_problem(components)["content"]},
            },
            "default": _problem(components),
        },
        "security": [{"apiKey": []}],
    }


def _problem(components: dict[str, Any]) -> dict[str, Any]:
    return {
        "description": "A problem",
        "content": {PROBLEM_TYPE: {"schema": _schema(ProblemDocument, components)}},
    }


def _json(kind: Any, components: dict[str, Any]) -> dict[str, Any]:
    return {"application/json": {"schema": _schema(kind, components)}}


def _schema(kind: Any, components: dict[str, Any]) -> dict[str, Any]:
    """Describe a type, and put what it needs among the components."""
    (schema,), needed = msgspec.json.schema_components([kind], ref_template=_REF)
    for name, component in needed.items():
        components.setdefault(name, component)
    return schema


def _identifier(operation: dict[str, Any]) -> str:
    return str(operation["summary"]).replace(" ", "")


def _public_name(parameter: dict[str, Any]) -> str:
    name = str(parameter["name"])
    return _camel(name) if parameter["in"] == "path" else name


def _camel(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(part.title() for part in rest)
