"""What plain JSON data may hold: 64-bit whole numbers, finite numbers, proper text, 64 levels, no name twice.

Decoders in this stack let more through: integers of 400 digits, duplicate names (the last one wins), lone surrogates.
Another parser down the line may read such data differently, so it is refused here, with its path.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from math import isfinite
from typing import Any

from installations.errors import Issue, at

MAX_DEPTH = 64
"""Levels of objects and lists in one document."""

INT64 = range(-(2**63), 2**63)
"""The whole numbers that every store and provider of ours can carry."""


class Doubled(dict[str, Any]):
    """An object whose text names some members twice; the last value of each is kept."""

    names: tuple[str, ...] = ()

    @classmethod
    def from_pairs(cls, pairs: list[tuple[str, Any]]) -> "Doubled":
        """Keep the last value of each name and remember the names that came twice."""
        counts = Counter(name for name, _ in pairs)
        doubled = cls(pairs)
        doubled.names = tuple(name for name, count in counts.items() if count > 1)
        return doubled


def plain_issues(data: Any, path: str = "", *, nul: bool = False, level: int = 1) -> list[Issue]:
    """List everything in decoded JSON that must not be there.

    ``nul`` refuses NUL in values too, not in names only. ``level`` is the depth at which the data stands.
    """
    return [issue for value, where in _nodes(data, path, level) for issue in _node_issues(value, where, nul=nul)]


def _nodes(data: Any, path: str, level: int) -> Iterator[tuple[Any, str]]:
    """Walk the tree without recursion, down to one level too many."""
    stack: list[tuple[Any, str, int]] = [(data, path, level)]
    while stack:
        value, where, depth = stack.pop()
        yield (_TOO_DEEP if depth > MAX_DEPTH and isinstance(value, dict | list | tuple) else value), where
        if depth <= MAX_DEPTH:
            stack.extend((child, at(where, step), depth + 1) for step, child in _children(value))


_TOO_DEEP = object()


def _children(value: Any) -> Iterable[tuple[str | int, Any]]:
    """List members in reverse, since the walk takes the last one first."""
    if isinstance(value, dict):
        return [(str(name), child) for name, child in reversed(value.items())]
    if isinstance(value, list | tuple):
        return list(enumerate(value))[::-1]
    return ()


def _node_issues(value: Any, path: str, *, nul: bool) -> Iterator[Issue]:
    if value is _TOO_DEEP:
        yield Issue(path=path, code="too-deep", message=f"nested deeper than {MAX_DEPTH} levels")
    elif isinstance(value, str):
        yield from text_issues(value, path, nul=nul)
    elif isinstance(value, dict):
        yield from _name_issues(value, path)
    else:
        yield from number_issues(value, path)


def _name_issues(value: dict[Any, Any], path: str) -> Iterator[Issue]:
    for name in value.names if isinstance(value, Doubled) else ():
        yield Issue(path=at(path, name), code="duplicate-key", message="this name is given twice")
    for name in value:
        yield from text_issues(name, at(path, name), nul=True) if isinstance(name, str) else ()


def text_issues(text: str, path: str, *, nul: bool) -> Iterator[Issue]:
    """Say what is wrong with a string: a lone surrogate, or NUL where that is refused."""
    if nul and "\0" in text:
        yield Issue(path=printable(path), code="invalid-text", message="must not contain the NUL character")
    if not text.isascii() and printable(text) != text:
        yield Issue(path=printable(path), code="invalid-text", message="contains half a character (a lone surrogate)")


def number_issues(value: Any, path: str) -> Iterator[Issue]:
    """Say what is wrong with a number: too large for 64 bits, or not finite."""
    if isinstance(value, int) and value not in INT64:
        yield Issue(path=path, code="out-of-range", message="this whole number does not fit into 64 bits")
    elif isinstance(value, float) and not isfinite(value):
        yield Issue(path=path, code="out-of-range", message="must be a finite number")


def printable(text: str) -> str:
    """Make text that any encoder takes: NUL and lone surrogates become ``?``-like marks."""
    return text.replace("\0", "\N{SYMBOL FOR NULL}").encode(errors="replace").decode()
