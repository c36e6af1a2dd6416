"""``isthmus schema check``: every installation compared with its account over HTTP, and what breaks, for a person.

The server does the comparing, with the credentials that only it can open; so this works beside it, on any database.
"""

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import httpx
import msgspec

from connectors.secret import Veiled
from installations.errors import Issue
from installations.review import breaks
from server.deploying import Unreachable, read_body, refusal_line

_TIMEOUT_SECONDS = 120.0


class Wanted(Veiled, frozen=True, kw_only=True):
    """Which installations, and where."""

    url: str
    api_key: str
    project: str
    integration: str = ""
    group: str = ""


class Seen(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One installation, as the server answers it."""

    installation_id: str
    integration_id: str
    integration_name: str
    group_ref: str
    provider: str
    status: str
    issues: tuple[Issue, ...] = ()
    broken_since: str = ""
    turn: str = "same"

    @property
    def breaking(self) -> list[Issue]:
        """What keeps something from working."""
        return [issue for issue in self.issues if breaks(issue)]

    @property
    def unknown(self) -> list[Issue]:
        """What could not be compared."""
        return [issue for issue in self.issues if issue.code == "not-described"]


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """All that were checked; nothing is broken if ``ok``."""

    checked: int
    broken: int
    broke: int
    """Of these, how many were not broken the time before."""
    mended: int
    installations: tuple[msgspec.Raw, ...]
    """Each as the server answered it."""

    @property
    def ok(self) -> bool:
        """Whether everything fits."""
        return self.broken == 0


def check_schemas(wanted: Wanted, *, transport: httpx.BaseTransport | None = None) -> tuple[Report, list[Seen]]:
    """Check them one after the other. Raises `Unreachable` with a sentence."""
    headers = {"X-Api-Key": wanted.api_key}
    with httpx.Client(transport=transport, timeout=_TIMEOUT_SECONDS, headers=headers) as client:
        answers = [answer for each in _listed(client, wanted) if (answer := _checked(client, wanted, each)) is not None]
    seen = [msgspec.json.decode(answer, type=Seen) for answer in answers]
    report = Report(
        checked=len(seen),
        broken=sum(each.status == "broken" for each in seen),
        broke=sum(each.turn == "broke" for each in seen),
        mended=sum(each.turn == "mended" for each in seen),
        installations=tuple(map(msgspec.Raw, answers)),
    )
    return report, seen


def _listed(client: httpx.Client, wanted: Wanted) -> list[Any]:
    asked = {"integrationId": wanted.integration, "groupRef": wanted.group}
    query = {name: value for name, value in asked.items() if value}
    answer = _called(client, "GET", _path(wanted, "schema-checks"), wanted, params=query)
    if not answer.is_success:
        raise _refused(answer, wanted)
    listed = msgspec.json.decode(answer.content)
    if not isinstance(listed, list):
        raise Unreachable(f"{wanted.url} answered with something that is not Isthmus.")
    return listed


def _checked(client: httpx.Client, wanted: Wanted, each: dict[str, str]) -> bytes | None:
    """Check one; ``None`` if it went meanwhile."""
    parts = ("integrations", each["integrationId"], "installations", each["installationId"])
    answer = _called(client, "POST", f"{_path(wanted, *parts)}:schema-check", wanted)
    if answer.status_code == httpx.codes.NOT_FOUND:
        return None
    if not answer.is_success:
        raise _refused(answer, wanted)
    return answer.content


def _path(wanted: Wanted, *parts: str) -> str:
    named = "/".join(quote(part, safe="") for part in (wanted.project, *parts))
    return f"{wanted.url.rstrip('/')}/v1/projects/{named}"


def _called(client: httpx.Client, method: str, url: str, wanted: Wanted, **rest: Any) -> httpx.Response:
    try:
        return client.request(method, url, **rest)
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
        raise Unreachable(
            f"No answer from {wanted.url}: {str(error).rstrip('.')}. Is the server running (`isthmus serve`)? "
            "Another address goes into --url or ISTHMUS_URL."
        ) from error


def _refused(answer: httpx.Response, wanted: Wanted) -> Unreachable:
    line = refusal_line(answer, read_body(answer, wanted.url), wanted.url)
    return Unreachable(line.removeprefix("isthmus: "))


def told(report: Report, seen: list[Seen]) -> str:
    """Write it for a person: what breaks and why, by integration, and what is mended."""
    lines: list[str] = []
    for integration in dict.fromkeys((each.integration_name, each.provider) for each in seen):
        found = [each for each in seen if (each.integration_name, each.provider) == integration]
        said = [line for each in found for line in _lines(each)]
        lines += [f"{integration[0]} ({integration[1]})", *said] if said else []
    noun = "installation" if report.checked == 1 else "installations"
    lines.append(
        f"{report.checked} {noun} checked: {report.broken} broken, {report.broke} of them new; {report.mended} mended"
    )
    return "\n".join(lines)


def _lines(each: Seen) -> Iterator[str]:
    name = f"  {each.group_ref}  {each.installation_id}"
    if each.status == "broken":
        yield f"{name}  {'broke' if each.turn == 'broke' else 'broken since'} {each.broken_since}"
        yield from (f"    {_line(issue)}" for issue in each.breaking)
    elif each.turn == "mended":
        yield f"{name}  mended"
    if each.unknown and each.status != "broken":
        yield f"{name}  not compared in all"
    yield from (f"    {_line(issue)}" for issue in each.unknown)


def _line(issue: Issue) -> str:
    return f"{issue.path}: {issue.message}{f' ({issue.remedy})' if issue.remedy else ''}"
