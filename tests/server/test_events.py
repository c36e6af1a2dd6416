"""Events of connections have the published shape."""

import json
from datetime import UTC, datetime
from typing import get_args

import pytest

from installations.installation import Connection, Consumer, Group
from server.events import connection_event
from server.store.contract import EventType
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


@pytest.mark.parametrize("kind", get_args(EventType))
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
