"""Nested names: ``$['address']['city']`` names the member ``city`` of the member ``address``.

The grammar is a small part of JSONPath: ``$``, then 1 to 20 of ``['name']`` and ``[*]``, and nothing else. A name that
does not follow it is an ordinary name of one member. No function here changes what it is given.
"""

import re
from collections.abc import Sequence
from typing import Any, Final

from installations.record import Record

WILDCARD: Final = None
"""The segment ``[*]``: every element of a list. It collects when reading and cannot be set."""

Segments = tuple[str | None, ...]

MOST_SEGMENTS = 20
"""Deeper than any provider nests. What looks at every way into a name costs the square of it."""

_PATH = re.compile(rf"\$(?:\['[^']+'\]|\[\*\]){{1,{MOST_SEGMENTS}}}")
_SEGMENT = re.compile(r"\['([^']+)'\]|\[\*\]")


class Missing:
    """The answer for a path that leads nowhere; a missing value is not ``null``."""


class Blocked(Missing):
    """The answer for a path that meets a value that is no object, such as a text, before its end."""


MISSING: Final = Missing()
BLOCKED: Final = Blocked()


def parse(name: str) -> Segments | None:
    """Split a nested name into its segments; ``None`` for an ordinary name."""
    if not name.startswith("$[") or not _PATH.fullmatch(name):
        return None
    return tuple(match[1] for match in _SEGMENT.finditer(name))


def render(segments: Segments) -> str:
    """Build the nested name of these segments."""
    return "$" + "".join("[*]" if segment is WILDCARD else f"['{segment}']" for segment in segments)


def problem(name: str) -> str | None:
    """Say what is wrong with a name that was meant to be nested; ``None`` if nothing is."""
    if not name.startswith("$[") or parse(name) is not None:
        return None
    return (
        f"{name!r} is no nested name: write it like $['address']['city'], with no empty part, no ' inside one, and at "
        f"most {MOST_SEGMENTS} parts."
    )


def canonical(name: str) -> str:
    """Spell a nested name of one member as that member: ``$['city']`` is ``city``."""
    segments = parse(name)
    return segments[0] if segments is not None and len(segments) == 1 and segments[0] is not WILDCARD else name


def member(name: str) -> str:
    """Tell the member of the record in which a name lives: ``address`` for ``$['address']['city']``."""
    segments = parse(name) if name.startswith("$[") else None
    return name if segments is None or segments[0] is WILDCARD else segments[0]


def look(fields: Record, name: str) -> Any:
    """Read a value from a provider's record: by exact name, else without regard to case; `MISSING` if there is none."""
    if name in fields:
        return fields[name]
    here: Any = fields
    for segment in parse(name) or (name,):
        here = _member(here, segment)
        if isinstance(here, Missing):
            return here
    return here


def _member(here: Any, segment: str | None) -> Any:
    if type(here) is not dict or segment is WILDCARD:
        return MISSING
    if segment in here:
        return here[segment]
    folded = segment.casefold()
    return next((value for key, value in here.items() if key.casefold() == folded), MISSING)


def extract(container: Any, segments: Sequence[str | None]) -> tuple[Any, Any]:
    """Take a value out of nested objects.

    Answers the value and what is left of the container, without the objects that this emptied (``{}`` if it emptied
    all). The value is `MISSING` or `BLOCKED` where the path does not lead to one; then the container is left whole.
    """
    if type(container) is not dict:
        return BLOCKED, container
    head, rest = segments[0], segments[1:]
    if head not in container:
        return MISSING, container
    inner = container[head]
    found, left = extract(inner, rest) if rest else (inner, {})
    if isinstance(found, Missing):
        return found, container
    remaining = {key: value for key, value in container.items() if key != head}
    return found, {**remaining, head: left} if left != {} else remaining


def put(container: Any, segments: Sequence[str | None], value: Any) -> Record:
    """Set a value in nested objects, making those between; answers a new container."""
    kept: Record = container if type(container) is dict else {}
    head, rest = str(segments[0]), segments[1:]
    return {**kept, head: put(kept.get(head), rest, value) if rest else value}
