"""A revision, filled in: what the embedded UI gets to choose from."""

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from installations.amp_manifest import parse_manifest
from installations.capabilities import Capabilities, ProviderFacts
from installations.hydration import Described, hydrate, objects_of
from installations.installation import Revision
from installations.schema import Absent, Choice, FieldMetadata, ObjectMetadata
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
          mapToName: chance
          fieldMappings:
            - {fieldName: STAGE, mapToName: state}
            - {mapToName: worth, prompt: Which field holds the worth?}
          fieldSettings: {state: {default: {stringValue: open}, writeOnUpdate: never}}
          upsertKeys: [state]
          removeUnmappedFields: true
        - objectName: notes
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
    "deals": ObjectMetadata(name="deals", fields={"stage": STAGE}),
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


def test_an_object_that_the_account_does_not_have_says_so_in_an_answer() -> None:
    """The sentence is of a kind of text that no encoder knows."""
    account = {**ACCOUNT, "notes": Absent("There is no object notes.")}
    answer = msgspec.json.decode(msgspec.json.encode(hydrate(revision(), account, detail=True)))
    assert answer["content"]["read"]["objects"][1]["error"] == "There is no object notes."


def test_what_may_be_written_is_named_and_subscriptions_stay_out(hydrated: Any) -> None:
    content = hydrated["content"]
    assert content["write"]["objects"] == [
        {"objectName": "contacts", "displayName": "Contacts"},
        {"objectName": "deals", "displayName": "deals", "valueDefaults": {"allowAnyFields": True}},
        {"objectName": "notes", "displayName": "notes"},
    ]
    assert set(content) == {"name", "provider", "displayName", "read", "write", "proxy"}


@pytest.fixture
def detailed() -> Any:
    can = {"sandbox": ProviderFacts(name="sandbox", support=Capabilities(write=True, delete=True))}
    return msgspec.to_builtins(hydrate(revision(), ACCOUNT, detail=True, provider=can["sandbox"]))["content"]


def test_detail_says_all_that_a_page_needs_to_offer_an_object_for_writing(detailed: Any) -> None:
    contacts, deals, notes = detailed["write"]["objects"]
    nothing = {"fieldMappings": (), "fieldSettings": {}, "upsertKeys": (), "removeUnmappedFields": False}
    assert contacts == {
        "objectName": "contacts",
        "displayName": "Contacts",
        "inheritMapping": True,
        "mapToName": "person",
        **nothing,
        "canDelete": True,
    }
    assert deals.pop("allFieldsMetadata")["stage"]["displayName"] == "Stage"
    assert deals == {
        "objectName": "deals",
        "displayName": "deals",
        "valueDefaults": {"allowAnyFields": True},
        "inheritMapping": False,
        "mapToName": "chance",
        "fieldMappings": (
            {"fieldName": "STAGE", "displayName": "Stage", "mapToName": "state"},
            {"mapToName": "worth", "prompt": "Which field holds the worth?"},
        ),
        "fieldSettings": {"state": {"default": {"stringValue": "open"}, "writeOnUpdate": "never"}},
        "upsertKeys": ("state",),
        "removeUnmappedFields": True,
        "canDelete": True,
    }
    assert notes == {
        "objectName": "notes",
        "displayName": "notes",
        "inheritMapping": False,
        "canDelete": True,
        **nothing,
        "error": "The key may not read notes.",
    }


def test_detail_leaves_out_the_list_that_repeats_the_metadata(detailed: Any) -> None:
    contacts = detailed["read"]["objects"][0]
    assert "allFields" not in contacts
    assert list(contacts["allFieldsMetadata"]) == ["email", "stage"]


def test_without_a_provider_nothing_is_said_about_deleting() -> None:
    content = msgspec.to_builtins(hydrate(revision(), ACCOUNT, detail=True))["content"]
    assert "canDelete" not in content["write"]["objects"][0]
