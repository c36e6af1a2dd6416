"""Manifests for tests: a full one, the providers it may name, and integrations with one thing in them."""

from typing import Any

from installations.amp_manifest import parse_manifest
from installations.capabilities import Capabilities, ProviderFacts
from installations.errors import Issue

ALL = Capabilities(read=True, write=True, delete=True, subscribe=True, proxy=True)
PROVIDERS = {
    "hubspot": ProviderFacts(name="hubspot", support=ALL, modules={"crm": Capabilities(read=True, write=True)}),
    "salesforce": ProviderFacts(name="salesforce", support=ALL),
    "google": ProviderFacts(name="google", support=Capabilities(), modules={"calendar": Capabilities(read=True)}),
    "snowflake": ProviderFacts(name="snowflake", support=ALL),
    "mute": ProviderFacts(name="mute", support=Capabilities(proxy=True)),
}

FULL = """\
specVersion: 1.0.0
integrations:
  - name: acmeHubspot
    provider: hubspot
    displayName: Acme HubSpot
    read:
      objects:
        - objectName: contacts
          destination: webhook
          schedule: "*/10 * * * *"
          mapToName: people
          mapToDisplayName: People
          requiredFields:
            - fieldName: email
            - fieldName: $['address']['city']
              mapToName: city
            - mapToName: score
              mapToDisplayName: Score
              prompt: Which field is the score?
          optionalFields:
            - mapToName: notes
              default: hs_notes
          optionalFieldsAuto: all
          backfill:
            defaultPeriod: {days: 30}
          delivery: {mode: onRequest, pageSize: 100}
        - objectName: search only
    write:
      objects:
        - objectName: contacts
          inheritMapping: true
          valueDefaults: {allowAnyFields: true}
          fieldMappings:
            - mapToName: internalNote
              fieldName: note_c
          fieldSettings:
            source: {default: {stringValue: web}, writeOnUpdate: never}
          removeUnmappedFields: true
          upsertKeys: [email]
    subscribe:
      objects:
        - objectName: contacts
          destination: webhook
          inheritFieldsAndMapping: true
          createEvent: {enabled: always}
          updateEvent: {enabled: always, requiredWatchFields: [email]}
          associationChangeEvent: {enabled: always, includeFullRecords: true}
          otherEvents: [object.merged]
    proxy: {enabled: true, useModule: false}
    watchSchema:
      destination: webhook
      allObjects: {fieldCreated: {enabled: always}}
"""


def parse(text: str, destinations: set[str] | None = None) -> tuple[Any, tuple[Issue, ...]]:
    return parse_manifest(text, providers=PROVIDERS, destinations=destinations)


def one(**members: Any) -> dict[str, Any]:
    return {"name": "a", "provider": "hubspot", **members}


def reading(**members: Any) -> dict[str, Any]:
    return one(read={"objects": [{"objectName": "x", **members}]})


def writing(**members: Any) -> dict[str, Any]:
    return one(write={"objects": [{"objectName": "x", **members}]})


def watching(*, read: bool = True, **members: Any) -> dict[str, Any]:
    watched = {"objectName": "x", "destination": "d", "inheritFieldsAndMapping": True, **members}
    action = {"read": {"objects": [{"objectName": "x"}]}} if read else {}
    return one(**action, subscribe={"objects": [watched]})


ALWAYS = {"enabled": "always"}
READ = "integrations[0].read.objects"
WRITE = "integrations[0].write.objects"
SUBSCRIBE = "integrations[0].subscribe.objects"
PROXY = {"enabled": True}
