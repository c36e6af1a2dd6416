"""HubSpot's properties and schemas as the published metadata."""

from typing import Any

import httpx
import pytest
from msgspec import UNSET

from connectors.connector import Account
from connectors.errors import Refused, Unreadable
from connectors.hubspot.crm import HubSpot
from connectors.transport import rehearse
from installations.schema import Choice, FieldMetadata

ACCOUNT = Account(base_url="https://api.hubapi.com")


def described(*properties: dict[str, Any], name: str = "contacts", schema: httpx.Response | None = None) -> Any:
    answers = [httpx.Response(200, json={"results": list(properties)}), *([schema] if schema else [])]
    return rehearse(HubSpot().describe(ACCOUNT, name), *answers)


TYPES: tuple[tuple[str, str, dict[str, Any], str], ...] = (
    ("string", "text", {}, "string"),
    ("phone_number", "phonenumber", {}, "string"),
    ("number", "number", {}, "float"),
    ("bool", "booleancheckbox", {}, "boolean"),
    ("enumeration", "booleancheckbox", {}, "boolean"),
    ("enumeration", "select", {}, "singleSelect"),
    ("enumeration", "radio", {}, "singleSelect"),
    ("enumeration", "checkbox", {}, "multiSelect"),
    ("date", "date", {}, "date"),
    ("datetime", "date", {}, "datetime"),
    ("enumeration", "select", {"referencedObjectType": "OWNER", "externalOptions": True}, "reference"),
    ("json", "text", {}, "other"),
)


@pytest.mark.parametrize(("type_", "field_type", "more", "expected"), TYPES)
def test_types_are_the_published_ones(type_: str, field_type: str, more: dict[str, Any], expected: str) -> None:
    _, result = described({"name": "x", "type": type_, "fieldType": field_type, **more})
    assert (result.fields["x"].value_type, result.fields["x"].provider_type) == (expected, type_)


def test_a_property_is_described_with_its_choices() -> None:
    options = [{"label": "Mint", "value": "mint", "hidden": False}, {"label": "Old", "value": "old", "hidden": True}]
    requests, result = described(
        {"name": "flavour", "label": "Flavour", "type": "enumeration", "fieldType": "radio", "options": options}
    )
    assert [str(request.url) for request in requests] == ["https://api.hubapi.com/crm/v3/properties/contacts"]
    assert (result.name, result.display_name) == ("contacts", UNSET)
    assert result.fields["flavour"] == FieldMetadata(
        field_name="flavour",
        display_name="Flavour",
        value_type="singleSelect",
        provider_type="enumeration",
        read_only=False,
        is_custom=True,
        values=(Choice(value="mint", display_value="Mint"), Choice(value="old", display_value="Old")),
    )


READ_ONLY: tuple[tuple[dict[str, Any], bool], ...] = (
    ({}, False),
    ({"calculated": True}, True),
    ({"modificationMetadata": {"readOnlyValue": True, "archivable": False}}, True),
    ({"modificationMetadata": {"readOnlyDefinition": True, "readOnlyValue": False}}, False),
)


@pytest.mark.parametrize(("more", "expected"), READ_ONLY)
def test_calculated_properties_and_those_marked_so_are_read_only(more: dict[str, Any], *, expected: bool) -> None:
    _, result = described({"name": "x", "type": "string", "hubspotDefined": True, **more})
    assert (result.fields["x"].read_only, result.fields["x"].is_custom) == (expected, False)


def test_choices_that_live_elsewhere_stay_unknown() -> None:
    _, result = described(
        {"name": "dealstage", "type": "enumeration", "fieldType": "radio", "externalOptions": True, "options": []}
    )
    assert result.fields["dealstage"].values is UNSET


@pytest.mark.parametrize("name", ["2-123", "p_cars", "p12345_cars"])
def test_a_custom_object_says_what_it_requires(name: str) -> None:
    schema = httpx.Response(200, json={"requiredProperties": ["model"], "labels": {"plural": "Cars"}})
    requests, result = described(
        {"name": "model", "type": "string"}, {"name": "vin", "type": "string"}, name=name, schema=schema
    )
    assert requests[1].url.path == f"/crm/v3/schemas/{name}"
    assert (result.display_name, result.fields["model"].is_required, result.fields["vin"].is_required) == (
        "Cars",
        True,
        False,
    )


@pytest.mark.parametrize("status", [403, 404])
def test_without_the_right_to_schemas_nothing_is_known_to_be_required(status: int) -> None:
    _, result = described({"name": "model", "type": "string"}, name="2-123", schema=httpx.Response(status))
    assert result.fields["model"].is_required is UNSET


REFUSALS: tuple[tuple[int, dict[str, Any], str], ...] = (
    (400, {"message": "Unable to infer object type from: widgets"}, "unknown_object"),
    (404, {"message": "resource not found"}, "unknown_object"),
    (404, {}, "not_found"),
    (401, {}, "auth"),
    (503, {}, "provider"),
)


@pytest.mark.parametrize(("status", "body", "kind"), REFUSALS)
def test_a_refusal_is_named(status: int, body: dict[str, Any], kind: str) -> None:
    _, error = rehearse(HubSpot().describe(ACCOUNT, "widgets"), httpx.Response(status, json=body))
    assert isinstance(error, Refused)
    assert error.fault.kind == kind


def test_metadata_of_another_shape_is_unreadable() -> None:
    _, error = rehearse(HubSpot().describe(ACCOUNT, "contacts"), httpx.Response(200, json={"results": [{"name": 7}]}))
    assert isinstance(error, Unreadable)
