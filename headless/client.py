"""The typed client of the HTTP API: deploy, connect, install, write, explain, and look after operations.

It knows URLs and bodies, and turns a problem document into one exception. It retries nothing: whether a write may be
repeated is the caller's decision, which an ``idempotency_key`` makes safe.
"""

import asyncio
import time
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Literal, Self
from urllib.parse import urlencode

from headless.calls import ApiError, Calls, Json, public, query, segment
from headless.integration import IntegrationClient
from installations.installation import Connection, Installation

__all__ = ["ApiError", "Client"]

FIRST_PAUSE_SECONDS = 0.05
LONGEST_PAUSE_SECONDS = 2.0
"""Between two looks at an operation that is waited for."""


class Client:
    """A project of one Isthmus server, seen with an API key.

    ``project`` is the project's id or name. Every method raises `ApiError` for an answer of 400 or above and
    `httpx.TransportError` when the server cannot be reached.
    """

    def __init__(self, url: str, *, api_key: str, project: str, timeout_seconds: float = 60) -> None:
        self._project = project
        self._calls = Calls(url, api_key=api_key, project=project, timeout_seconds=timeout_seconds)

    async def __aenter__(self) -> Self:
        """Open the client."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close its connections."""
        await self.close()

    async def close(self) -> None:
        """Close its connections, where no ``async with`` does."""
        await self._calls.close()

    def integration(self, name: str) -> IntegrationClient:
        """See one integration, by its name or id: its installations, and what customers choose. Asks nothing yet."""
        return IntegrationClient(self._calls, name)

    async def installations(self, *, group_ref: str | None = None) -> list[Installation]:
        """List installations of all integrations, oldest first."""
        return await self._calls.read(list[Installation], "GET", f"/installations{query(group_ref=group_ref)}")

    async def connections(
        self, *, provider: str | None = None, group_ref: str | None = None, consumer_ref: str | None = None
    ) -> list[Connection]:
        """List connections, those that can be used first."""
        asked = query(provider=provider, group_ref=group_ref, consumer_ref=consumer_ref)
        return await self._calls.read(list[Connection], "GET", f"/connections{asked}")

    async def session_token(self, *, group_ref: str, consumer_ref: str, expires_in_seconds: int = 600) -> str:
        """Answer a token with which a page of this person sees what is theirs, for ten minutes at most."""
        body = {"groupRef": group_ref, "consumerRef": consumer_ref, "expiresInSeconds": expires_in_seconds}
        answer = await self._calls.read(dict[str, str], "POST", "/session-tokens", body)
        return answer["token"]

    async def deploy(self, manifest: str, *, destructive: bool = False) -> list[Json]:
        """Deploy an ``amp.yaml``; answer the integrations in it."""
        query = "?destructive=true" if destructive else ""
        answer: list[Json] = await self._calls.call("PUT", f"/integrations:batch{query}", {"sourceYaml": manifest})
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
        answer = await self._calls.request("POST", "/v1/oauth-connect", {"projectIdOrName": self._project, **body})
        return answer.text

    async def provider_apps(self) -> list[Json]:
        """Answer the project's OAuth clients."""
        answer: list[Json] = await self._calls.call("GET", "/provider-apps")
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
        return await self._object("POST", f"/integrations/{segment(integration)}/installations", body)

    async def update(self, integration: str, installation_id: str, *, mask: Sequence[str], content: Json) -> Json:
        """Replace the parts of an installation's config that ``mask`` names; answer the installation."""
        path = f"/integrations/{segment(integration)}/installations/{segment(installation_id)}"
        body = {"updateMask": list(mask), "installation": {"config": {"content": content}}}
        return await self._object("PATCH", path, body)

    async def write(
        self,
        integration: str,
        object_name: str,
        request: Json,
        *,
        mode: Literal["synchronous", "asynchronous"] | None = None,
        idempotency_key: str | None = None,
    ) -> Json:
        """Write; answer the operation id and the result. ``request`` is the published write body.

        ``mode`` is put into it. An asynchronous write is answered with the operation id alone: see `wait`.
        """
        headers = {"Idempotency-Key": idempotency_key} if idempotency_key is not None else {}
        body = request if mode is None else {**request, "mode": mode}
        return await self._object("POST", _object_path(integration, object_name), body, headers=headers)

    async def explain(self, integration: str, object_name: str, request: Json) -> Json:
        """Answer what a write would send and why, without sending it."""
        return await self._object("POST", f"{_object_path(integration, object_name)}:explain", request)

    async def explain_operation(self, operation_id: str) -> Json:
        """Answer what an operation sent and why."""
        return await self._object("GET", f"{_operation_path(operation_id)}:explain")

    async def operation(self, operation_id: str) -> Json:
        """Answer what became of an operation, with its finer state and what came of each record."""
        return await self._object("GET", f"{_operation_path(operation_id)}?state=true")

    async def wait(self, operation_id: str, *, within_seconds: float = 60) -> Json:
        """Answer an operation once it has succeeded or failed, or nobody but a person can tell whether it happened.

        Raises `TimeoutError` where that takes longer; the operation goes on.
        """
        until, pause = time.monotonic() + within_seconds, FIRST_PAUSE_SECONDS
        while True:
            found = await self.operation(operation_id)
            if found["status"] != "in_progress" or (found.get("state") == "unknown" and "lookUpTime" not in found):
                return found
            if time.monotonic() + pause > until:
                raise TimeoutError(f"operation {operation_id} is {found.get('state')} after {within_seconds:g} seconds")
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE_SECONDS)

    async def operations(
        self, *, page_size: int | None = None, page_token: str | None = None, **filters: str | bool
    ) -> Json:
        """Answer a page of the project's operations, newest first: ``results`` and ``pagination``.

        ``filters``: ``state``, ``object``, ``group_ref``, ``error_class``, ``reason``, ``integration``,
        ``installation``, ``created_from`` and ``created_before`` (RFC 3339), ``replayed``.
        """
        query = {
            public(name): str(value).lower() if isinstance(value, bool) else value for name, value in filters.items()
        }
        if page_size is not None:
            query["pageSize"] = str(page_size)
        if page_token is not None:
            query["pageToken"] = page_token
        path = f"/operations?{urlencode(query)}" if query else "/operations"
        return await self._object("GET", path, headers={"X-Isthmus-Detail": "true"})

    async def resolve(
        self, operation_id: str, outcome: Literal["happened", "retry", "discard"], *, record_id: str | None = None
    ) -> Json:
        """Settle an operation of which nobody knows whether it happened; answer it."""
        body = {"outcome": outcome} if record_id is None else {"outcome": outcome, "recordId": record_id}
        return await self._object("POST", f"{_operation_path(operation_id)}:resolve", body)

    async def cancel(self, operation_id: str) -> Json:
        """Take back an operation that waits to be sent; answer it."""
        return await self._object("POST", f"{_operation_path(operation_id)}:cancel")

    async def retry(self, operation_id: str) -> Json:
        """Try a waiting operation now, or do again what of one has failed; answer it, or the new one.

        Of a batch that has succeeded those are the records that were refused; ``replayOfRecords`` of the answer says
        which.
        """
        return await self._object("POST", f"{_operation_path(operation_id)}:retry")

    async def replay(self, *, dry_run: bool = False, **filters: str | bool) -> Json:
        """Do again what has failed, of each operation once; answer their ``count`` and the new ``operationIds``.

        ``filters`` are those of `operations`; ``state`` is ``failure``, or ``success`` for batches that were partly
        written, or left out for both. A dry run only counts.
        """
        named = {public(name): value for name, value in filters.items()}
        return await self._object("POST", "/operations:replay", {"filter": named, "dryRun": dry_run})

    async def _object(self, method: str, path: str, body: Json | None = None, *, headers: Json | None = None) -> Json:
        answer: Json = await self._calls.call(method, path, body, headers=headers)
        return answer


def _object_path(integration: str, object_name: str) -> str:
    return f"/integrations/{segment(integration)}/objects/{segment(object_name)}"


def _operation_path(operation_id: str) -> str:
    return f"/operations/{segment(operation_id)}"
