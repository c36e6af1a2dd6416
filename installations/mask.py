r"""What an update mask replaces, and what stays: ``{updateMask: [paths], <resource>: {...}}``.

A path replaces its node, never merges it. What the submitted resource holds outside the mask is ignored, since the
published client sends its whole draft. Names in a path may be escaped (``job\.appointments``), but that client does
not escape, so a path is read against the names that were submitted.
"""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from installations.config import ConfigContent, ReadObjectConfig, SubscribeObjectConfig, WriteObjectConfig
from installations.errors import InvalidInput, Issue

_OBJECTS: dict[str, type[msgspec.Struct]] = {
    "read": ReadObjectConfig,
    "write": WriteObjectConfig,
    "subscribe": SubscribeObjectConfig,
}
_MAP = re.compile(r"config\.content\.(read|write|subscribe)\.objects(?:\.(.+))?", re.DOTALL)
_ESCAPED = re.compile(r"\\([.:/\\])")
_UNPUBLISHED = ("selectedFieldMappings", "selectedValueMappings", "removeUnmappedFields", "inheritMapping")
"""Members of a write object that published clients do not know and would lose."""

_UNPUBLISHED_DEFAULTS = frozenset({"floatValue", "listValue", "dateValue"})

ALLOWED = (
    "connectionId",
    "config.createdBy",
    "config.content.proxy.enabled",
    *(f"config.content.{action}.objects" for action in _OBJECTS),
    *(f"config.content.{action}.objects.<object>" for action in _OBJECTS),
    *(f"config.content.{action}.objects.<object>.<member>" for action in _OBJECTS),
)
"""The paths of an installation. The whole map of read objects is ours: no published path removes one."""


class InstallationUpdate(msgspec.Struct, frozen=True, kw_only=True):
    """What a masked update asks for; what it does not mention is `UNSET`."""

    content: dict[str, Any] | UnsetType = UNSET
    """The whole new content, as data: not yet built or checked."""
    connection_id: str | UnsetType = UNSET
    created_by: str | UnsetType = UNSET


class _NoValue(Exception):
    """The path is fine, but nothing was submitted for it."""


class _UnknownPath(Exception):
    """There is no such path."""


def apply_mask(current: ConfigContent, mask: Sequence[str], submitted: Any) -> InstallationUpdate:
    """Work out an update of an installation. ``submitted`` is its ``installation`` member.

    Members of ours on write objects survive a client that does not know them: they are carried over where the new
    object does not mention them, and removed by ``null``, ``{}`` or ``[]``.

    Raises:
        InvalidInput: paths that are unknown or have no value; every one is listed.
    """
    content = msgspec.json.decode(msgspec.json.encode(current))
    update = InstallationUpdate()
    issues: list[Issue] = []
    if not mask:
        issues.append(Issue(path="updateMask", code="required", message="must name at least one path"))
    for index, path in enumerate(mask):
        try:
            update = _apply(update, content, path, submitted)
        except _NoValue:
            issues.append(_no_value(index, path))
        except _UnknownPath:
            issues.append(_unknown(index, path, ALLOWED))
    if issues:
        raise InvalidInput(issues)
    return update


def masked(members: Collection[str], mask: Sequence[str], submitted: Any) -> dict[str, Any]:
    r"""Pick what a mask replaces in a flat resource: path to new value, in the order of the mask.

    ``members`` are the allowed paths; ``metadata.*`` allows any one member of ``metadata``, and its path in the answer
    is unescaped (``metadata.a.b`` for ``metadata.a\.b``).

    Raises:
        InvalidInput: paths that are unknown or have no value; every one is listed.
    """
    issues: list[Issue] = []
    if not mask:
        issues.append(Issue(path="updateMask", code="required", message="must name at least one path"))
    found: dict[str, Any] = {}
    for index, path in enumerate(mask):
        try:
            found[_unescaped(path)] = _flat_value(members, path, submitted)
        except _NoValue:
            issues.append(_no_value(index, path))
        except _UnknownPath:
            issues.append(_unknown(index, path, members))
    if issues:
        raise InvalidInput(issues)
    return found


def _flat_value(members: Collection[str], path: str, submitted: Any) -> Any:
    if path in members:
        return _dig(submitted, *path.split("."))
    head, dot, rest = path.partition(".")
    if not (dot and rest and f"{head}.*" in members):
        raise _UnknownPath
    inside = _dig(submitted, head)
    for name in (rest, _unescaped(rest)):
        if isinstance(inside, Mapping) and name in inside:
            return inside[name]
    raise _NoValue


def _no_value(index: int, path: str) -> Issue:
    message = f"{path!r} has no value in the request"
    return Issue(path=f"updateMask[{index}]", code="no-value", message=message, remedy="send a value, or drop the path")


