"""Our own OpenAPI document: what the framework knows of the routes, said the way the public sees them."""

import re
from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from http import HTTPStatus
from typing import Any

import msgspec
from litestar import MediaType, Request
from litestar.handlers import BaseRouteHandler
from litestar.openapi.config import OpenAPIConfig
from litestar.openapi.plugins import OpenAPIRenderPlugin
from litestar.routes import HTTPRoute

from installations.record import WriteRequest
from server.api.jwt_keys import JwtKeyProblem
from server.api.problems import PROBLEM_TYPE, ProblemDocument
from server.delivering.write_results import AcceptedAnswer, BatchAnswer, SingleAnswer

VERSION = "1.0.0"
"""Of the interface, not of the program."""
PATH = "/openapi.json"
RECORDS = "/v1/projects/{projectIdOrName}/integrations/{integrationIdOrName}/objects/{objectName}"
_REF = "#/components/schemas/{name}"
_PARAMETER = re.compile(r"\{(\w+)\}")
_FOR_PROGRAMMERS = re.compile(r"\s*Raises .*", re.DOTALL)
"""What a handler's docstring says of Python's exceptions; the public is told of statuses."""
_OPEN = ("/healthz", "/readyz", "/v1/providers", "/v1/uploads/")
"""Where no key is asked for."""
_EMPTY = frozenset({"CreateIntegration", "CreateRevision", "PutUpload"})
"""Operations that succeed without a word."""
_RELABELLED = frozenset({"CreateJwtKey", "ListJwtKeys", "GetJwtKey", "UpdateJwtKey", "DeleteJwtKey"})
"""Operations whose problems are labelled as plain JSON, but for those that the door answers."""
_OPTIONAL_BODY = frozenset({"OauthUpdate"})
_NAMING_IN_BODY = frozenset({"OauthConnect", "CompleteOauth", "CustomAuthConnect"})
"""Operations whose body names the project, which may not be there."""
_ASKING = frozenset(
    {
        *("CompleteOauth", "CustomAuthConnect"),
        *("GenerateConnection", "UpdateConnection", "HydrateRevision"),
        *("GetIntegrationObject", "GetConnectionObject", "ExplainWrite"),
    }
)
"""Operations, besides writes, that wait for a provider."""
_DETAIL = {
    "name": "X-Isthmus-Detail",
    "in": "header",
    "description": "Ask for what the published answer has no place for.",
    "schema": {"enum": ["true", "false"]},
}
_MORE_PARAMETERS: dict[str, tuple[dict[str, Any], ...]] = {
    "DeployIntegrations": (_DETAIL,),
    "PutUpload": ({"name": "Content-MD5", "in": "header", "schema": {"type": "string", "maxLength": 64}},),
}
_ARCHIVE = {
    "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    "required": True,
}
_SCHEMES = {
    "apiKey": {"type": "apiKey", "in": "header", "name": "X-Api-Key"},
    "token": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": "Signed by the builder for one person: RS256, a registered key's id as kid, groupRef, "
        "consumerRef, iat and exp, ten minutes at most. It opens that group's things.",
    },
}
_REQUEST_ID = {
    "X-Request-Id": {
        "required": True,
        "description": "Names this request in the server's log.",
        "schema": {"type": "string"},
    }
}


def openapi_config(*, for_tokens: Iterable[BaseRouteHandler]) -> OpenAPIConfig:
    """Serve the document at `PATH`, and no pages with scripts from elsewhere. ``for_tokens`` take signed tokens too."""
    plugin = _Published(for_tokens)
    return OpenAPIConfig(
        title="Isthmus", version=VERSION, path=PATH, render_plugins=[plugin], use_handler_docstrings=True
    )


class _Published(OpenAPIRenderPlugin):
    """Renders the document once."""

    def __init__(self, for_tokens: Iterable[BaseRouteHandler]) -> None:
        super().__init__(path="/", media_type=MediaType.JSON)
        self._for_tokens = frozenset(handler.fn for handler in for_tokens)
        self._document: bytes | None = None

    def render(self, request: Request[Any, Any, Any], openapi_schema: dict[str, Any]) -> bytes:
        if self._document is None:
            routes = [route for route in request.app.routes if isinstance(route, HTTPRoute)]
            document = publish(openapi_schema, routes, for_tokens=self._for_tokens)
            self._document = msgspec.json.encode(document)
        return self._document


def publish(schema: dict[str, Any], routes: Sequence[HTTPRoute], *, for_tokens: AbstractSet[object]) -> dict[str, Any]:
    """Build the public document from the framework's. ``for_tokens`` are the functions that take signed tokens too."""
    bodies = {place: handler.opt["body"] for place, handler in _handlers(routes) if "body" in handler.opt}
    tokens = {place for place, handler in _handlers(routes) if handler.fn in for_tokens}
    components: dict[str, Any] = dict(schema.get("components", {}).get("schemas", {}))
    paths: dict[str, Any] = {}
    for path, operations in schema["paths"].items():
        public = public_path(path)
        for method, operation in operations.items():
            published = _operation(operation, method, public, body=bodies.get((path, method)), components=components)
            if (path, method) in tokens:
                published["security"] = [{"apiKey": []}, {"token": []}]
            paths.setdefault(public, {})[method] = published
    paths[RECORDS] = {"post": _write_operation(components)}
    return {
        "openapi": schema["openapi"],
        "info": {"title": "Isthmus", "version": VERSION},
        "paths": dict(sorted(paths.items())),
        "components": {
            "schemas": dict(sorted(components.items())),
            "securitySchemes": _SCHEMES,
        },
    }


