"""More than a hundred payloads wherever a stranger has a say, in every phase of the element: all of them are text.

The product's page lets scripts run here and only reports what a strict policy would have stopped, so that whatever got
through would do what it came for, and be heard.
"""

import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Literal

import pytest
from msgspec.structs import replace
from playwright.async_api import BrowserContext, Page, Route

from connectors.provider import CustomInput, CustomOpts, InputOption
from connectors.sandbox.connector import SandboxConnector
from connectors.sandbox.data import SANDBOX
from tests.accounts import serve_account
from tests.browser.element.stage import ElementStage, Shown, open_element_stage
from tests.browser.payloads import PAYLOADS
from tests.browser.stage import GROUP
from tests.browser.test_payloads import Watch

pytestmark = pytest.mark.asyncio(loop_scope="session")

NAMES = tuple(payload for payload in PAYLOADS if payload.isprintable())
"""Manifests take no others."""
MARKS = dict.fromkeys(map(ord, "\u2068\u2069"))
"""They stand around names in sentences, so that a name turns nothing around it."""
KINDS: tuple[Literal["fieldTypeText", "fieldTypePassword", "fieldTypeSelect"], ...] = (
    "fieldTypeText",
    "fieldTypePassword",
    "fieldTypeSelect",
)
FORBIDDEN = (
    "script, img, image, iframe, frameset, base, meta, object, embed, svg, math, video, audio, marquee, link, style, "
    "xmp, listing, noscript, template, slot, title, isthmus-install, a[href^='java' i], a[href^='data' i]"
)
STRANGE = """
(forbidden) => [...document.querySelectorAll('isthmus-install')].flatMap(({ shadowRoot }) => [
  ...[...shadowRoot.querySelectorAll(forbidden)].map((each) => each.outerHTML),
  ...[...shadowRoot.querySelectorAll('*')].flatMap((each) =>
    [...each.attributes].filter(({ name }) => name.startsWith('on')).map(({ name }) => `${each.localName} ${name}`)),
])
"""
"""What no template of ours has: such elements, such links, and handlers in attributes."""
SHOW_ALL = """
async ({ script, common, each }) => {
  await import(script);
  const place = document.getElementById('place');
  place.replaceChildren(...each.map((attributes) => {
    const element = document.createElement('isthmus-install');
    for (const [name, value] of Object.entries({ ...common, ...attributes })) element.setAttribute(name, value);
    return element;
  }));
}
"""
READ_ALL = """
async (part) => {
  const found = [];
  for (const { shadowRoot } of document.querySelectorAll('isthmus-install')) {
    while (!shadowRoot?.querySelector(part)) await new Promise(requestAnimationFrame);
    const texts = (selector) => [...shadowRoot.querySelectorAll(selector)].map((each) => each.textContent);
    found.push({
      heading: texts('h2 bdi')[0],
      description: texts('[part=description]')[0],
      labels: texts('label'),
      said: texts('[part~=failed] *'),
    });
  }
  return found;
}
"""
OPEN_EACH = """
async (names) => {
  const element = document.querySelector('isthmus-install');
  const root = element.shadowRoot;
  const drawn = () => new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
  const wrong = [];
  element.installer.draft.apply(...names.map((objectName) => ({ edit: 'enableRead', objectName })));
  for (const name of names) {
    [...root.querySelectorAll('[role=tab]')].find((tab) => tab.dataset.object === name).click();
    await drawn();
    const texts = (selector) => [...root.querySelectorAll(selector)].map((each) => each.textContent);
    if (texts('isthmus-part-object h3')[0] !== name || !texts('.box bdi').includes(name)) wrong.push(name);
  }
  return wrong;
}
"""
SEARCH_EACH = """
async (names) => {
  const root = document.querySelector('isthmus-install').shadowRoot;
  const input = root.querySelector('.adder input');
  const wrong = [];
  for (const name of names) {
    input.value = name;
    input.dispatchEvent(new InputEvent('input', { bubbles: true }));
    await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
    if (![...root.querySelectorAll('[part~=option] bdi')].some((each) => each.textContent === name)) wrong.push(name);
  }
  return wrong;
}
"""
SET_EACH = """
(names) => {
  const draft = document.querySelector('isthmus-install').installer.draft.writeObject('object_1');
  for (const name of names) draft.setFieldSettings({ fieldName: name, settings: { default: { stringValue: name } } });
}
"""
SHOWN_TEXTS = """
(selector) => {
  const { shadowRoot } = document.querySelector('isthmus-install');
  return [...shadowRoot.querySelectorAll(selector)].map((each) => each.textContent);
}
"""


