"""The stage of the element: a product's page of another site, whose policy lets in our scripts and calls and no more.

The element is the one that was built into ``headless/ui/assets`` and that the server serves. With
``ISTHMUS_UI_ASSETS`` it is the one in that folder, for who works on it.
"""

import os
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
from playwright.async_api import BrowserContext, Locator, Page, Route, expect

from connectors.connector import Connector
from connectors.sandbox.access import DEMO_KEY
from connectors.sandbox.data import SANDBOXES
from tests.accounts import Account
from tests.browser.stage import CONSUMER, GROUP, Stage, open_stage
from tests.server.signing import register, token

PAGE = Path(__file__).parent / "product"
POLICY = (
    "default-src 'none'; script-src 'self' {origin}; connect-src {origin}; style-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types lit-html"
)
INTEGRATION = """
  - name: {name}
    displayName: Customer sync
    provider: {provider}
    read:
      objects:
        - objectName: contacts
          mapToName: person
          mapToDisplayName: People
          destination: inbox
          schedule: "0 * * * *"
          requiredFields:
            - fieldName: email
              mapToName: emailAddress
            - mapToName: stage
              mapToDisplayName: Stage
              prompt: Which field tells how far this contact has come?
          optionalFields:
            - fieldName: phone
            - fieldName: jobTitle
            - mapToName: nickname
              mapToDisplayName: Nickname
              prompt: Which field holds the nickname?
    write:
      objects:
        - objectName: contacts
          inheritMapping: true
        - objectName: companies
"""


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """The element in a page."""

    page: Page

    @property
    def element(self) -> Locator:
        """Playwright looks into open shadow roots by itself."""
        return self.page.locator("isthmus-install")

    def button(self, name: str) -> Locator:
        """Find a button by its whole name."""
        return self.element.get_by_role("button", name=name, exact=True)

    def field(self, label: str) -> Locator:
        """Find a control by its whole label."""
        return self.element.get_by_label(label, exact=True)

    async def shows(self, text: str) -> None:
        """Wait until it can be read within the element."""
        await self.element.get_by_text(text).first.wait_for()

    async def popup(self, button: str) -> Page:
        """Click a button; the window that it opens."""
        async with self.page.expect_popup() as popup:
            await self.button(button).click()
        return await popup.value

    async def told(self, name: str) -> list[Any]:
        """List the details of an event, each time that the page heard it."""
        seen: list[Any] = await self.page.evaluate("window.told")
        return [event["detail"] for event in seen if event["name"] == name]

    async def hears(self, name: str) -> Any:
        """Wait for an event; its detail."""
        await self.page.wait_for_function("name => window.told.some((event) => event.name === name)", arg=name)
        return (await self.told(name))[0]

    async def focuses(self, what: str) -> None:
        """Wait until this has the focus within the element, by its id or else by its text."""
        script = """([e, what]) => {
          const focused = e.shadowRoot.activeElement;
          return focused && (focused.id || focused.textContent.trim()) === what;
        }"""
        await self.page.wait_for_function(script, arg=[await self.element.element_handle(), what])

    async def photograph(self, name: str) -> None:
        """Keep a picture of the whole page where ``ISTHMUS_SCREENSHOTS`` says."""
        if folder := os.environ.get("ISTHMUS_SCREENSHOTS"):
            await self.page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)

    async def asks_no_more(self) -> None:
        """Wait until the draft is reviewed and previewed: whatever asks the account shows that its credentials work."""
        await self.page.wait_for_function("() => !document.querySelector('isthmus-install').installer.state.reviewing")
        await expect(self.element.locator("[aria-busy=true]")).to_have_count(0)

    async def violations(self) -> list[str]:
        """List what the page's policy has stopped."""
        found: list[str] = await self.page.evaluate("window.violations")
        return found


class ElementStage(msgspec.Struct, kw_only=True):
    """Isthmus with an integration for each sandbox, named like its provider, and a product that shows the element."""

    stage: Stage
    kid: str

    def token(self, **claims: Any) -> str:
        """Sign a session token as the product's backend does."""
        return token(self.kid, **{"groupRef": GROUP, "consumerRef": CONSUMER, **claims})

    async def deploy(self, *integrations: str) -> None:
        """Deploy integrations, each a YAML item of the manifest."""
        await self.stage.house.deploy(f"specVersion: 1.0.0\nintegrations:{''.join(integrations)}")

    async def install(self, content: dict[str, Any], *, integration: str = "sandbox", provider: str = "sandbox") -> Any:
        """Connect with a key and install, without a browser."""
        connection = await self.stage.connect(provider, apiKey=DEMO_KEY)
        body = {"groupRef": GROUP, "connectionId": connection["id"], "config": {"content": content}}
        answer = await self.stage.house.call("POST", f"/integrations/{integration}/installations", json=body)
        assert answer.status_code == 201, answer.text
        return answer.json()

    async def installations(self, integration: str = "sandbox") -> list[Any]:
        """List what is installed."""
        answer = await self.stage.house.call("GET", f"/integrations/{integration}/installations")
        return list(answer.json())

    async def show(
        self,
        context: BrowserContext,
        integration: str = "sandbox",
        *,
        attributes: Mapping[str, str] | None = None,
        properties: Mapping[str, Any] | None = None,
        asks: bool = False,
        page: Page | None = None,
    ) -> Shown:
        """Open the product's page with the element in it, in a page of the context or in this one.

        ``asks`` has it call `freshToken`, which a test exposes.
        """
        page = page or await context.new_page()
        if folder := os.environ.get("ISTHMUS_UI_ASSETS"):
            await page.route(f"{self.stage.origin}/ui/*", serving(Path(folder)))
        await page.goto(self.stage.product_url)
        given = {
            "script": f"{self.stage.origin}/ui/install.js",
            "attributes": {
                "project": self.stage.house.project_id,
                "integration": integration,
                "group-ref": GROUP,
                "consumer-ref": CONSUMER,
                **({} if asks else {"token": self.token()}),
                **(attributes or {}),
            },
            "properties": dict(properties or {}),
            "asks": asks,
        }
        await page.evaluate("given => window.show(given)", given)
        return Shown(page=page)


@asynccontextmanager
async def open_element_stage(
    *,
    policy: str = POLICY,
    header: str = "Content-Security-Policy",
    account: Account | None = None,
    further: Iterable[Connector] = (),
) -> AsyncIterator[ElementStage]:
    """Set everything up; ``policy`` is what the product's page sends as ``header``, with a place for our origin.

    ``account`` is one of a provider that no sandbox is, ``further`` are providers without one; a test deploys an
    integration for them.
    """
    headers: dict[str, str] = {"X-Content-Type-Options": "nosniff"}
    odd = [*further, *([account.connector] if account else [])]
    urls = account.urls if account else None
    async with open_stage(product_folder=PAGE, product_headers=headers, further=odd, provider_urls=urls) as stage:
        headers[header] = policy.format(origin=stage.origin)
        opened = ElementStage(stage=stage, kid=await register(stage.house))
        await opened.deploy(*(INTEGRATION.format(name=each.name, provider=each.name) for each in SANDBOXES))
        yield opened


def serving(folder: Path) -> Any:
    """Answer a route with the files of a folder."""

    async def serve(route: Route) -> None:
        file = folder / route.request.url.rpartition("/")[2]
        headers = {"Access-Control-Allow-Origin": "*", "Content-Type": "text/javascript"}
        await route.fulfill(body=file.read_bytes(), headers=headers)

    return serve
