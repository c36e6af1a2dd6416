"""An account with every kind of field, a manifest for it, and what a review finds in a config under both."""

from typing import Any

import msgspec

from installations.errors import Issue
from installations.install import build_config
from installations.manifest import IntegrationSpec
from installations.review import review
from installations.schema import ObjectMetadata

Json = dict[str, Any]
READ = "config.content.read.objects.contacts"
WRITE = "config.content.write.objects.contacts"


def field(name: str, **members: Any) -> Json:
    return {"fieldName": name, "displayName": name.title(), **members}


def choices(*values: str) -> list[Json]:
    return [{"value": value, "displayValue": value.title()} for value in values]


FIELDS: list[Json] = [
    field("name", valueType="string"),
    field("email", valueType="string", displayName="E-mail Address"),
    field("vip", valueType="boolean"),
    field("stage", valueType="singleSelect", values=choices("lead", "won")),
    field("mood", valueType="singleSelect", values=choices("glad"), anyValue=True),
    field("owner_kind", valueType="singleSelect"),
    field("tags", valueType="multiSelect", values=choices("red", "green")),
    field("born", valueType="date"),
    field("met", valueType="datetime"),
    field("visits", valueType="int"),
    field("score", valueType="float"),
    field("owner", valueType="reference", referenceTo=["users"]),
    field("blob", valueType="other"),
    field("untyped"),
    field("created", valueType="datetime", readOnly=True),
    field("address", valueType="other"),
    field("$['address']['city']", valueType="string"),
    field("$['address']['geo']", valueType="other"),
]
NEEDED = field("last_name", valueType="string", isRequired=True)


def account(*more: Json, fields: list[Json] | None = None, name: str = "contacts") -> dict[str, ObjectMetadata | str]:
    """Describe one object."""
    listed = [*(FIELDS if fields is None else fields), *more]
    described = {"name": name, "displayName": name.title(), "fields": {each["fieldName"]: each for each in listed}}
    return {name: msgspec.convert(described, ObjectMetadata)}


def integration(read: Json | None = None, write: Json | None = None, **members: Any) -> IntegrationSpec:
    """Declare one object, to read and to write."""
    spec: Json = {"name": "crm", "provider": "sandbox", **members}
    if read is not None:
        spec["read"] = {"objects": [{"objectName": "contacts", **read}]}
    if write is not None:
        spec["write"] = {"objects": [{"objectName": "contacts", **write}]}
    return msgspec.convert(spec, IntegrationSpec)


def chosen(read: Json | None = None, write: Json | None = None) -> Json:
    """Choose for that object."""
    content: Json = {}
    if read is not None:
        content["read"] = {"objects": {"contacts": read}}
    if write is not None:
        content["write"] = {"objects": {"contacts": write}}
    return content


def issues(spec: IntegrationSpec, submitted: Json, described: Any = None, **how: Any) -> list[Issue]:
    """Review what a client would send."""
    live = account() if described is None else described
    return review(spec, build_config(spec, submitted), live, **how)


def short(found: list[Issue]) -> list[tuple[str, str, str]]:
    """Tell severity, code and place; the place without what is the same everywhere."""
    return [(each.severity, each.code, each.path.removeprefix("config.content.")) for each in found]


def settings(**named: Any) -> dict[str, Any]:
    return {"write": {"selectedFieldSettings": named}}


def default(**value: Any) -> dict[str, Any]:
    return {"default": value}


TEXT = default(stringValue="x")
NEVER = {"writeOnCreate": "never", "writeOnUpdate": "never"}
