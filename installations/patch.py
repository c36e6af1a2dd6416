"""What a JSON Patch (RFC 6902) makes of one object's config: all of its changes, or none.

Only ``add``, ``remove`` and ``replace`` are published. The result is data: it is built and checked like any other
config before it counts.
"""

from typing import Annotated, Any, Literal

import jsonpatch
import msgspec
from jsonpointer import JsonPointerException
from msgspec import UNSET, Meta

from installations.config import ReadObjectConfig, SubscribeObjectConfig, WriteObjectConfig
from installations.errors import InvalidInput, Issue, invalid

Pointer = Annotated[str, Meta(max_length=1024)]


class ConfigChange(msgspec.Struct, frozen=True, kw_only=True):
    """One change. ``path`` is a JSON Pointer (RFC 6901) relative to the object's config."""

    op: Literal["add", "remove", "replace"]
    path: Pointer
    value: Any = UNSET


def apply_changes(
    current: ReadObjectConfig | WriteObjectConfig | SubscribeObjectConfig,
    changes: tuple[ConfigChange, ...],
    *,
    path: str = "changes",
) -> dict[str, Any]:
    """Apply changes one after the other and return the object's new config as data.

    Raises:
        InvalidInput: a change lacks its value or does not fit; nothing is changed then.
    """
    issues = [
        Issue(path=f"{path}[{index}].value", code="required", message=f"is required for {change.op}")
        for index, change in enumerate(changes)
        if change.op != "remove" and change.value is UNSET
    ]
    if issues:
        raise InvalidInput(issues)
    document = msgspec.json.decode(msgspec.json.encode(current))
    for index, change in enumerate(changes):
        document = _applied(document, change, f"{path}[{index}]")
    if not isinstance(document, dict):
        raise invalid(path, "leave no object behind", code="wrong-type")
    return document


def _applied(document: Any, change: ConfigChange, path: str) -> Any:
    """Apply one change. What comes after a failed one depends on it, so the first failure is the only one told."""
    try:
        return jsonpatch.JsonPatch([msgspec.to_builtins(change)]).apply(document)
    except (jsonpatch.JsonPatchException, JsonPointerException) as error:
        raise invalid(f"{path}.path", f"cannot {change.op} {change.path!r}: {error}", code="not-applicable") from error
