"""The smallest update mask that makes one config into another: what a PATCH must name, and no more.

A path replaces its node, so every path too many may undo what somebody else changed meanwhile. `installations.mask`
is the other side: what a mask does to a config.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final, Literal

import msgspec
from msgspec import UNSET

from headless.meaning import plainest
from installations.config import (
    ConfigContent,
    ReadObjectConfig,
    SubscribeObjectConfig,
    WriteObjectConfig,
)
from installations.errors import InvalidInput, Issue
from installations.install import CONTENT_PATH
from installations.mask import apply_mask
from installations.shape import decode

Json = dict[str, Any]
Fineness = Literal["member", "object", "section"]

_FINENESS: Final[tuple[Fineness, ...]] = ("member", "object", "section")
_MOST_PATHS = 30
"""For each of the three sections; the API takes a hundred in all."""
_OBJECTS: Final[Mapping[str, type[msgspec.Struct]]] = {
    "read": ReadObjectConfig,
    "write": WriteObjectConfig,
    "subscribe": SubscribeObjectConfig,
}


def mask(before: ConfigContent, after: ConfigContent) -> tuple[tuple[str, ...], Json]:
    """Find the paths to replace and what to send for them: ``updateMask`` and ``installation.config.content``.

    Configs that mean the same need no path. What is sent leaves unsaid what would be so anyway.

    Raises:
        InvalidInput: no mask does it: the provider is another one, or what was said about writing shall be unsaid.
    """
    before, after = plainest(before), plainest(after)
    issues = list(_impossible(before, after))
    if issues:
        raise InvalidInput(issues)
    paths: list[str] = []
    content: Json = {}
    for action in _OBJECTS:
        found, objects = _section(action, before, after)
        paths += found
        if found:
            content[action] = {"objects": objects}
    if _is_proxied(before) != _is_proxied(after):
        paths.append(f"{CONTENT_PATH}.proxy.enabled")
        content["proxy"] = {"enabled": _is_proxied(after)}
    return tuple(paths), content


def _impossible(before: ConfigContent, after: ConfigContent) -> Iterator[Issue]:
    if before.provider != after.provider:
        message = f"is {before.provider!r} and cannot be changed"
        yield Issue(path=f"{CONTENT_PATH}.provider", code="cannot-change", message=message)
    if before.write is not UNSET and after.write is UNSET:
        yield Issue(
            path=f"{CONTENT_PATH}.write",
            code="cannot-change",
            message="what was said about writing cannot be unsaid",
            remedy="list every object to write",
        )


def _is_proxied(content: ConfigContent) -> bool:
    return bool(content.proxy and content.proxy.enabled)


def _section(action: str, before: ConfigContent, after: ConfigContent) -> tuple[list[str], Json]:
    """Choose the finest paths that do it: names may be such that a finer path would be read as another one."""
    old, new = _objects(before, action), _objects(after, action)
    if old == new and not (action == "write" and before.write is UNSET and after.write is not UNSET):
        return [], {}
    for fineness in _FINENESS:
        paths, objects = _masked(action, old, new, fineness)
        if fineness == "section" or (len(paths) <= _MOST_PATHS and _does_it(action, before, after, paths, objects)):
            break
    return paths, objects


def _objects(content: ConfigContent, action: str) -> Json:
    section = getattr(content, action)
    data: Json = msgspec.json.decode(msgspec.json.encode(section)) if section else {"objects": {}}
    objects: Json = data["objects"]
    return objects


def _masked(action: str, old: Json, new: Json, fineness: Fineness) -> tuple[list[str], Json]:
    root = f"{CONTENT_PATH}.{action}.objects"
    if fineness == "section":
        return [root], {name: _whole(old.get(name), each) for name, each in new.items()}
    paths: list[str] = []
    objects: Json = {}
    for name, each in new.items():
        if old.get(name) == each:
            continue
        if fineness == "member" and name in old:
            changed = list(_changed_members(action, old[name], each))
            paths += [f"{root}.{_escaped(name)}.{member}" for member in changed]
            objects[name] = {member: each.get(member) for member in changed}
        else:
            paths.append(f"{root}.{_escaped(name)}")
            objects[name] = _whole(old.get(name), each)
    return paths, objects


def _changed_members(action: str, old: Json, new: Json) -> Iterator[str]:
    for field in msgspec.structs.fields(_OBJECTS[action]):
        if old.get(field.encode_name) != new.get(field.encode_name):
            yield field.encode_name


def _whole(old: Json | None, new: Json) -> Json:
    """Say what shall be gone too: the server carries over what published clients do not know."""
    return {**dict.fromkeys(old or {}), **new}


def _escaped(name: str) -> str:
    return name.replace("\\", "\\\\").replace(".", "\\.")


def _does_it(action: str, before: ConfigContent, after: ConfigContent, paths: list[str], objects: Json) -> bool:
    """Ask the other side."""
    if not paths or (action == "write" and before.write is UNSET):
        return False
    try:
        update = apply_mask(before, paths, {"config": {"content": {action: {"objects": objects}}}})
        made = decode(update.content, ConfigContent)
    except InvalidInput:
        return False
    return _objects(plainest(made), action) == _objects(after, action)
