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


async def made_odd(context: BrowserContext, name: str) -> str:
    """Change what the server answers from now on; where it does."""
    address, path, value = ODD[name]

    async def odd(route: Route) -> None:
        answer = await route.fetch()
        await route.fulfill(response=answer, json=changed(await answer.json(), path, value))

    await context.route(address, odd)
    return address


@pytest.mark.parametrize("name", ODD)
async def test_an_answer_that_cannot_be_shown_is_told_and_asked_for_again(
    place: ElementStage, context: BrowserContext, name: str
) -> None:
    await place.install(CONTENT)
    address = await made_odd(context, name)
    shown: Shown = await place.show(context)
    await expect(shown.element.get_by_role("alert").first).to_be_visible()
    # A review may still be on its way. Its answer takes nothing away.
    await shown.page.wait_for_function("() => !document.querySelector('isthmus-install').installer.state.reviewing")
    await expect(shown.element.get_by_role("alert").first).to_be_visible()
    await context.unroute(address)
    await shown.button("Try again").click()
    await expect(shown.element.get_by_role("switch").first).to_be_visible()
    assert await shown.violations() == []


async def test_what_cannot_be_drawn_stays_so_until_it_is_asked_for_again(
    place: ElementStage, context: BrowserContext
) -> None:
    """Whatever the installer goes on to tell."""
    await place.install(CONTENT)
    address = await made_odd(context, "a field that is none")
    shown = await place.show(context)
    await shown.shows("This integration could not be loaded")
    rule = "draft.writeObject('contacts').setFieldSettings({fieldName: 'phone', settings: {writeOnUpdate: 'never'}})"
    for act in (rule, "review()", "draft.reset()"):
        await shown.element.evaluate(f"async e => {{ await e.installer.{act}; await e.updateComplete; }}")
        await expect(shown.button("Try again")).to_be_visible()
        await expect(shown.element.get_by_role("switch")).to_have_count(0)
    await context.unroute(address)
    await shown.button("Try again").click()
    await expect(shown.element.get_by_role("switch").first).to_be_visible()
