"""Destinations, topics and routes as published, and what is ours beside them."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from msgspec.structs import replace
from standardwebhooks import Webhook

from server.clock import new_id
from server.store.contract import DestinationRoute, EventRoute, Topic, Tried
from tests.conftest import Published
from tests.server.house import House, open_house
from tests.server.notifying.receivers import receiving

URL = "https://hooks.example.com/isthmus"
WEBHOOK = {"name": "main-hook", "type": "webhook", "metadata": {"url": URL}}


@pytest.fixture
async def house() -> AsyncIterator[House]:
    async with open_house() as made:
        yield made


async def made(house: House, **changes: Any) -> Any:
    answer = await house.call("POST", "/destinations", json={**WEBHOOK, **changes})
    assert answer.status_code == 201, answer.text
    return answer.json()


async def test_a_destination_lives_as_published(house: House, published: Published) -> None:
    created = await made(house, metadata={"url": URL, "headers": {"Authorization": "Bearer 1234"}}, secrets={})
    assert published.errors("api.bundled", "Destination", created) == []
    assert created["metadata"] == {"url": URL, "headers": {"Authorization": "Bearer 1234"}}
    for name in (created["id"], "main-hook"):
        found = await house.call("GET", f"/destinations/{name}")
        assert found.json() == created
    assert (await house.call("GET", "/destinations")).json() == [created]
    assert (await house.call("DELETE", "/destinations/main-hook")).status_code == 204
    assert (await house.call("GET", "/destinations/main-hook")).status_code == 404


async def test_the_signing_key_is_shown_to_who_asks_and_rotates(house: House, published: Published) -> None:
    await made(house)
    path = "/destinations/main-hook"
    assert "secrets" not in (await house.call("GET", path)).json()
    shown = (await house.call("GET", path + "?includeSecrets=true")).json()
    assert published.errors("api.bundled", "DestinationWithSecrets", shown) == []
    key = shown["secrets"]["webhookSigningKey"]
    assert key.startswith("whsec_")
    Webhook(key)
    turned = await house.call("GET", path + "?includeSecrets=true&rotate=true")
    newer = turned.json()["secrets"]["webhookSigningKey"]
    assert newer != key
    assert "secrets" not in (await house.call("GET", path + "?rotate=true")).json()
    shown = (await house.call("GET", path + "?includeSecrets=true")).json()
    assert shown["secrets"]["webhookSigningKey"] not in {key, newer}


CHANGES = [
    (["name"], {"name": "other"}, {"name": "other"}),
    (["metadata.url"], {"metadata": {"url": URL + "2"}}, {"metadata": {"url": URL + "2", "headers": {"A": "b"}}}),
    (["metadata.headers"], {"metadata": {"headers": {"C": "d"}}}, {"metadata": {"url": URL, "headers": {"C": "d"}}}),
    (["metadata.headers"], {"metadata": {"headers": None}}, {"metadata": {"url": URL}}),
    (["metadata"], {"metadata": {"url": URL + "2"}}, {"metadata": {"url": URL + "2"}}),
    (["metadata", "type"], {"metadata": {"url": URL}, "type": "webhook"}, {"metadata": {"url": URL}}),
    (["name"], {"name": "other", "metadata": {"url": "nonsense"}}, {"name": "other"}),
]


@pytest.mark.parametrize(("mask", "submitted", "changed"), CHANGES)
async def test_a_mask_names_what_changes(
    house: House, published: Published, mask: list[str], submitted: Any, changed: Any
) -> None:
    before = await made(house, metadata={"url": URL, "headers": {"A": "b"}})
    body = {"updateMask": mask, "destination": submitted}
    answer = await house.call("PATCH", f"/destinations/{before['id']}", json=body)
    assert answer.status_code == 200, answer.text
    assert published.errors("api.bundled", "Destination", answer.json()) == []
    assert answer.json() == {**before, **changed, "updateTime": answer.json()["updateTime"]}


REFUSALS: list[tuple[dict[str, Any], int, list[str]]] = [
    ({"name": "a b"}, 422, ["name"]),
    ({"name": ""}, 422, ["name"]),
    ({"type": "kinesis"}, 422, ["type"]),
    ({"metadata": {"url": "http://hooks.example.com"}}, 422, ["metadata.url"]),
    ({"metadata": {"url": "https://10.0.0.1/x"}}, 422, ["metadata.url"]),
    ({"metadata": {"url": "https://u:p@example.com/x"}}, 422, ["metadata.url"]),
    ({"metadata": {"url": "ftp://example.com"}}, 422, ["metadata.url"]),
    ({"metadata": {"url": "https://[/"}}, 422, ["metadata.url"]),
    ({"metadata": {"url": "https://example.com/" + "x" * 3000}}, 422, ["metadata.url"]),
    ({"metadata": {"url": URL, "headers": {"Host": "x"}}}, 422, ["metadata.headers.Host"]),
    ({"metadata": {"url": URL, "headers": {"svix-id": "x"}}}, 422, ["metadata.headers.svix-id"]),
    ({"metadata": {"url": URL, "headers": {"X": "a\nb"}}}, 422, ["metadata.headers.X"]),
    ({"name": "a b", "type": "s3", "metadata": {"url": "nope"}}, 422, ["name", "type", "metadata.url"]),
    ({"metadata": {}}, 400, ["metadata.url"]),
    ({"metadata": {"url": URL, "headers": {"X": 1}}}, 400, ["metadata.headers.X"]),
    ({"name": 1}, 400, ["name"]),
]


@pytest.mark.parametrize(("changes", "status", "names"), REFUSALS)
async def test_everything_wrong_with_a_destination_is_named(
    changes: dict[str, Any], status: int, names: list[str]
) -> None:
    async with open_house(allowed_networks=()) as house:
        answer = await house.call("POST", "/destinations", json={**WEBHOOK, **changes})
        assert answer.status_code == status, answer.text
        assert [issue["name"] for issue in answer.json()["issues"]] == names
        assert (await house.call("GET", "/destinations")).json() == []


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"updateMask": ["metadata.region"], "destination": {"metadata": {"region": "eu"}}}, 400),
        ({"updateMask": ["secrets.password"], "destination": {"secrets": {"password": "x"}}}, 400),
        ({"updateMask": ["metadata.url"], "destination": {}}, 400),
        ({"updateMask": [], "destination": {}}, 400),
        ({"updateMask": ["metadata.url"], "destination": {"metadata": {"url": "x"}}}, 422),
        ({"updateMask": ["type"], "destination": {"type": "s3"}}, 422),
        ({"updateMask": ["name"], "destination": {"name": "taken"}}, 422),
    ],
)
async def test_a_change_that_cannot_be_changes_nothing(house: House, body: Any, status: int) -> None:
    before = await made(house)
    await made(house, name="taken")
    answer = await house.call("PATCH", "/destinations/main-hook", json=body)
    assert answer.status_code == status, answer.text
    assert (await house.call("GET", "/destinations/main-hook")).json() == before


async def test_a_name_is_given_once(house: House) -> None:
    await made(house)
    assert (await house.call("POST", "/destinations", json=WEBHOOK)).status_code == 422


async def test_topics_and_routes_live_as_published(house: House, published: Published) -> None:
    destination = await made(house)
    topic = (await house.call("POST", "/topics", json={"name": "system-alerts"})).json()
    assert published.errors("api.bundled", "Topic", topic) == []
    assert (await house.call("POST", "/topics", json={"name": "system-alerts"})).status_code == 409
    for name in ("", "a b", "x" * 65):
        assert (await house.call("POST", "/topics", json={"name": name})).status_code == 422
    renamed = await house.call("PATCH", f"/topics/{topic['id']}", json={"name": "alerts"})
    assert published.errors("api.bundled", "Topic", renamed.json()) == []
    assert (await house.call("GET", "/topics")).json() == [renamed.json()]

    wanted = {"eventType": "installation.created", "topicId": topic["id"]}
    first = await house.call("POST", "/notification-event-topic-routes", json=wanted)
    assert first.status_code == 201
    assert published.errors("api.bundled", "NotificationEventTopicRoute", first.json()) == []
    assert (await house.call("POST", "/notification-event-topic-routes", json=wanted)).json() == first.json()
    onward = {"topicId": topic["id"], "destinationId": destination["id"]}
    second = await house.call("POST", "/topic-destination-routes", json=onward)
    assert second.status_code == 201
    assert published.errors("api.bundled", "TopicDestinationRoute", second.json()) == []

    for path, query, route in (
        ("/notification-event-topic-routes", f"topicId={topic['id']}&eventType=installation.created", first.json()),
        ("/topic-destination-routes", f"topicId={topic['id']}&destinationId={destination['id']}", second.json()),
    ):
        assert (await house.call("GET", f"{path}?{query}")).json() == [route]
        assert (await house.call("GET", f"{path}?topicId=other")).json() == []
        assert (await house.call("DELETE", f"{path}/{route['id']}")).status_code == 204
        assert (await house.call("DELETE", f"{path}/{route['id']}")).status_code == 404
        assert (await house.call("GET", path)).json() == []
    assert (await house.call("DELETE", f"/topics/{topic['id']}")).status_code == 204
    assert (await house.call("DELETE", f"/topics/{topic['id']}")).status_code == 404


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/notification-event-topic-routes", {"eventType": "installation.created", "topicId": "none"}, 404),
        ("/notification-event-topic-routes", {"eventType": "installation.exploded", "topicId": "none"}, 400),
        ("/topic-destination-routes", {"topicId": "none", "destinationId": "main-hook"}, 404),
        ("/topic-destination-routes", {"topicId": "none", "destinationId": "none"}, 404),
    ],
)
async def test_a_route_to_nowhere_is_refused(house: House, path: str, body: Any, status: int) -> None:
    await made(house)
    assert (await house.call("POST", path, json=body)).status_code == status


async def test_a_test_message_tells_what_the_receiver_answered(house: House) -> None:
    async with receiving() as receiver:
        await made(house, metadata={"url": receiver.url})
        answer = (await house.call("POST", "/destinations/main-hook:test")).json()
        assert answer == {"delivered": True, "messageId": receiver.received[0].message_id, "status": 200}
        shown = (await house.call("GET", "/destinations/main-hook?includeSecrets=true")).json()
        key, (got,) = shown["secrets"]["webhookSigningKey"], receiver.received
        assert Webhook(key).verify(got.body, got.headers)["notificationType"] == "destination.test"
        receiver.answer = lambda _: 500
        answer = (await house.call("POST", "/destinations/main-hook:test")).json()
        assert (answer["delivered"], answer["status"], answer["error"]) == (False, 500, "the receiver answered 500")


async def test_deliveries_are_listed_filtered_and_replayed(house: House) -> None:
    """What is delivered, and how, is tested in ``test_delivering.py``; here the office is asked over HTTP."""
    destination = await made(house)
    topic = (await house.call("POST", "/topics", json={"name": "t"})).json()["id"]
    for kind in ("connection.created", "connection.deleted"):
        route = {"eventType": kind, "topicId": topic}
        assert (await house.call("POST", "/notification-event-topic-routes", json=route)).status_code == 201
    onward = {"topicId": topic, "destinationId": "main-hook"}
    assert (await house.call("POST", "/topic-destination-routes", json=onward)).status_code == 201
    for group in ("g1", "g2"):
        connection = await house.connect(group)
    assert (await house.call("DELETE", f"/connections/{connection['id']}")).status_code == 204
    store, now = house.services.store, house.services.clock()
    await store.fan_out(house.project_id, now=now, limit=100)
    path = "/destinations/main-hook/deliveries"
    page = (await house.call("GET", path)).json()
    # Sorted: ids of one millisecond have no order.
    assert sorted(one["eventType"] for one in page["results"]) == [*["connection.created"] * 2, "connection.deleted"]
    assert {one["state"] for one in page["results"]} == {"pending"}
    page = (await house.call("GET", path + "?pageSize=2")).json()
    assert (len(page["results"]), page["pagination"]["done"]) == (2, False)
    page = (await house.call("GET", f"{path}?pageSize=2&pageToken={page['pagination']['nextPageToken']}")).json()
    assert (len(page["results"]), page["pagination"]) == (1, {"done": True})
    page = (await house.call("GET", path + "?eventType=connection.deleted&state=pending")).json()
    assert len(page["results"]) == 1
    assert (await house.call("GET", path + "?state=lost")).status_code == 400
    assert (await house.call("GET", path + "?createTimeFrom=2026-01-01T00:00:00")).status_code == 400
    later = (await house.call("GET", path + "?createTimeFrom=2036-01-01T00:00:00Z")).json()
    assert later["results"] == []

    claimed = await store.claim_deliveries(
        house.project_id, destination["id"], owner="me", now=now, until=now, limit=10
    )
    await store.settle_deliveries([_failed(one, now) for one in claimed])
    (deleted,) = (await house.call("GET", path + "?eventType=connection.deleted")).json()["results"]
    assert (deleted["state"], deleted["lastStatus"], deleted["lastError"]) == ("failed", 500, "no")
    count = await house.call("POST", path + ":replay", json={"states": ["failed"], "dryRun": True})
    assert count.json() == {"count": 3, "dryRun": True}
    bad: list[Any] = [{}, {"dryRun": True}, {"state": "failed"}, {"states": []}, {"states": ["lost"]}, {"ids": []}]
    for body in bad:
        assert (await house.call("POST", path + ":replay", json=body)).status_code == 400
    again = await house.call("POST", path + ":replay", json={"ids": [deleted["id"]]})
    assert again.json() == {"count": 1, "dryRun": False}
    (deleted,) = (await house.call("GET", path + "?eventType=connection.deleted")).json()["results"]
    assert (deleted["state"], deleted["attempts"]) == ("pending", 0)


async def test_what_is_disabled_is_enabled_by_a_call_or_by_a_new_url(house: House) -> None:
    destination = await made(house)
    store, now = house.services.store, house.services.clock()
    path = f"/destinations/{destination['id']}"
    for enabling in (
        ("POST", path + ":enable", None),
        ("PATCH", path, {"updateMask": ["metadata.url"], "destination": {"metadata": {"url": URL}}}),
    ):
        await _disable(house, destination["id"])
        assert (await house.call("GET", path)).json()["disabled"] == "gone"
        refused = await house.call("POST", path + "/deliveries:replay", json={"states": ["failed"]})
        assert refused.status_code == 422
        method, where, body = enabling
        answer = await house.call(method, where, json=body)
        assert answer.status_code == 200, answer.text
        assert "disabled" not in answer.json()
    assert await store.fan_out(house.project_id, now=now, limit=1) >= 0


def _failed(delivery: Any, now: Any) -> Any:
    return Tried(delivery=delivery, state="failed", now=now, run_at=now, status=500, error="no")


async def _disable(house: House, destination_id: str) -> None:
    """Let a receiver be gone."""
    store, now, project = house.services.store, house.services.clock(), house.project_id
    topic = Topic(id=new_id(), name=new_id(), project_id=project, create_time=now)
    await store.create_topic(topic)
    route = EventRoute(
        id=new_id(), event_type="connection.created", topic_id=topic.id, project_id=project, create_time=now
    )
    await store.create_event_route(route)
    await store.create_destination_route(
        DestinationRoute(
            id=new_id(), topic_id=topic.id, destination_id=destination_id, project_id=project, create_time=now
        )
    )
    await house.connect(new_id())
    await store.fan_out(project, now=now, limit=100)
    claimed = await store.claim_deliveries(project, destination_id, owner="me", now=now, until=now, limit=10)
    await store.settle_deliveries([replace(_failed(one, now), disable="gone") for one in claimed])
