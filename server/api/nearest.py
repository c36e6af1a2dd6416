"""Which route somebody may have meant whose address is none: one word misspelt, ``/v1`` left out, a slash too many."""

from collections.abc import Iterable, Iterator
from difflib import SequenceMatcher

_ALIKE = 0.6
_LONGEST_PATH = 2000
"""Characters; what is longer was not typed."""


def nearest_path(path: str, templates: Iterable[str]) -> str | None:
    """Spell a path as the route would have it that comes nearest, if one comes near.

    ``templates`` are the routes as published, ``/v1/projects/{projectIdOrName}/connections:generate``.
    """
    if len(path) > _LONGEST_PATH:
        return None
    found = [
        (likeness, "/" + "/".join(meant))
        for template in templates
        for given in _readings([segment for segment in path.split("/") if segment])
        for likeness, meant in _compared(given, template.split("/")[1:])
    ]
    near = max(found)[1] if found else None
    return None if near == path else near


def _readings(given: list[str]) -> Iterator[list[str]]:
    yield given
    if given[:1] != ["v1"]:
        yield ["v1", *given]
        yield ["v1", *given[1:]]
    if given[1:2] == ["v1"]:
        yield given[1:]


def _compared(given: list[str], wanted: list[str]) -> Iterator[tuple[float, list[str]]]:
    """Answer how alike they are, if all but one segment are equal, and what should stand there."""
    if len(given) != len(wanted):
        return
    segments = [_segment(ours, theirs) for ours, theirs in zip(wanted, given, strict=True)]
    doubts = [likeness for likeness, _ in segments if likeness < 1]
    if len(doubts) <= 1 and all(likeness >= _ALIKE for likeness in doubts):
        yield min(doubts, default=1.0), [meant for _, meant in segments]


def _segment(ours: str, theirs: str) -> tuple[float, str]:
    if not ours.startswith("{"):
        return _likeness(ours, theirs), ours
    verb = ours.partition("}")[2]
    if not verb:
        return 1.0, theirs
    value, colon, given = theirs.rpartition(":")
    return (_likeness(verb, colon + given), value + verb) if value else (0.0, theirs)


def _likeness(ours: str, theirs: str) -> float:
    return 1.0 if ours == theirs else SequenceMatcher(None, ours, theirs).ratio()
