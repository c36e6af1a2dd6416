"""Reads request bodies and masked changes: what is malformed is told apart from what is understood but not allowed."""

from typing import Annotated, Any, TypeVar

import msgspec
from msgspec import Meta

from installations.errors import InvalidInput
from installations.mask import masked
from installations.shape import decode, parse_json
from installations.slips import slips_in

T = TypeVar("T")

Name = Annotated[str, Meta(min_length=1, max_length=255)]
"""A name or reference that somebody chose."""
Text = Annotated[str, Meta(min_length=1, max_length=10_000)]
"""A secret or another longer text."""
UpdateMask = Annotated[list[str], Meta(min_length=1, max_length=100)]


class Malformed(InvalidInput):
    """The body or the mask cannot be understood, whatever the state of things here."""


class Masked(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Any masked change."""

    update_mask: UpdateMask
    resource: dict[str, Any]


def parse_body(body: bytes, kind: type[T]) -> T:
    """Decode a JSON body. Raises `Malformed` with every issue; unknown members are ignored unless one is a slip."""
    try:
        return parse_json(body, kind, slips="refuse")
    except InvalidInput as error:
        raise Malformed(error.issues) from error


def parse_strictly(body: bytes, kind: type[T]) -> T:
    """Decode the JSON body of an act that cannot be taken back. Raises `Malformed` also for unknown members.

    A misspelt filter that was ignored would mean everything, and a misspelt ``dryRun`` would mean it.
    """
    try:
        return decode(parse_json(body, dict[str, Any]), kind, unknown="refuse")
    except InvalidInput as error:
        raise Malformed(error.issues) from error


def parse_masked(body: bytes, kind: type[msgspec.Struct]) -> dict[str, Any]:
    """Decode a masked change and answer the new values by attribute name; what the mask does not name is ignored.

    ``kind`` has the member ``update_mask`` and one other: the resource, all of whose members may be changed.
    Raises `Malformed` with every issue.
    """
    try:
        return _picked(parse_json(body, dict[str, Any]), kind)
    except InvalidInput as error:
        raise Malformed(error.issues) from error


def _picked(data: dict[str, Any], kind: type[msgspec.Struct]) -> dict[str, Any]:
    resource = next(field for field in msgspec.structs.fields(kind) if field.name != "update_mask")
    if issues := slips_in(dict.fromkeys(data), kind):
        raise InvalidInput(issues)
    attributes = {field.encode_name: field.name for field in msgspec.structs.fields(resource.type)}
    envelope = decode({**data, "resource": data.get(resource.encode_name)}, Masked)
    picked = masked(sorted(attributes), envelope.update_mask, envelope.resource)
    if issues := slips_in(picked, resource.type, path=resource.encode_name):
        raise InvalidInput(issues)
    value = decode(picked, resource.type, path=resource.encode_name)
    return {attributes[path]: getattr(value, attributes[path]) for path in picked}
