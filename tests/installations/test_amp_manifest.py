"""Manifests: what passes, what is refused and what is doubted, everything at once and each with its path and line."""

import json
from typing import Any

import msgspec
import pytest

from installations.amp_manifest import read_integration
from installations.errors import InvalidInput
from tests.installations.amp_manifest_cases import ALLOWED, DOUBTFUL, REFUSED, WHOLE
from tests.installations.amp_manifests import FULL, PROVIDERS, READ, WRITE, parse, reading


def test_a_full_manifest_passes_without_a_word() -> None:
    manifest, warnings = parse(FULL, {"webhook"})
    assert warnings == ()
    (integration,) = manifest.integrations
    assert integration.read_object("contacts").map_to_name == "people"
    assert integration.write_object("contacts").upsert_keys == ("email",)
    assert integration.watch_schema.schedule == "0 */24 * * *"


def test_the_same_manifest_may_be_json() -> None:
    manifest, _ = parse(FULL)
    text = msgspec.json.encode(manifest).decode()
    assert parse(text)[0] == manifest
    assert parse(json.dumps(json.loads(text), indent="\t"))[0] == manifest


def test_json_may_escape_characters_in_pairs() -> None:
    text = json.dumps(
        {"specVersion": "1.0.0", "integrations": [{"name": "😀", "provider": "mute", "proxy": {"enabled": True}}]}
    )
    assert parse(text)[0].integrations[0].name == "😀"
    with pytest.raises(InvalidInput) as refused:
        parse(text.replace('"name"', '"name": "x", "name"'))
    assert refused.value.issues[0].code == "duplicate-key"


def test_names_of_members_match_in_any_case() -> None:
    text = (
        FULL.replace("objectName", "ObjectName")
        .replace("inheritMapping", "INHERITMAPPING")
        .replace("provider:", "Provider:")
    )
    assert parse(text) == parse(FULL)


@pytest.mark.parametrize(("case", "integration", "path", "code"), REFUSED, ids=[case for case, *_ in REFUSED])
def test_what_is_impossible_is_refused(case: str, integration: Any, path: str, code: str) -> None:
    text = json.dumps({"specVersion": "1.0.0", "integrations": [integration]}, indent=1)
    with pytest.raises(InvalidInput) as refused:
        parse(text, {"d"})
    errors = [issue for issue in refused.value.issues if issue.severity == "error"]
    assert [(issue.path, issue.code) for issue in errors] == [(path, code)], case
    assert all(isinstance(issue.line, int) for issue in errors)


@pytest.mark.parametrize(("case", "integration", "path", "code"), DOUBTFUL, ids=[case for case, *_ in DOUBTFUL])
def test_what_is_doubtful_is_a_warning(case: str, integration: Any, path: str, code: str) -> None:
    _, warnings = parse(json.dumps({"specVersion": "1.0.0", "integrations": [integration]}, indent=1))
    assert [(issue.path, issue.code, issue.severity) for issue in warnings] == [(path, code, "warning")], case


@pytest.mark.parametrize(("case", "integration"), ALLOWED, ids=[case for case, _ in ALLOWED])
def test_what_guides_and_tools_do_is_allowed(case: str, integration: Any) -> None:
    assert parse(json.dumps({"specVersion": "1.0.0", "integrations": [integration]}))[1] == (), case


@pytest.mark.parametrize(("text", "path", "code"), WHOLE)
def test_the_whole_document_is_judged(text: str, path: str, code: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        parse(text)
    assert [(issue.path, issue.code) for issue in refused.value.issues] == [(path, code)]


def test_everything_comes_at_once_with_its_line() -> None:
    text = """\
specVersion: 1.0.0
integrations:
  - name: one
    provider: hubspot
    read:
      objects:
        - objectName: contacts
          schedul: "0 * * * *"
          schedule: "*/5 * * * *"
        - objectName: companies
          destination: 5
    write:
      objects:
        - objectName: contacts
          inheritMapping: yes
        - objectName: deals
          upsertKeys: [a, a]
  - name: one
    provider: nobody
    proxy: {enabled: true}
"""
    with pytest.raises(InvalidInput) as refused:
        parse(text)
    assert [(issue.line, issue.path, issue.code) for issue in refused.value.issues] == [
        (8, f"{READ}[0].schedul", "unknown-member"),
        (9, f"{READ}[0].schedule", "invalid-schedule"),
        (11, f"{READ}[1].destination", "wrong-type"),
        (15, f"{WRITE}[0].inheritMapping", "wrong-type"),
        (17, f"{WRITE}[1].upsertKeys[1]", "duplicate-name"),
        (18, "integrations[1].name", "duplicate-name"),
        (19, "integrations[1].provider", "unknown-provider"),
    ]


def test_one_integration_comes_as_data_too() -> None:
    spec, warnings = read_integration(reading(wat=1), path="latestRevision.content", providers=PROVIDERS)
    assert spec.name == "a"
    assert [issue.path for issue in warnings] == ["latestRevision.content.read.objects[0].wat"]
    with pytest.raises(InvalidInput) as refused:
        read_integration(reading(schedule="x"), path="latestRevision.content", providers=PROVIDERS)
    assert refused.value.issues[0].path == "latestRevision.content.read.objects[0].schedule"


def test_a_broken_object_hides_nothing_else() -> None:
    text = """\
specVersion: 1.0.0
integrations:
  - name: crm
    provider: hubspt
    write:
      objects:
        - objectName: contacts
        - objectName: contacts
          fieldSettings: {source: {writeOnUpdate: sometimes}}
        - objectName: deals
          upsertKeys: 7
    subscribe:
      objects:
        - objectName: contacts
          destination: 5
          createEvent: {enabled: always}
"""
    with pytest.raises(InvalidInput) as caught:
        parse(text)
    assert [(issue.line, issue.path, issue.code) for issue in caught.value.issues if issue.severity == "error"] == [
        (4, "integrations[0].provider", "unknown-provider"),
        (8, "integrations[0].write.objects[1].objectName", "duplicate-name"),
        (9, "integrations[0].write.objects[1].fieldSettings.source.writeOnUpdate", "not-allowed"),
        (11, "integrations[0].write.objects[2].upsertKeys", "wrong-type"),
        (15, "integrations[0].subscribe.objects[0].destination", "wrong-type"),
    ]


@pytest.mark.parametrize(
    "broken", [{"read": 5}, {"read": {"objects": 5}}, {"write": []}, {"proxy": "yes"}, {"name": 5}]
)
def test_what_is_left_out_is_not_complained_of(broken: dict[str, Any]) -> None:
    subscribe = {
        "objects": [
            {
                "objectName": "contacts",
                "destination": "d",
                "inheritFieldsAndMapping": True,
                "createEvent": {"enabled": "always"},
            }
        ]
    }
    integration = {
        **reading(objectName="contacts"),
        "write": {"objects": [{"objectName": "contacts", "inheritMapping": True}]},
        "subscribe": subscribe,
        **broken,
    }
    with pytest.raises(InvalidInput) as caught:
        parse(json.dumps({"specVersion": "1.0.0", "integrations": [integration]}))
    (member,) = broken
    assert {issue.path.split(".")[1] for issue in caught.value.issues} == {member}
