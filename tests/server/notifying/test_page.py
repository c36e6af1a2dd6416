"""What ``docs/webhooks.md`` prints works."""

import re
from pathlib import Path
from typing import Any, get_args

import msgspec

from server.api.topics import NotificationType
from server.store.contract import EventType
from tests.server.house import open_house

PAGE = (Path(__file__).parents[3] / "docs" / "webhooks.md").read_text("utf-8")


def block(kind: str) -> str:
    (found,) = re.findall(rf"^```{kind}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    return str(found)


async def test_a_destination_is_set_up_and_verified_as_printed() -> None:
    async with open_house() as house:

        async def call(path: str, kind: str, **names: str) -> Any:
            text = block(f"json {kind}")
            for name, value in names.items():
                text = text.replace(name, value)
            answer = await house.call("POST", path, json=msgspec.json.decode(text))
            assert answer.is_success, answer.text
            return answer.json()

        made = await call("/destinations", "destination")
        topic = await call("/topics", "topic")
        await call("/notification-event-topic-routes", "event-route", TOPIC=topic["id"])
        route = await call("/topic-destination-routes", "destination-route", TOPIC=topic["id"])
        assert route["destinationId"] == made["id"]
        assert await call("/destinations/my-backend/deliveries:replay", "replay") == {"count": 0, "dryRun": True}
        shown = await house.call("GET", "/destinations/my-backend?includeSecrets=true")
        names: dict[str, Any] = {}
        exec(block("python"), names)  # noqa: S102 -- the page of this repository
        assert names["Webhook"](shown.json()["secrets"]["webhookSigningKey"])


def test_every_type_that_happens_can_be_routed_and_is_on_the_page() -> None:
    assert set(get_args(EventType)) <= set(get_args(NotificationType))
    for kind in get_args(EventType):
        noun, _, verb = kind.partition(".")
        assert f"`{kind}`" in PAGE or (f"`{noun}." in PAGE and f"`.{verb}`" in PAGE), kind