def public_path(path: str) -> str:
    """Spell a routed path as the public does: verbs at the end of a segment, parameters in camel case."""
    return _PARAMETER.sub(lambda match: f"{{{_camel(match[1])}}}", path.replace("/:", ":"))


def _handlers(routes: Iterable[HTTPRoute]) -> Iterator[tuple[tuple[str, str], BaseRouteHandler]]:
    for route in routes:
        for handler in route.route_handlers:
            for method in handler.http_methods:
                yield (route.path_format, method.lower()), handler


def _operation(
    operation: dict[str, Any], method: str, path: str, *, body: Any, components: dict[str, Any]
) -> dict[str, Any]:
    name, secured = _identifier(operation), not path.startswith(_OPEN)
    sends, changes = body is not None or name == "PutUpload", method != "get"
    refusals = _refusals(name, path, secured=secured, sends=sends, changes=changes)
    published = {
        **operation,
        "operationId": name,
        "description": _description(operation),
        "parameters": [
            *({**one, "name": _public_name(one)} for one in operation.get("parameters", ())),
            *_MORE_PARAMETERS.get(name, ()),
        ],
        "responses": {
            **dict(_successes(operation, empty=name in _EMPTY)),
            **{str(status.value): _problem(components, status, of=name) for status in sorted(refusals)},
        },
        "security": [{"apiKey": []}] if secured else [],
    }
    if name == "PutUpload":
        published["requestBody"] = _ARCHIVE
    if body is not None:
        published["requestBody"] = {"required": name not in _OPTIONAL_BODY, "content": _json(body, components)}
    return published


def _successes(operation: dict[str, Any], *, empty: bool) -> Iterator[tuple[str, dict[str, Any]]]:
    for status, answer in operation["responses"].items():
        if not status.startswith("4"):
            said = {key: value for key, value in answer.items() if not (empty and key == "content")}
            yield status, {**said, "headers": {**answer.get("headers", {}), **_REQUEST_ID}}


def _refusals(name: str, path: str, *, secured: bool, sends: bool, changes: bool) -> set[HTTPStatus]:
    """List the statuses with which an operation may be refused."""
    found = {HTTPStatus.BAD_REQUEST, HTTPStatus.SERVICE_UNAVAILABLE}
    if secured:
        found |= {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.TOO_MANY_REQUESTS}
    if "{" in path or name in _NAMING_IN_BODY:
        found.add(HTTPStatus.NOT_FOUND)
    if sends:
        found |= {
            HTTPStatus.REQUEST_TIMEOUT,
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            HTTPStatus.UNPROCESSABLE_ENTITY,
        }
    if changes:
        found.add(HTTPStatus.CONFLICT)
    if name in _ASKING:
        found |= {HTTPStatus.UNPROCESSABLE_ENTITY, HTTPStatus.BAD_GATEWAY}
    return found


def _write_operation(components: dict[str, Any]) -> dict[str, Any]:
    done = {"schema": {"anyOf": [_schema(kind, components) for kind in (SingleAnswer, BatchAnswer, AcceptedAnswer)]}}
    names = ("projectIdOrName", "integrationIdOrName", "objectName")
    refusals = _refusals("WriteRecords", RECORDS, secured=True, sends=True, changes=True)
    problem = _problem(components, HTTPStatus.BAD_REQUEST)["content"]
    return {
        "summary": "WriteRecords",
        "operationId": "WriteRecords",
        "description": "Create, update, upsert or delete records in a customer's account.",
        "parameters": [
            *({"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in names),
            {"name": "Idempotency-Key", "in": "header", "schema": {"type": "string", "maxLength": 255}},
            _DETAIL,
        ],
        "requestBody": {"required": True, "content": _json(WriteRequest, components)},
        "responses": {
            **{str(status.value): _problem(components, status) for status in sorted(refusals)},
            "200": _answer("Done, or accepted", {"application/json": done}),
            "202": _answer("Its fate is not known yet", _json(AcceptedAnswer, components)),
            "400": _answer("Not understood", {"text/plain": {"schema": {"type": "string"}}, **problem}),
            "422": _answer("Nothing was written", {"application/json": done, **problem}),
        },
        "security": [{"apiKey": []}],
    }


def _problem(components: dict[str, Any], status: HTTPStatus, *, of: str = "") -> dict[str, Any]:
    content = {PROBLEM_TYPE: {"schema": _schema(ProblemDocument, components)}}
    return _answer(status.phrase, content | _json(JwtKeyProblem, components) if of in _RELABELLED else content)


def _answer(description: str, content: dict[str, Any]) -> dict[str, Any]:
    return {"description": description, "headers": _REQUEST_ID, "content": content}


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


def _description(operation: dict[str, Any]) -> str:
    said = _FOR_PROGRAMMERS.sub("", operation["description"]).replace("``", "`")
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in said.split("\n\n"))


def _public_name(parameter: dict[str, Any]) -> str:
    name = str(parameter["name"])
    return _camel(name) if parameter["in"] == "path" else name


def _camel(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(part.title() for part in rest)
