"""How one request is sent and its answer read: URLs, JSON, and a problem document as one exception.

Nothing is retried.
"""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any, TypeVar
from urllib.parse import quote, urlencode

import httpx
import msgspec
from msgspec import UNSET, UnsetType

from installations.errors import Issue, Severity

Json = dict[str, Any]
T = TypeVar("T")


class ApiError(Exception):
    """The server refused: the status, and the sentence and issues it gave."""

    def __init__(self, status: int, detail: str, *, problem: Json) -> None:
        self.status = status
        self.problem = problem
        """The problem document; empty where the answer was plain text."""
        super().__init__(f"{status}: {detail}")

    @property
    def issues(self) -> tuple[Issue, ...]:
        """Everything that is wrong with the input, each with its path; nothing where the server named none."""
        return tuple(_issues(self.problem.get("issues")))


class Calls:
    """A project of one server, seen with an API key."""

    def __init__(self, url: str, *, api_key: str, project: str, timeout_seconds: float) -> None:
        self.root = f"/v1/projects/{segment(project)}"
        self._http = httpx.AsyncClient(
            base_url=url, headers={"X-Api-Key": api_key}, timeout=timeout_seconds, trust_env=False
        )

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def read(
        self, kind: type[T], method: str, path: str, body: Any = None, *, headers: Mapping[str, str] | None = None
    ) -> T:
        """Ask below the project and decode the answer. Raises `ApiError`, also for an answer of another shape."""
        response = await self.request(method, f"{self.root}{path}", body, headers=headers)
        try:
            return msgspec.json.decode(response.content, type=kind)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise ApiError(response.status_code, f"the answer cannot be read: {error}", problem={}) from error

    async def call(self, method: str, path: str, body: Any = None, *, headers: Mapping[str, str] | None = None) -> Any:
        """Ask below the project; answer the JSON as it came, `None` where none came. Raises `ApiError`."""
        response = await self.request(method, f"{self.root}{path}", body, headers=headers)
        return msgspec.json.decode(response.content) if response.content else None

    async def request(
        self, method: str, path: str, body: Any = None, *, headers: Mapping[str, str] | None = None
    ) -> httpx.Response:
        """Send one request. Raises `ApiError` for an answer of 400 or above, and `httpx.TransportError`."""
        content = None if body is None else msgspec.json.encode(body)
        sent = {**(headers or {}), **({} if content is None else {"content-type": "application/json"})}
        response = await self._http.request(method, path, content=content, headers=sent)
        if response.is_error:
            raise _api_error(response)
        return response


def segment(name: str) -> str:
    """Make a name one segment of a path."""
    return quote(name, safe="")


def query(**members: str | None) -> str:
    """Build a query from what is given, with its question mark; empty where nothing is."""
    given = {public(name): value for name, value in members.items() if value is not None}
    return f"?{urlencode(given)}" if given else ""


def given(**members: Any) -> Json:
    """Build a body of what is not `None`, with the public names."""
    return {public(name): value for name, value in members.items() if value is not None}


def public(name: str) -> str:
    """Spell a name as on the wire."""
    head, *rest = name.split("_")
    return head + "".join(part.title() for part in rest)


class _Told(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """An issue as a problem document has it."""

    name: str
    detail: str
    code: str = ""
    severity: Severity = "error"
    value: Any = UNSET
    remedy: str | UnsetType = UNSET


def _issues(listed: Any) -> Iterator[Issue]:
    for each in listed if isinstance(listed, list) else ():
        # It may come from something between us and the server: what reads otherwise is no issue.
        with suppress(msgspec.ValidationError):
            told = msgspec.convert(each, _Told)
            yield Issue(
                path=told.name,
                message=told.detail,
                code=told.code,
                severity=told.severity,
                value=told.value,
                remedy=told.remedy,
            )


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
