"""Answers that no server of ours gives, as a proxy on the way might: the element says so, and can be asked again."""

from typing import Any

import pytest
from playwright.async_api import BrowserContext, Route, expect

from tests.browser.element.stage import ElementStage, Shown

pytestmark = pytest.mark.asyncio(loop_scope="session")

MAPPED = {"objectName": "contacts", "selectedFieldMappings": {"stage": "lifecycleStage"}}
CONTENT = {"provider": "sandbox", "read": {"objects": {"contacts": MAPPED}}, "write": {"objects": {"contacts": {}}}}
ODD: dict[str, tuple[str, list[Any], Any]] = {
    "no list": ("**/installations?*", [], {}),
    "another revision": ("**/integrations/sandbox", ["latestRevision"], [None]),
    "no objects": ("**/installations?*", [0, "config", "content", "read", "objects"], None),
    "mappings that are no list": ("**/*:hydrate?*", ["content", "write", "objects", 1, "fieldMappings"], {}),
    "a field that is none": (
        "**/*:hydrate?*",
        ["content", "read", "objects", 0, "allFieldsMetadata", "lifecycleStage", "values", 0],
        None,
    ),
    "a preview of nothing": ("**/*:preview", [], []),
}


def changed(answer: Any, path: list[Any], value: Any) -> Any:
    if not path:
        return value
    inner = answer
    for name in path[:-1]:
        inner = inner[name]
    inner[path[-1]] = value
    return answer


@pytest.mark.parametrize("name", ODD)
async def test_an_answer_that_cannot_be_shown_is_told_and_asked_for_again(
    place: ElementStage, context: BrowserContext, name: str
) -> None:
    address, path, value = ODD[name]
    await place.install(CONTENT)

    async def odd(route: Route) -> None:
        answer = await route.fetch()
        await route.fulfill(response=answer, json=changed(await answer.json(), path, value))

    await context.route(address, odd)
    shown: Shown = await place.show(context)
    await expect(shown.element.get_by_role("alert").first).to_be_visible()
    # A review may still be on its way. Its answer is shown as well, and what cannot be drawn is asked for once more.
    await shown.page.wait_for_function("() => !document.querySelector('isthmus-install').installer.state.reviewing")
    await expect(shown.element.get_by_role("alert").first).to_be_visible()
    await context.unroute(address)
    await shown.button("Try again").click()
    await expect(shown.element.get_by_role("switch").first).to_be_visible()
    assert await shown.violations() == []
