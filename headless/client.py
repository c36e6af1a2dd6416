"""The typed client of the HTTP API: deploy, connect, install, write, explain.

It knows URLs and bodies, and turns a problem document into one exception. It retries nothing: whether a write may be
repeated is the caller's decision, which an ``idempotency_key`` makes safe.
"""

from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

import httpx
import msgspec

Json = dict[str, Any]


class ApiError(Exception):
    """The server refused: the status, and the sentence and issues it gave."""

    def __init__(self, status: int, detail: str, *, problem: Json) -> None:
        self.status = status
        self.problem = problem
        """The problem document; empty where the answer was plain text."""
        super().__init__(f"{status}: {detail}")


class Client:
    """A project of one Isthmus server, seen with an API key.

    ``project`` is the project's id or name. Every method raises `ApiError` for an answer of 400 or above and
    `httpx.TransportError` when the server cannot be reached.
    """

    def __init__(self, url: str, *, api_key: str, project: str, timeout_seconds: float = 60) -> None:
        self._project = project
        self._root = f"/v1/projects/{quote(project, safe='')}"
        self._http = httpx.AsyncClient(
            base_url=url, headers={"X-Api-Key": api_key}, timeout=timeout_seconds, trust_env=False
        )

    async def __aenter__(self) -> Self:
        """Open the client."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close its connections."""
        await self._http.aclose()

    async def deploy(self, manifest: str, *, destructive: bool = False) -> list[Json]:
        """Deploy an ``amp.yaml``; answer the integrations in it."""
        query = "?destructive=true" if destructive else ""
        answer: list[Json] = await self._call("PUT", f"/integrations:batch{query}", {"sourceYaml": manifest})
        return answer

    async def connect(
        self,
        provider: str,
        *,
        group_ref: str,
        consumer_ref: str,
        api_key: str,
        metadata: Mapping[str, str] | None = None,
    ) -> Json:
        """Make a connection from an API key; answer it."""
        body: Json = {"provider": provider, "groupRef": group_ref, "consumerRef": consumer_ref, "apiKey": api_key}
        if metadata:
            body["providerMetadata"] = {key: {"value": value, "source": "input"} for key, value in metadata.items()}
        return await self._object("POST", "/connections:generate", body)

    async def connect_link(
        self, provider: str, *, group_ref: str, consumer_ref: str, provider_app_id: str | None = None
    ) -> str:
        """Answer a link by which a customer gives access in a browser; it works once, for ten minutes."""
        body: Json = {"provider": provider, "groupRef": group_ref, "consumerRef": consumer_ref}
        if provider_app_id is not None:
            body["providerAppId"] = provider_app_id
        answer = await self._request("POST", "/v1/oauth-connect", {"projectIdOrName": self._project, **body})
        return answer.text

    async def provider_apps(self) -> list[Json]:
        """Answer the project's OAuth clients."""
        answer: list[Json] = await self._call("GET", "/provider-apps")
        return answer

    async def add_provider_app(self, provider: str, *, client_id: str, client_secret: str) -> Json:
        """Add an OAuth client that was registered with a provider; answer it, without the secret."""
        body = {"provider": provider, "clientId": client_id, "clientSecret": client_secret}
        return await self._object("POST", "/provider-apps", body)

    async def install(
        self, integration: str, *, group_ref: str, content: Json, connection_id: str | None = None
    ) -> Json:
        """Install an integration for a group with the given config content; answer the installation."""
        body: Json = {"groupRef": group_ref, "config": {"content": content}}
        if connection_id is not None:
            body["connectionId"] = connection_id
        return await self._object("POST", f"/integrations/{quote(integration, safe='')}/installations", body)

    async def update(self, integration: str, installation_id: str, *, mask: Sequence[str], content: Json) -> Json:
        """Replace the parts of an installation's config that ``mask`` names; answer the installation."""
        path = f"/integrations/{quote(integration, safe='')}/installations/{quote(installation_id, safe='')}"
        body = {"updateMask": list(mask), "installation": {"config": {"content": content}}}
        return await self._object("PATCH", path, body)

    async def write(
        self, integration: str, object_name: str, request: Json, *, idempotency_key: str | None = None
    ) -> Json:
        """Write; answer the operation id and the result. ``request`` is the published write body."""
        headers = {"Idempotency-Key": idempotency_key} if idempotency_key is not None else {}
        return await self._object("POST", _object_path(integration, object_name), request, headers=headers)

    async def explain(self, integration: str, object_name: str, request: Json) -> Json:
        """Answer what a write would send and why, without sending it."""
        return await self._object("POST", f"{_object_path(integration, object_name)}:explain", request)

    async def explain_operation(self, operation_id: str) -> Json:
        """Answer what an operation sent and why."""
        return await self._object("GET", f"/operations/{quote(operation_id, safe='')}:explain")

    async def operation(self, operation_id: str) -> Json:
        """Answer what became of an operation."""
        return await self._object("GET", f"/operations/{quote(operation_id, safe='')}")

    async def _object(self, method: str, path: str, body: Json | None = None, *, headers: Json | None = None) -> Json:
        answer: Json = await self._call(method, path, body, headers=headers)
        return answer

    async def _call(self, method: str, path: str, body: Json | None = None, *, headers: Json | None = None) -> Any:
        response = await self._request(method, f"{self._root}{path}", body, headers=headers)
        return msgspec.json.decode(response.content) if response.content else None

    async def _request(
        self, method: str, path: str, body: Json | None = None, *, headers: Json | None = None
    ) -> httpx.Response:
        content = None if body is None else msgspec.json.encode(body)
        sent = {**(headers or {}), **({} if content is None else {"content-type": "application/json"})}
        response = await self._http.request(method, path, content=content, headers=sent)
        if response.is_error:
            raise _api_error(response)
        return response


def _object_path(integration: str, object_name: str) -> str:
    return f"/integrations/{quote(integration, safe='')}/objects/{quote(object_name, safe='')}"


def _api_error(response: httpx.Response) -> ApiError:
    try:
        problem = msgspec.json.decode(response.content, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError):
        return ApiError(response.status_code, response.text, problem={})
    # It may come from something between us and the server, so nothing about its members is certain.
    errors = problem.get("errors")
    told = [error.get("message") for error in errors if isinstance(error, dict)] if isinstance(errors, list) else []
    detail = "; ".join(text for text in told if isinstance(text, str)) or problem.get("detail")
    return ApiError(response.status_code, str(detail or response.reason_phrase), problem=problem)
