"""Events have the published shape."""

import json
from datetime import UTC, datetime
from typing import get_args

import pytest
from msgspec.structs import replace

from installations.config import ConfigContent, ReadConfig, ReadObjectConfig
from installations.installation import Config, Connection, Consumer, Group, Installation
from installations.operation import Operation, Reason, State
from installations.record import Fault, Outcome, RecordOutcome
from server.events import (
    CONFIG_LIMIT,
    connection_event,
    disabled_event,
    installation_change,
    installation_event,
    operation_event,
)
from server.store.contract import Destination, EventType
from tests.conftest import Published

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
CONNECTION = Connection(
    id="c1",
    project_id="p1",
    provider="hubspot",
    group=Group(group_ref="acme", group_name="Acme Inc.", project_id="p1", create_time=NOW),
    consumer=Consumer(consumer_ref="jo", consumer_name="Jo", project_id="p1", create_time=NOW),
    auth_scheme="apiKey",
    status="working",
    create_time=NOW,
)


@pytest.mark.parametrize("kind", [kind for kind in get_args(EventType) if kind.startswith("connection.")])
def test_the_data_of_an_event_is_as_published(kind: EventType, published: Published) -> None:
    event = connection_event(kind, CONNECTION, event_id="e1", now=NOW, errors=("the token was revoked",))

    schema = "ConnectionErrorData" if kind == "connection.error" else "ConnectionData"
    assert published.errors("notifications", schema, json.loads(event.data)) == []
    assert (event.id, event.project_id, event.type, event.create_time) == ("e1", "p1", kind, NOW)


def test_errors_are_repeated_under_their_old_name() -> None:
    event = connection_event("connection.error", CONNECTION, event_id="e1", now=NOW, errors=("revoked",))

    assert json.loads(event.data) == {
        "projectId": "p1",
        "connectionId": "c1",
        "provider": "hubspot",
        "groupRef": "acme",
        "consumerRef": "jo",
        "consumerName": "Jo",
        "errors": ["revoked"],
        "error": ["revoked"],
    }


def test_only_an_error_has_errors_and_none_names_the_group() -> None:
    event = connection_event("connection.updated", CONNECTION, event_id="e1", now=NOW)

    assert json.loads(event.data).keys().isdisjoint({"errors", "error", "groupName"})


INSTALLATION = Installation(
    id="i1",
    project_id="p1",
    integration_id="crm",
    group=CONNECTION.group,
    connection=CONNECTION,
    create_time=NOW,
    created_by="api",
    config=Config(
        id="g1", revision_id="r1", create_time=NOW, created_by="api", content=ConfigContent(provider="hubspot")
    ),
)
WRITTEN = RecordOutcome(success=True, record_id="7")
REFUSED = RecordOutcome(success=False, fault=Fault(kind="invalid", message="no such property"))
REFUSAL = "error writing contacts: bad request: no such property"


def operation(state: State = "success", *, reason: Reason = "", ids: tuple[str, ...] = ()) -> Operation:
    return Operation(
        id="o1",
        project_id="p1",
        integration_id="crm",
        installation_id="i1",
        config_id="g1",
        group_ref="acme",
        object_name="contacts",
        action="create",
        mode="asynchronous",
        state=state,
        reason=reason,
        payload=b"",
        summary="[contacts] It is over",
        successful_record_ids=ids,
        connection_id="c1",
        run_at=NOW,
        deadline_at=NOW,
        create_time=NOW,
        update_time=NOW,
    )


@pytest.mark.parametrize(
    ("over", "records", "told"),
    [
        (operation(), (WRITTEN,), {"success": True, "successfulRecordIds": ["7"]}),
        (operation("failure"), (REFUSED,), {"success": False, "errors": [REFUSAL]}),
        (operation(), (WRITTEN, REFUSED), {"success": False, "successfulRecordIds": ["7"], "errors": [REFUSAL]}),
        (operation("failure"), (REFUSED, REFUSED), {"success": False, "errors": [REFUSAL]}),
        (operation("failure", reason="deadline"), None, {"success": False, "errors": ["[contacts] It is over"]}),
        (operation(reason="found", ids=("9",)), (REFUSED,), {"success": True, "successfulRecordIds": ["9"]}),
        (operation(reason="resolved"), None, {"success": True}),
    ],
)
def test_the_end_of_an_asynchronous_write_is_told(
    over: Operation, records: tuple[RecordOutcome, ...] | None, told: dict[str, object], published: Published
) -> None:
    outcome = None if records is None else Outcome(records=records)

    event = operation_event(over, outcome, installation=INSTALLATION, integration_name="CRM", event_id="e1", now=NOW)

    data = json.loads(event.data)
    assert published.errors("notifications", "WriteAsyncDoneData", data) == []
    assert (event.type, event.project_id) == ("write.async.done", "p1")
    assert data == told | {
        "projectId": "p1",
        "provider": "hubspot",
        "integrationId": "crm",
        "integrationName": "CRM",
        "installationId": "i1",
        "connectionId": "c1",
        "groupRef": "acme",
        "groupName": "Acme Inc.",
        "consumerRef": "jo",
        "consumerName": "Jo",
        "objectName": "contacts",
        "operationId": "o1",
    }


