"""What we emit keeps the published shape, and what is published comes through us unharmed."""

from typing import Any

import msgspec
import pytest

from installations.config import ConfigContent
from installations.install import build_config
from installations.manifest import IntegrationSpec, Manifest
from installations.shape import decode
from tests.conftest import Published

CONFIG: dict[str, Any] = {
    "provider": "hubspot",
    "read": {
        "objects": {
            "contacts": {
                "objectName": "contacts",
                "schedule": "0 * * * *",
                "destination": "webhook",
                "disabled": True,
                "selectedFields": {"email": True},
                "selectedFieldMappings": {"phone": "$['a']['b']"},
                "selectedFieldsAuto": "all",
                "selectedValueMappings": {"stage": {"open": "1"}},
                "dynamicMappingsInput": [
                    {
                        "mapToName": "country",
                        "mapToDisplayName": "Country",
                        "prompt": "?",
                        "fieldName": "country_c",
                        "mappedValues": [{"mappedValue": "be", "mappedDisplayValue": "Belgium"}],
                    }
                ],
                "backfill": {
                    "defaultPeriod": {"days": 5},
                    "fieldFilters": [{"fieldName": "a", "operator": "eq", "value": 1}],
                },
                "fieldFilters": [{"fieldName": "a", "operator": "eq", "value": None}],
            }
        }
    },
    "write": {
        "objects": {
            "contacts": {
                "objectName": "contacts",
                "selectedFieldSettings": {
                    "a": {"default": {"stringValue": ""}, "writeOnCreate": "always", "writeOnUpdate": "ifEmpty"},
                    "b": {"default": {"integerValue": 0}},
                    "c": {"default": {"booleanValue": False}},
                },
                "selectedValueDefaults": {"d": {"value": False, "applyOnUpdate": "never"}, "e": {"value": "x"}},
                "deletionSettings": {"enabled": True},
            }
        }
    },
    "subscribe": {
        "objects": {
            "contacts": {
                "objectName": "contacts",
                "destination": "webhook",
                "inheritFieldsAndMappings": True,
                "createEvent": {"enabled": "always"},
                "updateEvent": {"enabled": "always", "requiredWatchFields": ["email"]},
                "deleteEvent": {"enabled": "never"},
                "otherEvents": ["object.merged"],
                "providerOptions": {"quotaOptimization": {"enabled": True}},
            }
        }
    },
    "proxy": {"enabled": True},
}

MANIFEST: dict[str, Any] = {
    "specVersion": "1.0.0",
    "integrations": [
        {
            "name": "acme",
            "provider": "hubspot",
            "displayName": "Acme",
            "module": "crm",
            "read": {
                "objects": [
                    {
                        "objectName": "contacts",
                        "destination": "webhook",
                        "schedule": "0 * * * *",
                        "mapToName": "people",
                        "mapToDisplayName": "People",
                        "requiredFields": [
                            {"fieldName": "email"},
                            {"mapToName": "phone", "prompt": "?", "default": "p"},
                        ],
                        "optionalFields": [{"fieldName": "a", "mapToName": "b", "mapToDisplayName": "B"}],
                        "optionalFieldsAuto": "all",
                        "backfill": {"defaultPeriod": {"days": 0}},
                        "delivery": {"mode": "onRequest", "pageSize": 100},
                        "enabled": "always",
                    }
                ]
            },
            "write": {
                "objects": [
                    {"objectName": "contacts", "inheritMapping": True, "valueDefaults": {"allowAnyFields": True}}
                ]
            },
            "subscribe": {
                "objects": [
                    {
                        "objectName": "contacts",
                        "destination": "webhook",
                        "inheritFieldsAndMapping": True,
                        "createEvent": {"enabled": "always"},
                        "updateEvent": {"enabled": "always", "watchFieldsAuto": "all"},
                        "deleteEvent": {"enabled": "always"},
                        "associationChangeEvent": {"enabled": "always", "includeFullRecords": True},
                        "otherEvents": ["x"],
                    }
                ]
            },
            "proxy": {"enabled": True, "useModule": True},
            "watchSchema": {
                "destination": "webhook",
                "schedule": "0 */6 * * *",
                "allObjects": {
                    "fieldCreated": {"enabled": "always"},
                    "fieldDeleted": {"enabled": "always"},
                    "fieldChanged": {"enabled": "always"},
                },
            },
        }
    ],
}
SPEC = IntegrationSpec(name="acme", provider="hubspot")


def encoded(value: Any) -> Any:
    return msgspec.json.decode(msgspec.json.encode(value))


def test_every_published_member_of_a_config_comes_back_as_it_was() -> None:
    assert encoded(decode(CONFIG, ConfigContent, unknown="refuse")) == CONFIG
    assert encoded(build_config(SPEC, CONFIG)) == CONFIG


def test_every_published_member_of_a_manifest_comes_back_as_it_was() -> None:
    assert encoded(decode(MANIFEST, Manifest, unknown="refuse")) == MANIFEST


@pytest.mark.parametrize(
    "submitted",
    [
        CONFIG,
        {},
        {"read": {"objects": {"contacts": {}}}},
        {"proxy": {}},
        {"write": {"objects": {"contacts": {"selectedValueDefaults": {"a": "bare", "b": 5, "c": True}}}}},
        {"write": {"objects": {"contacts": {"selectedFieldSettings": {"a": {"default": {"floatValue": 1.5}}}}}}},
    ],
)
def test_configs_keep_the_published_schema(published: Published, submitted: Any) -> None:
    spec = decode(MANIFEST["integrations"][0], IntegrationSpec)
    content = encoded(build_config(spec, submitted))
    assert published.errors("config", "ConfigContent", content) == []
    for action, name in (("read", "ReadConfig"), ("write", "WriteConfig"), ("subscribe", "SubscribeConfig")):
        if action in content:
            assert published.errors("config", name, content[action]) == []


def test_manifests_keep_the_published_schema(published: Published) -> None:
    assert published.errors("manifest", "Manifest", encoded(decode(MANIFEST, Manifest))) == []


def members_of(published: Published, document: str, schema: dict[str, Any]) -> set[str]:
    found = set(schema.get("properties", {}))
    for part in schema.get("allOf", []):
        found |= members_of(published, document, part)
    return found


@pytest.mark.parametrize(
    ("document", "schema", "sample"),
    [
        ("config", "ReadConfigObject", CONFIG["read"]["objects"]["contacts"]),
        ("config", "WriteConfigObject", CONFIG["write"]["objects"]["contacts"]),
        ("config", "SubscribeConfigObject", CONFIG["subscribe"]["objects"]["contacts"]),
        ("manifest", "Integration", MANIFEST["integrations"][0]),
        ("manifest", "IntegrationObject", MANIFEST["integrations"][0]["read"]["objects"][0]),
        ("manifest", "IntegrationWriteObject", MANIFEST["integrations"][0]["write"]["objects"][0]),
        ("manifest", "IntegrationSubscribeObject", MANIFEST["integrations"][0]["subscribe"]["objects"][0]),
        ("manifest", "WatchSchema", MANIFEST["integrations"][0]["watchSchema"]),
    ],
)
def test_the_samples_hold_every_published_member(
    published: Published, document: str, schema: str, sample: dict[str, Any]
) -> None:
    assert set(sample) == members_of(published, document, published(document)["components"]["schemas"][schema])