@asynccontextmanager
async def hostile_stage(context: BrowserContext, **options: Any) -> AsyncIterator[ElementStage]:
    """Set everything up; afterwards nothing has happened that payloads are for."""
    watch = Watch(context)
    async with open_element_stage(header="Content-Security-Policy-Report-Only", **options) as place:
        yield place
        for page in context.pages:
            assert await page.evaluate("window.hacked") is None
            assert await page.evaluate("Object.keys(Object.getPrototypeOf({}))") == []
            violations = await page.evaluate("window.violations")
            assert [each for each in violations if not each.endswith("/favicon.ico ")] == []
            assert await page.evaluate(STRANGE, FORBIDDEN) == []
            assert page.url.startswith(place.stage.product_url.rpartition("/")[0])
    assert watch.saw_nothing


def hostile_provider(number: int, payload: str) -> SandboxConnector:
    asked = CustomInput(
        name="input",
        display_name=payload,
        prompt=payload,
        docs_url=payload,
        field_type=KINDS[number % 3],
        options=(InputOption(value=payload, label=payload),),
    )
    custom = CustomOpts(inputs=(asked,))
    names = {"name": f"hostile{number}", "display_name": payload, "docs_url": payload}
    return SandboxConnector(replace(SANDBOX, auth_type="custom", custom_opts=custom, **names))


async def show_all(place: ElementStage, page: Page, each: list[dict[str, str]]) -> None:
    """Put as many elements into the product's page."""
    common = {"project": place.stage.house.project_id, "consumer-ref": "ann", "token": place.token()}
    given = {"script": f"{place.stage.origin}/ui/install.js", "common": common, "each": each}
    await page.evaluate(SHOW_ALL, given)


async def test_providers_groups_integrations_and_inputs_are_text(context: BrowserContext) -> None:
    further = [hostile_provider(number, payload) for number, payload in enumerate(PAYLOADS)]
    async with hostile_stage(context, further=further) as place:
        integrations = [
            {
                "name": f"i{number}",
                "displayName": payload,
                "provider": f"hostile{number}",
                "write": {"objects": [{"objectName": "contacts"}]},
            }
            for number, payload in enumerate(PAYLOADS)
        ]
        await place.stage.house.deploy(json.dumps({"specVersion": "1.0.0", "integrations": integrations}))
        page = await context.new_page()
        await page.goto(place.stage.product_url)
        each = [
            {"integration": f"i{number}", "group-ref": "acme-group", "group-name": payload, "consumer-name": payload}
            for number, payload in enumerate(PAYLOADS)
        ]
        await show_all(place, page, each)
        for payload, seen in zip(PAYLOADS, await page.evaluate(READ_ALL, "[part~=connect-button]"), strict=True):
            assert seen["heading"] == payload
            assert seen["description"].translate(MARKS) == f"The {payload} account of {payload}".translate(MARKS)
            assert seen["labels"] == [payload]
        await Shown(page=page).photograph("element-hostile")


