from typing import Any

import msgspec
import pytest

from installations.config import ConfigContent
from installations.errors import InvalidInput
from installations.install import build_config
from installations.manifest import IntegrationSpec
from installations.shape import decode

SPEC = decode(
    {
        "name": "acme",
        "provider": "hubspot",
        "read": {
            "objects": [
                {
                    "objectName": "contacts",
                    "destination": "webhook",
                    "schedule": "0 * * * *",
                    "backfill": {"defaultPeriod": {"days": 30}},
                    "requiredFields": [
                        {"fieldName": "email"},
                        {"fieldName": "hs_phone", "mapToName": "phone"},
                        {"mapToName": "score", "default": "hs_score"},
                        {"mapToName": "stage"},
                    ],
                    "optionalFields": [
                        {"fieldName": "fax"},
                        {"fieldName": "hs_city", "mapToName": "city"},
                        {"mapToName": "notes", "default": "hs_notes"},
                    ],
                },
                {"objectName": "companies"},
            ]
        },
        "write": {"objects": [{"objectName": "contacts", "inheritMapping": True}]},
        "subscribe": {
            "objects": [{"objectName": "contacts", "destination": "webhook", "inheritFieldsAndMapping": True}],
        },
        "proxy": {"enabled": True},
    },
    IntegrationSpec,
)
ALWAYS_ON = msgspec.structs.replace(
    SPEC,
    read=decode(
        {"objects": [{"objectName": "users", "enabled": "always", "requiredFields": [{"fieldName": "id"}]}]},
        type(SPEC.read),
    ),
)

FILLED = {
    "objectName": "contacts",
    "schedule": "0 * * * *",
    "destination": "webhook",
    "selectedFields": {"email": True, "hs_phone": True},
    "selectedFieldMappings": {"score": "hs_score"},
    "backfill": {"defaultPeriod": {"days": 30}},
}


def read(**members: Any) -> dict[str, Any]:
    return {"read": {"objects": {"contacts": members}}}


def built(submitted: Any, spec: IntegrationSpec = SPEC) -> Any:
    return msgspec.json.decode(msgspec.json.encode(build_config(spec, submitted)))


READS: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    (
        "nothing chosen at all: defaults are preselected",
        {},
        {"selectedFieldMappings": {"score": "hs_score", "notes": "hs_notes"}},
    ),
    ("no mapping chosen: optional defaults stay off", {"selectedFieldMappings": {}}, {}),
    (
        "choices stand",
        {"selectedFieldMappings": {"score": "mine", "stage": "s"}, "schedule": "0 0 * * *", "destination": "other"},
        {
            "selectedFieldMappings": {"score": "mine", "stage": "s"},
            "schedule": "0 0 * * *",
            "destination": "other",
        },
    ),
    (
        "what the manifest maps is no choice of the customer's, however often it is said",
        {
            "selectedFields": {"fax": True, "hs_city": True},
            "selectedFieldMappings": {"phone": "hs_phone", "city": "hs_city", "free": "x"},
        },
        {
            "selectedFields": {"fax": True, "hs_city": True, "email": True, "hs_phone": True},
            "selectedFieldMappings": {"score": "hs_score", "free": "x"},
        },
    ),
    (
        "nor where every field is read",
        {"selectedFieldsAuto": "all", "selectedFieldMappings": {"city": "hs_city"}},
        {"selectedFieldsAuto": "all"},
    ),
    (
        "but a field that is not read may be asked for by its mapping",
        {"selectedFieldMappings": {"city": "hs_city"}},
        {"selectedFieldMappings": {"score": "hs_score", "city": "hs_city"}},
    ),
    (
        "required fields cannot be deselected",
        {"selectedFields": {"email": False, "fax": False}, "selectedFieldMappings": {}},
        {"selectedFields": {"email": True, "hs_phone": True, "fax": False}},
    ),
    (
        "a backfill of one's own",
        {"backfill": {"defaultPeriod": {"fullHistory": True}}, "selectedFieldMappings": {}},
        {"backfill": {"defaultPeriod": {"fullHistory": True}}},
    ),
    (
        "null counts as absent",
        {"objectName": None, "schedule": None, "selectedFields": None, "selectedFieldMappings": {}},
        {},
    ),
]


@pytest.mark.parametrize(("case", "submitted", "expected"), READS, ids=[case for case, *_ in READS])
def test_a_read_object_is_filled_in_from_the_manifest(
    case: str, submitted: dict[str, Any], expected: dict[str, Any]
) -> None:
    assert built(read(**submitted))["read"]["objects"]["contacts"] == {**FILLED, **expected}, case


