"""What a call through the proxy asks for, as its headers say it.

Published: ``x-amp-project-id``, ``x-amp-proxy-version: 1``, and either ``x-amp-installation-id``, which wins, or
``x-amp-integration-name`` with ``x-amp-group-ref``.
"""

from collections.abc import Iterable, Iterator

import msgspec

from connectors.headers import header_problem
from connectors.secret import Veiled
from installations.errors import InvalidInput, Issue
from server.door.refusals import BadRequest
from server.proxying.headers import outbound

PROJECT = "x-amp-project-id"
VERSION = "x-amp-proxy-version"
INSTALLATION = "x-amp-installation-id"
INTEGRATION = "x-amp-integration-name"
GROUP = "x-amp-group-ref"
THROTTLE = "x-amp-rate-limiter-mode"

_ONLY_VERSION = "1"
_ONCE = (PROJECT, VERSION, INSTALLATION, INTEGRATION, GROUP, THROTTLE)


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Whose account is called: an installation by its id, or by what was installed for whom."""

    project_id: str
    installation_id: str = ""
    integration: str = ""
    group_ref: str = ""


class Call(Veiled, frozen=True, kw_only=True):
    """A call to pass through."""

    place: Place
    method: str
    path: bytes
    """What follows the provider's base URL, as it came over the wire."""
    query: bytes
    headers: tuple[tuple[bytes, bytes], ...]
    """All that came, names in lower case."""
    throttled: bool
    """Whether the caller wants to be held back while the provider asks us to wait."""


def parse_call(headers: Iterable[tuple[bytes, bytes]], *, method: str, path: bytes, query: bytes) -> Call:
    """Read a call.

    Raises `InvalidInput` with every header that is missing, repeated or unknown, and `BadRequest` for one that would
    go to the provider and may not leave.
    """
    raw = tuple(headers)
    known = [(name.decode("latin-1"), value) for name, value in raw if name.startswith(b"x-amp-")]
    values = {name: _text(value) for name, value in known}
    if issues := [*_repeated(name for name, _ in known), *_missing(values)]:
        raise InvalidInput(issues)
    if (problem := header_problem(outbound(raw))) is not None:
        raise BadRequest(f"The call cannot be passed on: {problem}.")
    place = Place(project_id=values[PROJECT], installation_id=values.get(INSTALLATION, ""))
    if not place.installation_id:
        place = Place(project_id=values[PROJECT], integration=values[INTEGRATION], group_ref=values[GROUP])
    throttled = values.get(THROTTLE, "").lower() == "throttle"
    return Call(place=place, method=method, path=path, query=query, headers=raw, throttled=throttled)


def _text(value: bytes) -> str:
    """Read a value: names of ours may be beyond ASCII, which clients send as UTF-8 or, as of old, as Latin-1."""
    try:
        return value.decode().strip()
    except UnicodeDecodeError:
        return value.decode("latin-1").strip()


def _repeated(names: Iterable[str]) -> Iterator[Issue]:
    seen = list(names)
    for name in _ONCE:
        if seen.count(name) > 1:
            yield Issue(path=f"header.{name}", message="must be sent once", code="repeated")


def _missing(values: dict[str, str]) -> Iterator[Issue]:
    if values.get(VERSION, _ONLY_VERSION) != _ONLY_VERSION:
        message = f"there is no version {values[VERSION]!r}, only {_ONLY_VERSION}"
        yield Issue(path=f"header.{VERSION}", message=message, code="unknown-version")
    needed = (PROJECT,) if values.get(INSTALLATION) else (PROJECT, INTEGRATION, GROUP)
    for name in needed:
        if not values.get(name):
            remedy = "" if name == PROJECT else f"; send it, or {INSTALLATION} in place of {INTEGRATION} and {GROUP}"
            yield Issue(path=f"header.{name}", message=f"is required{remedy}", code="required")
