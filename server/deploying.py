"""``isthmus deploy``: a manifest file over HTTP, and what is wrong with it as a compiler would say it."""

from collections.abc import Iterable
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

import httpx
import msgspec

_TIMEOUT_SECONDS = 60.0
_HINTS: dict[int, str] = {
    HTTPStatus.UNAUTHORIZED: " Give one with --api-key or in ISTHMUS_API_KEY; `isthmus api-keys new` makes one.",
    HTTPStatus.NOT_FOUND: " A key opens one project only: --project takes its name or its id.",
}


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a deployment, line by line."""

    lines: tuple[str, ...]
    ok: bool


class Unreachable(Exception):
    """No answer that can be read; the message is for the person at the keyboard."""


def deploy_file(
    text: bytes, *, file: str, project: str, url: str, api_key: str, transport: httpx.BaseTransport | None = None
) -> Report:
    """Deploy the manifest ``text``; ``file`` is its name in messages. Raises `Unreachable`."""
    try:
        source = text.decode()
    except UnicodeDecodeError:
        return Report(lines=(f"{file}: error: the file is not UTF-8 text",), ok=False)
    answer = _put(source, project=project, url=url, api_key=api_key, transport=transport)
    body = read_body(answer, url)
    if answer.is_success:
        return Report(lines=(*_issue_lines(body.get("warnings", ()), file), *_deployed_lines(body)), ok=True)
    issues = tuple(_issue_lines(body.get("issues", ()), file))
    return Report(lines=issues or (refusal_line(answer, body, url),), ok=False)


def refusal_line(answer: httpx.Response, body: dict[str, Any], url: str) -> str:
    """Say what is wrong where it is not the file."""
    detail = str(body.get("detail", answer.reason_phrase)).rstrip(".")
    hint = _HINTS.get(answer.status_code, "")
    # What is missing may also be an integration, of a project that was found.
    is_meant = answer.status_code != HTTPStatus.NOT_FOUND or "project" in detail
    return f"isthmus: {url} refused: {detail}.{hint if is_meant else ''}"


def _put(source: str, *, project: str, url: str, api_key: str, transport: httpx.BaseTransport | None) -> httpx.Response:
    with httpx.Client(transport=transport, timeout=_TIMEOUT_SECONDS) as client:
        try:
            return client.put(
                f"{url.rstrip('/')}/v1/projects/{quote(project, safe='')}/integrations:batch",
                json={"sourceYaml": source},
                headers={"X-Api-Key": api_key, "X-Isthmus-Detail": "true"},
            )
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
            raise Unreachable(
                f"No answer from {url}: {str(error).rstrip('.')}. Is the server running (`isthmus serve`)? "
                "Another address goes into --url or ISTHMUS_URL."
            ) from error


def read_body(answer: httpx.Response, url: str) -> dict[str, Any]:
    """Decode an answer of the server's. Raises `Unreachable` if it is none."""
    try:
        body = msgspec.json.decode(answer.content)
    except msgspec.DecodeError:
        body = None
    if not isinstance(body, dict):
        raise Unreachable(f"{url} answered {answer.status_code} with something that is not Isthmus.")
    return body


def _issue_lines(issues: Iterable[dict[str, Any]], file: str) -> Iterable[str]:
    for issue in issues:
        line = f":{issue['line']}" if "line" in issue else ""
        where = issue.get("name") or issue.get("path") or ""
        what = issue.get("detail") or issue.get("message") or ""
        remedy = f" ({issue['remedy']})" if issue.get("remedy") else ""
        place = f"{where}: " if where else ""
        yield f"{file}{line}: {issue.get('severity', 'error')}: {place}{what}{remedy}"


def _deployed_lines(body: dict[str, Any]) -> Iterable[str]:
    for integration in body.get("integrations", ()):
        revision = integration["latestRevision"]["id"]
        yield f"deployed {integration['name']} ({integration['provider']}), revision {revision}"
