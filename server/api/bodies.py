"""Reads request bodies and update masks: what is malformed is told apart from what is understood but not allowed."""

from collections.abc import Sequence
from typing import Annotated, Any, TypeVar

import msgspec
from msgspec import UNSET, Meta

from installations.errors import InvalidInput, Issue, invalid
from installations.shape import parse_json

T = TypeVar("T")

Name = Annotated[str, Meta(min_length=1, max_length=255)]
"""A name or reference that somebody chose."""
Text = Annotated[str, Meta(min_length=1, max_length=10_000)]
"""A secret or another longer text."""
UpdateMask = Annotated[list[str], Meta(min_length=1, max_length=100)]


class Malformed(InvalidInput):
    """The body or the mask cannot be understood, whatever the state of things here."""


def parse_body(body: bytes, kind: type[T]) -> T:
    """Decode a JSON body. Raises `Malformed` with every issue; unknown members are ignored."""
    try:
        return parse_json(body, kind)
    except InvalidInput as error:
        raise Malformed(error.issues) from error


def masked(resource: msgspec.Struct, mask: Sequence[str], *, name: str) -> dict[str, Any]:
    """Answer the members of ``resource`` that ``mask`` names, by attribute name; the others are ignored.

    Raises `Malformed` for a path that does not exist and for a path without a value. ``name`` is the resource's name
    in the body.
    """
    attributes = {field.encode_name: field.name for field in msgspec.structs.fields(resource)}
    issues = [issue for path in mask if (issue := _mask_issue(resource, path, attributes, name=name))]
    if issues:
        raise Malformed(issues)
    return {attributes[path]: getattr(resource, attributes[path]) for path in mask}


def _mask_issue(resource: msgspec.Struct, path: str, attributes: dict[str, str], *, name: str) -> Issue | None:
    if path not in attributes:
        remedy = f"Allowed paths: {', '.join(sorted(attributes))}."
        return Issue(path="updateMask", message=f"{path!r} cannot be updated", code="unknown-path", remedy=remedy)
    if getattr(resource, attributes[path]) is UNSET:
        return Issue(path=f"{name}.{path}", message="the mask names it, but it has no value", code="required")
    return None


def required(path: str, message: str) -> InvalidInput:
    """Build the error for something that is understood to be missing."""
    return invalid(path, message, code="required")