def _unknown(index: int, path: str, allowed: Collection[str]) -> Issue:
    message = f"{path!r} cannot be updated"
    return Issue(
        path=f"updateMask[{index}]", code="unknown-path", message=message, remedy=f"allowed: {', '.join(allowed)}"
    )


def _unescaped(name: str) -> str:
    return _ESCAPED.sub(r"\1", name)


def _dig(data: Any, *steps: str) -> Any:
    for step in steps:
        if not isinstance(data, Mapping) or data.get(step) is None:
            raise _NoValue
        data = data[step]
    return data


def _apply(update: InstallationUpdate, content: dict[str, Any], path: str, submitted: Any) -> InstallationUpdate:
    """Apply one path to ``content`` in place, and note it in the update."""
    replace = msgspec.structs.replace
    if path == "connectionId":
        return replace(update, connection_id=_text(_dig(submitted, "connectionId"), "connectionId"))
    if path == "config.createdBy":
        return replace(update, created_by=_text(_dig(submitted, "config", "createdBy"), path))
    if path == "config.content.proxy.enabled":
        content["proxy"] = {**content.get("proxy", {}), "enabled": _dig(submitted, *path.split("."))}
        return replace(update, content=content)
    match = _MAP.fullmatch(path)
    if match is None:
        raise _UnknownPath
    action, rest = match[1], match[2]
    _apply_objects(action, rest, content, _dig(submitted, "config", "content", action, "objects"))
    return replace(update, content=content)


def _text(value: Any, path: str) -> str:
    if not isinstance(value, str) or not value:
        raise InvalidInput([Issue(path=f"installation.{path}", code="wrong-type", message="must be a string")])
    return value


def _apply_objects(action: str, rest: str | None, content: dict[str, Any], submitted: Any) -> None:
    section = content.setdefault(action, {})
    current = section.get("objects", {})
    if rest is None:
        keep = action == "write" and isinstance(submitted, Mapping)
        section["objects"] = {k: _carried(current.get(k), v) for k, v in submitted.items()} if keep else submitted
        return
    key, leaf = _resolve(action, rest, submitted)
    if leaf is None:
        new = _carried(current.get(key), submitted[key]) if action == "write" else submitted[key]
        section["objects"] = {**current, key: new}
        return
    if key not in current:
        raise _NoValue
    section["objects"] = {**current, key: {**current[key], leaf: submitted[key][leaf]}}


def _resolve(action: str, rest: str, submitted: Any) -> tuple[str, str | None]:
    """Find the object, and the member of it, that a path ends in: the longest name wins, a whole one before a part."""
    if not isinstance(submitted, Mapping):
        raise _NoValue
    found = max(_readings(rest, submitted), key=lambda reading: (len(reading[0]), reading[1] is None), default=None)
    if found is None:
        raise _NoValue
    key, leaf = found
    if leaf is not None:
        if leaf not in {field.encode_name for field in msgspec.structs.fields(_OBJECTS[action])} - {"objectName"}:
            raise _UnknownPath
        if not isinstance(submitted[key], Mapping) or leaf not in submitted[key]:
            raise _NoValue
    elif submitted[key] is None:
        raise _NoValue
    return key, leaf


def _readings(rest: str, submitted: Mapping[str, Any]) -> Iterator[tuple[str, str | None]]:
    for spelled in dict.fromkeys((rest, _unescaped(rest))):
        for key in submitted:
            if spelled == key:
                yield key, None
            elif spelled.startswith(f"{key}."):
                yield key, spelled[len(key) + 1 :]


def _carried(current: Any, new: Any) -> Any:
    """Carry our members of a write object over to the one that replaces it."""
    if not isinstance(new, Mapping) or not isinstance(current, Mapping):
        return new
    kept = {name: current[name] for name in _UNPUBLISHED if name in current and name not in new}
    carried = {**kept, **{k: v for k, v in new.items() if k not in _UNPUBLISHED or v not in (None, {}, [])}}
    settings, earlier = carried.get("selectedFieldSettings"), current.get("selectedFieldSettings")
    if isinstance(settings, Mapping) and isinstance(earlier, Mapping):
        carried["selectedFieldSettings"] = {n: _carried_default(earlier.get(n), s) for n, s in settings.items()}
    return carried


def _carried_default(current: Any, new: Any) -> Any:
    """Keep a default of a kind that a published client drops: such a client sends back an empty one."""
    if not isinstance(new, Mapping) or new.get("default") != {} or not isinstance(current, Mapping):
        return new
    default = current.get("default", {})
    return {**new, "default": default} if _UNPUBLISHED_DEFAULTS & set(default) else new
