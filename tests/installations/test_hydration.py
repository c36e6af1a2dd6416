"""A revision, filled in: what the embedded UI gets to choose from."""

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from installations.amp_manifest import parse_manifest
from installations.capabilities import Capabilities, ProviderFacts
from installations.hydration import Described, hydrate, objects_of
from installations.installation import Revision
from installations.schema import Choice, FieldMetadata, ObjectMetadata
from tests.conftest import Published

MANIFEST = """
specVersion: 1.0.0
integrations:
  - name: crm
    provider: sandbox
    displayName: Our CRM
    read:
      objects:
        - objectName: contacts
          mapToName: person
          destination: inbox
          schedule: "0 * * * *"
          requiredFields:
            - fieldName: EMAIL
              mapToName: emailAddress
            - fieldName: $['home_address']['city']
          optionalFields:
            - mapToName: nickname
              prompt: Which field holds the nickname?
              default: nick
            - fieldName: unheard_of
          optionalFieldsAuto: all
          backfill: {defaultPeriod: {days: 30}}
        - objectName: notes
    write:
      objects:
        - objectName: contacts
          inheritMapping: true
        - objectName: deals
          valueDefaults: {allowAnyFields: true}
    subscribe:
      objects:
        - objectName: contacts
          destination: inbox
          inheritFieldsAndMapping: true
          createEvent: {enabled: always}
    proxy: {enabled: true}
"""
ALL = Capabilities(read=True, write=True, subscribe=True, proxy=True)
PROVIDERS = {"sandbox": ProviderFacts(name="sandbox", support=ALL)}
EMAIL = FieldMetadata(field_name="email", display_name="E-mail", value_type="string", is_required=True)
STAGE = FieldMetadata(
    field_name="stage",
    display_name="Stage",
    value_type="singleSelect",
    values=(Choice(value="won", display_value="Won"),),
)
ACCOUNT: Described = {
    "contacts": ObjectMetadata(name="contacts", display_name="Contacts", fields={"email": EMAIL, "stage": STAGE}),
    "notes": "The key may not read notes.",
    "deals": ObjectMetadata(name="deals", fields={}),
}


def revision() -> Revision:
    (spec,) = parse_manifest(MANIFEST, providers=PROVIDERS)[0].integrations
    return Revision(id="r1", spec_version="1.0.0", create_time=datetime(2026, 11, 22, tzinfo=UTC), content=spec)


@pytest.fixture
def hydrated() -> Any:
    return msgspec.json.decode(msgspec.json.encode(hydrate(revision(), ACCOUNT)))


def test_each_object_is_asked_for_once() -> None:
    assert objects_of(revision().content) == ("contacts", "notes", "deals")


def test_it_fits_the_published_shape(hydrated: Any, published: Published) -> None:
    assert published.errors("api.bundled", "HydratedRevision", hydrated) == []


def test_fields_carry_the_words_of_the_account(hydrated: Any) -> None:
    contacts = hydrated["content"]["read"]["objects"][0]
    assert (contacts["displayName"], contacts["mapToName"]) == ("Contacts", "person")
    assert contacts["requiredFields"] == [
        {"fieldName": "EMAIL", "displayName": "E-mail", "mapToName": "emailAddress"},
        {"fieldName": "$['home_address']['city']", "displayName": "Home Address City"},
    ]
    assert contacts["allFieldsMetadata"]["stage"]["values"] == [{"value": "won", "displayValue": "Won"}]


def test_all_optional_fields_are_those_of_the_account(hydrated: Any) -> None:
    contacts = hydrated["content"]["read"]["objects"][0]
    assert contacts["optionalFields"] == [
        {"mapToName": "nickname", "prompt": "Which field holds the nickname?", "default": "nick"},
        {"fieldName": "unheard_of", "displayName": "unheard_of"},
        {"fieldName": "stage", "displayName": "Stage"},
    ]
    assert contacts["allFields"] == [
        {"fieldName": "email", "displayName": "E-mail"},
        {"fieldName": "stage", "displayName": "Stage"},
    ]


def test_an_object_that_cannot_be_described_says_so_and_the_rest_is_whole(hydrated: Any) -> None:
    assert hydrated["content"]["read"]["objects"][1] == {
        "objectName": "notes",
        "displayName": "notes",
        "destination": "",
        "schedule": "",
        "requiredFields": [],
        "optionalFields": [],
        "allFields": [],
        "error": "The key may not read notes.",
    }


def test_what_may_be_written_is_named_and_subscriptions_stay_out(hydrated: Any) -> None:
    content = hydrated["content"]
    assert content["write"]["objects"] == [
        {"objectName": "contacts", "displayName": "Contacts"},
        {"objectName": "deals", "displayName": "deals", "valueDefaults": {"allowAnyFields": True}},
    ]
    assert set(content) == {"name", "provider", "displayName", "read", "write", "proxy"}