@pytest.mark.parametrize(
    ("records", "told"),
    [
        (None, {"errors": ["[contacts] It is over"]}),
        ((), {"errors": ["[contacts] It is over"]}),
        ((WRITTEN, REFUSED), {"successfulRecordIds": ["7"], "errors": [REFUSAL]}),
    ],
)
def test_that_nobody_knows_of_a_write_is_told_with_its_reason(
    records: tuple[RecordOutcome, ...] | None, told: dict[str, object]
) -> None:
    outcome = None if records is None else Outcome(records=records)
    over = operation("unknown", reason="ambiguous")

    event = operation_event(over, outcome, installation=INSTALLATION, integration_name="CRM", event_id="e1", now=NOW)

    data = json.loads(event.data)
    assert event.type == "write.async.unknown"
    assert (data["operationId"], data["reason"], data["success"]) == ("o1", "ambiguous", False)
    assert {name: data[name] for name in ("successfulRecordIds", "errors") if name in data} == told


def test_of_an_installation_that_is_gone_is_told_what_the_operation_knows(published: Published) -> None:
    event = operation_event(
        operation("failure", reason="gone"), None, installation=None, integration_name="CRM", event_id="e1", now=NOW
    )

    data = json.loads(event.data)
    assert published.errors("notifications", "WriteAsyncDoneData", data) == []
    assert (data["groupRef"], data["groupName"], data["connectionId"]) == ("acme", "acme", "c1")
    assert (data["provider"], data["consumerRef"], data["consumerName"]) == ("", "", "")


def with_config(content: ConfigContent) -> Installation:
    return replace(INSTALLATION, config=replace(INSTALLATION.config, content=content))


LARGE = ConfigContent(
    provider="hubspot",
    read=ReadConfig(
        objects={"contacts": ReadObjectConfig(object_name="contacts", selected_fields={"x" * CONFIG_LIMIT: True})}
    ),
)


@pytest.mark.parametrize("kind", ["installation.created", "installation.deleted"])
def test_an_installation_that_comes_or_goes_is_told_with_its_config(kind: EventType, published: Published) -> None:
    event = installation_event(kind, INSTALLATION, integration_name="CRM", event_id="e1", now=NOW)

    schema = {"installation.created": "InstallationCreatedData", "installation.deleted": "InstallationDeletedData"}[
        kind
    ]
    data = json.loads(event.data)
    assert published.errors("notifications", schema, data) == []
    assert (event.type, data["config"], data["integrationName"]) == (kind, {"provider": "hubspot"}, "CRM")


def test_a_change_is_told_with_the_config_of_before(published: Published) -> None:
    after = with_config(ConfigContent(provider="hubspot", read=ReadConfig()))
    event = installation_change(integration_name="CRM", event_id="e1", now=NOW)(after, INSTALLATION)

    data = json.loads(event.data)
    assert published.errors("notifications", "InstallationUpdatedData", data) == []
    assert data["config"] == {"provider": "hubspot", "read": {"objects": {}}}
    assert data["lastConfig"] == {"provider": "hubspot"}


def test_a_config_that_is_too_large_says_so(published: Published) -> None:
    event = installation_change(integration_name="CRM", event_id="e1", now=NOW)(with_config(LARGE), INSTALLATION)

    data = json.loads(event.data)
    assert published.errors("notifications", "InstallationUpdatedData", data) == []
    assert data["config"]["bytes"] > CONFIG_LIMIT
    assert "Ask for the installation" in data["config"]["omitted"]
    assert len(event.data) < 1000


def test_a_webhook_that_is_disabled_is_told_as_published(published: Published) -> None:
    hook = Destination(id="d1", project_id="p1", name="hook", url="https://example.com/hook", create_time=NOW)
    event = disabled_event(hook, event_id="e1", now=NOW)

    assert published.errors("notifications", "DestinationWebhookDisabledData", json.loads(event.data)) == []