async def test_what_servers_say_is_text(context: BrowserContext) -> None:
    async def refuse(route: Route) -> None:
        said = PAYLOADS[int(route.request.url.partition("/integrations/")[2].partition("/")[0])]
        problem = {"detail": said, "title": said, "issues": [{"name": said, "detail": said, "remedy": said}]}
        headers = {"Access-Control-Allow-Origin": "*", "Content-Type": "application/problem+json"}
        await route.fulfill(status=422, body=json.dumps(problem), headers=headers)

    async with hostile_stage(context) as place:
        page = await context.new_page()
        await page.goto(place.stage.product_url)
        await page.route(re.compile(r"/integrations/\d+"), refuse)
        each = [
            {"integration": str(number), "group-ref": GROUP, "theme": payload, "lang": payload, "dir": payload}
            for number, payload in enumerate(PAYLOADS)
        ]
        await show_all(place, page, each)
        for payload, seen in zip(PAYLOADS, await page.evaluate(READ_ALL, "[part~=failed]"), strict=True):
            # A sentence begins with a capital letter.
            assert any(payload[1:] in text for text in seen["said"]), payload


async def test_objects_fields_choices_and_values_are_text(context: BrowserContext) -> None:
    async with (
        serve_account(objects=1, fields=3, hostile=NAMES) as account,
        hostile_stage(context, account=account) as place,
    ):
        await place.stage.house.deploy(account.manifest("sandbox"))
        connection = await place.stage.connect(account.provider, apiKey=account.key)
        form = await place.show(context)
        await form.element.get_by_role("tab").nth(len(NAMES)).wait_for()
        assert await form.page.evaluate(OPEN_EACH, NAMES) == []

        await form.element.get_by_role("tab", name="Object 1").click()
        await form.button("Add a rule for another field").click()
        writable = [name for name, field in account.described["object_1"].fields.items() if not field.read_only]
        assert await form.page.evaluate(SEARCH_EACH, [name for name in writable if name in NAMES]) == []
        await form.page.evaluate(SET_EACH, NAMES)
        issues = await form.element.evaluate("e => e.installer.review()")
        more = form.element.locator("isthmus-part-rules").get_by_role("button", name="Show more")
        while await more.count():
            await more.click()
        assert {*NAMES} <= {*await form.page.evaluate(SHOWN_TEXTS, "[part~=rule-head] > span > bdi")}
        said = "\n".join(await form.page.evaluate(SHOWN_TEXTS, ".rule"))
        told = [issue["message"] for issue in issues if ".objects.object_1.selectedFieldSettings" in issue["path"]]
        assert len(told) > len(NAMES) / 2
        assert [message for message in told if message[1:] not in said] == []
        await form.photograph("form-hostile-issues")

        draft = "(e, edits) => { e.installer.draft.reset(); e.installer.draft.apply(...edits); }"
        await form.element.evaluate(draft, edits())
        await form.element.evaluate("e => e.installer.install()")
        await form.asks_no_more()
        await place.stage.break_off(connection["id"])
        again = await place.show(context)
        await again.shows("no longer accepts the connection")
        assert await again.page.evaluate(OPEN_EACH, NAMES) == []
        ((saved),) = await place.installations()
        content = saved["config"]["content"]
        assert {*NAMES} <= {*content["read"]["objects"]}
        assert all(content["read"]["objects"][each]["selectedFields"] == {each: True} for each in NAMES)
        assert all(each in content["write"]["objects"] for each in NAMES)


def edits() -> list[dict[str, Any]]:
    """Read the odd field of every odd object, and never overwrite it."""
    return [
        edit
        for name in NAMES
        for edit in (
            {"edit": "selectField", "objectName": name, "fieldName": name, "selected": True},
            {"edit": "setWriteOnUpdate", "objectName": name, "fieldName": name, "value": "never"},
        )
    ]


async def test_a_payload_that_got_through_would_be_noticed(context: BrowserContext) -> None:
    """All of the above stands and falls with this."""
    watch = Watch(context)
    async with open_element_stage(header="Content-Security-Policy-Report-Only") as place:
        shown = await place.show(context)
        await shown.element.locator("label").first.wait_for()
        add = "(e, html) => { const p = document.createElement('p'); e.shadowRoot.append(p); p.innerHTML = html; }"
        async with shown.page.expect_event("dialog"):
            await shown.element.evaluate(add, PAYLOADS[5])
        assert len(await shown.page.evaluate(STRANGE, FORBIDDEN)) == 2
        assert any(each.startswith("require-trusted-types-for") for each in await shown.violations())
    assert not watch.saw_nothing
