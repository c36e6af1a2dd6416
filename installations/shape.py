"""Whether data has the shape of one of our types: every difference is found, not just the first, each with its path.

``decode`` takes data that is already decoded (from YAML, a patch, a stored document), ``parse_json`` takes bytes.
Both are fast on good input, and walk the type tree only to explain bad input.
"""

import json
from collections.abc import Hashable
from functools import cache
from math import isfinite
from typing import Any, Literal, TypeVar

import msgspec
from msgspec import inspect

from installations.errors import InvalidInput, Issue, invalid
from installations.plain import INT64, MAX_DEPTH, Doubled, plain_issues
from installations.shape_walk import Unknown, Walk
from installations.slips import slips_in

T = TypeVar("T")
Slips = Literal["ignore", "refuse"]
"""What to do with unknown members that are nearly known; see `slips`."""

_RECOGNISED = 19
"""A whole number with fewer digits than this fits into 64 bits."""


def decode(data: Any, kind: type[T], *, path: str = "", unknown: Literal["ignore", "refuse"] = "ignore") -> T:
    """Convert decoded JSON or YAML to a value of ours.

    An optional member that is null counts as absent, as it does for the published server.

    Raises:
        InvalidInput: the data has another shape; every difference is listed, its path under ``path``.
    """
    if unknown == "ignore":
        try:
            value = msgspec.convert(data, kind)
        except (msgspec.ValidationError, RecursionError):
            pass
        else:
            if not plain_issues(data, path, nul=True):
                return value
    canonical, issues = examine(data, kind, path=path, unknown=unknown)
    if issues:
        raise InvalidInput(issues)
    return _convert(canonical, kind, path=path)


def examine(
    data: Any, kind: Any, *, path: str = "", unknown: Unknown = "ignore", any_case: bool = False
) -> tuple[Any, list[Issue]]:
    """Compare data with a type, without converting it.

    Returns the data with members spelt as the type spells them (with ``any_case``, whatever their case), unknown
    members and nulls of optional members left out; and every issue. Unknown members are left out in silence, with a
    warning, or with an error.
    """
    walk = Walk(unknown=unknown, any_case=any_case)
    canonical = walk.visit(data, type_info(kind), path)
    return canonical, walk.issues


@cache
def type_info(kind: Hashable) -> inspect.Type:
    """Describe a type, once."""
    return inspect.type_info(kind)


def _convert(data: Any, kind: type[T], *, path: str) -> T:
    try:
        return msgspec.convert(data, kind)
    except msgspec.ValidationError as error:
        raise invalid(path, str(error), code="wrong-type") from error


def parse_json(data: bytes, kind: type[T], *, path: str = "", slips: Slips = "ignore") -> T:
    """Decode a JSON document straight into a value of ours. Unknown members are ignored; ``slips`` may be refused.

    Raises:
        InvalidInput: it is no JSON, holds something that `plain` refuses, or has another shape; every issue is
            listed, its path under ``path``.
    """
    try:
        value: T = _decoder(kind).decode(data)  # type: ignore[arg-type]  # every class is hashable
        tree = _clean_tree(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, _Suspicious):
        return _explain(data, kind, path=path, slips=slips)
    if slips == "refuse" and (issues := slips_in(tree, kind, path=path)):
        raise InvalidInput(issues)
    return value


@cache
def _decoder(kind: Hashable) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(kind)


class _Suspicious(Exception):
    """The quick pass met something that the slow one has to name."""


def _quick_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise _Suspicious
    return members


def _quick_int(digits: str) -> int:
    if len(digits) < _RECOGNISED or (len(digits) <= _RECOGNISED + 1 and int(digits) in INT64):
        return int(digits)
    raise _Suspicious


_QUICK = json.JSONDecoder(object_pairs_hook=_quick_object, parse_int=_quick_int)


def _clean_tree(data: bytes) -> Any:
    """Decode JSON that msgspec accepts once more, for what it lets through; 600 bytes cost 5 us.

    msgspec keeps the last of two equal names without a word, and has no hook to see the first. Raises `_Suspicious`.
    """
    if b"\\u0000" in data:
        raise _Suspicious
    tree = _QUICK.decode(data.decode())
    if data.count(b"{") + data.count(b"[") > MAX_DEPTH and _is_deep(tree):
        raise _Suspicious
    return tree


def _refuse_constant(name: str) -> None:
    raise _Suspicious(name)


def _finite(digits: str) -> float:
    number = float(digits)
    if not isfinite(number):
        raise _Suspicious
    return number


_STRICT = json.JSONDecoder(
    object_pairs_hook=_quick_object, parse_int=_quick_int, parse_float=_finite, parse_constant=_refuse_constant
)


def _is_spotless(data: bytes) -> bool:
    """Tell whether JSON that msgspec did not accept holds nothing that `plain_issues` would name."""
    if b"\\u0000" in data or b"\\ud" in data.lower():
        return False
    try:
        tree = _STRICT.decode(data.decode())
    except _Suspicious:
        return False
    return not isinstance(tree, dict | list) or not _is_deep(tree)


def _is_deep(tree: Any) -> bool:
    level = [tree]
    for _ in range(MAX_DEPTH):
        level = [
            child
            for value in level
            for child in (value.values() if isinstance(value, dict) else value)
            if isinstance(child, dict | list)
        ]
        if not level:
            return False
    return True


def _slow_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    return members if len(members) == len(pairs) else Doubled.from_pairs(pairs)


def _slow_int(digits: str) -> int:
    return int(digits[: _RECOGNISED + 2])


_SLOW = json.JSONDecoder(object_pairs_hook=_slow_object, parse_int=_slow_int)


def _explain(data: bytes, kind: type[T], *, path: str, slips: Slips) -> T:
    """Decode again, slowly, and name all that is wrong; data that is merely unusual still comes through."""
    tree = parse_plain(data, path=path)
    canonical, differences = examine(tree, kind, path=path)
    if slips == "refuse":
        differences += slips_in(tree, kind, path=path)
    # A walk that knows every path takes a second for a million values, so it is spared where nothing is to be found.
    issues = [] if _is_spotless(data) else plain_issues(tree, path)
    known = {(issue.path, issue.code) for issue in issues}
    issues += [issue for issue in differences if (issue.path, issue.code) not in known]
    if issues:
        raise InvalidInput(issues)
    return _convert(canonical, kind, path=path)


def parse_plain(data: bytes, *, path: str = "") -> Any:
    """Decode any JSON document to dicts and lists; `plain_issues` then tells what it must not hold.

    Raises:
        InvalidInput: it is no JSON.
    """
    try:
        return _SLOW.decode(data.decode())
    except UnicodeDecodeError as error:
        raise invalid(path, f"not UTF-8 text: {error.reason} at byte {error.start}", code="invalid-json") from error
    except RecursionError as error:
        raise invalid(path, f"nested deeper than {MAX_DEPTH} levels", code="too-deep") from error
    except json.JSONDecodeError as error:
        message = f"not JSON: {error.msg} at line {error.lineno}, column {error.colno}" if data else "the body is empty"
        raise invalid(path, message, code="invalid-json") from error