WHOLE: list[tuple[str, Any, dict[str, Any]]] = [
    ("nothing", {}, {"provider": "hubspot"}),
    (
        "proxy alone",
        {"provider": "hubspot", "proxy": {"enabled": True}},
        {"provider": "hubspot", "proxy": {"enabled": True}},
    ),
    ("write alone", {"read": {"objects": {}}}, {"provider": "hubspot", "read": {"objects": {}}}),
    ("read without objects", {"read": {}}, {"provider": "hubspot", "read": {"objects": {}}}),
    ("no write left", {"write": {"objects": {}}}, {"provider": "hubspot", "write": {"objects": {}}}),
    (
        "the manifest's spelling and destination of a subscription",
        {"subscribe": {"objects": {"contacts": {"inheritFieldsAndMapping": False}}}},
        {
            "provider": "hubspot",
            "subscribe": {
                "objects": {
                    "contacts": {"objectName": "contacts", "destination": "webhook", "inheritFieldsAndMappings": False}
                }
            },
        },
    ),
    (
        "inheriting as the manifest does",
        {"subscribe": {"objects": {"contacts": {}}}},
        {
            "provider": "hubspot",
            "subscribe": {
                "objects": {
                    "contacts": {"objectName": "contacts", "destination": "webhook", "inheritFieldsAndMappings": True}
                }
            },
        },
    ),
    (
        "old spellings of defaults",
        {
            "write": {
                "objects": {
                    "contacts": {
                        "selectedFieldSettings": {
                            "a": {"default": {"value": 0}},
                            "b": {"default": {"value": False}},
                            "c": {"default": {"value": ""}},
                            "d": {"default": {"value": 1.5}},
                            "e": {"default": {"value": ["x", 1]}},
                        },
                        "selectedValueDefaults": {"f": "bare", "g": {"value": 0, "applyOnUpdate": "never"}},
                    }
                }
            }
        },
        {
            "provider": "hubspot",
            "write": {
                "objects": {
                    "contacts": {
                        "objectName": "contacts",
                        "selectedFieldSettings": {
                            "a": {"default": {"integerValue": 0}},
                            "b": {"default": {"booleanValue": False}},
                            "c": {"default": {"stringValue": ""}},
                            "d": {"default": {"floatValue": 1.5}},
                            "e": {"default": {"listValue": ["x", 1]}},
                        },
                        "selectedValueDefaults": {"f": {"value": "bare"}, "g": {"value": 0, "applyOnUpdate": "never"}},
                    }
                }
            },
        },
    ),
]


@pytest.mark.parametrize(("case", "submitted", "expected"), WHOLE, ids=[case for case, *_ in WHOLE])
def test_a_config_becomes_what_is_read_back(case: str, submitted: Any, expected: dict[str, Any]) -> None:
    assert built(submitted) == expected, case


@pytest.mark.parametrize("submitted", [{}, {"proxy": {"enabled": True}}, {"read": {"objects": {}}}])
def test_an_object_that_is_always_on_is_on(submitted: Any) -> None:
    assert built(submitted, ALWAYS_ON)["read"]["objects"]["users"]["selectedFields"] == {"id": True}


@pytest.mark.parametrize("submitted", [content for _, content, _ in WHOLE] + [read(**each) for _, each, _ in READS])
def test_building_again_changes_nothing(submitted: Any) -> None:
    once = build_config(SPEC, submitted)
    assert build_config(SPEC, msgspec.to_builtins(once)) == once
    assert msgspec.json.decode(msgspec.json.encode(once), type=ConfigContent) == once


SHAPES: list[tuple[Any, set[str]]] = [
    (5, {"config.content"}),
    ({"read": {"objects": []}}, {"config.content.read.objects"}),
    ({"write": {"objects": {"a": 5}}}, {"config.content.write.objects.a"}),
    (
        {"write": {"objects": {"a": {"selectedFieldSettings": {"f": {"writeOnUpdate": "ifempty", "default": "x"}}}}}},
        {
            "config.content.write.objects.a.selectedFieldSettings.f.writeOnUpdate",
            "config.content.write.objects.a.selectedFieldSettings.f.default",
        },
    ),
]


@pytest.mark.parametrize(("submitted", "paths"), SHAPES)
def test_another_shape_is_refused_with_every_path(submitted: Any, paths: set[str]) -> None:
    with pytest.raises(InvalidInput) as refused:
        build_config(SPEC, submitted)
    assert {issue.path for issue in refused.value.issues} == paths
