"""Providers as a customer sees them: how an application is registered there, and what is clicked on their pages."""

from collections.abc import Callable
from typing import Any

import httpx
import msgspec
from playwright.async_api import Page

from connectors.provider import Provider
from connectors.sandbox.data import SANDBOX_OAUTH, SANDBOXES
from tests.oauth_servers.customers import Decision
from tests.oauth_servers.servers import SCOPES, Application, OAuthServer

NAME = "alice"


class Site(msgspec.Struct, frozen=True, kw_only=True):
    """One provider in a browser."""

    provider: Provider
    register: Callable[[str], Application]
    """Registers an application with a redirect URI."""
    words: dict[Decision, str]
    """What stands on the buttons."""
    scopes: tuple[str, ...] = ()

    async def arrive(self, page: Page) -> None:
        """Log in where asked, until the consent page stands."""
        button = page.get_by_text(self.words["allow"], exact=True).or_(page.locator("input[type=password]"))
        await button.first.wait_for()
        if await page.locator("input[type=password]").count():
            await page.locator("input[name=username], input[name=login]").fill(NAME)
            await page.locator("input[type=password]").fill("password")
            await page.locator("button[type=submit]").click()
            await self._button(page, "allow").wait_for()

    async def decide(self, page: Page, decision: Decision) -> None:
        """Log in where asked, and click."""
        await self.arrive(page)
        await self._button(page, decision).click(no_wait_after=True)

    def _button(self, page: Page, decision: Decision) -> Any:
        word = self.words[decision]
        return page.locator(f"input[type=submit][value='{word}']").or_(page.get_by_text(word, exact=True)).first


def sandbox_site(sandbox_url: str) -> Site:
    """See the sandbox."""

    def register(redirect_uri: str) -> Application:
        made = Application(client_id=redirect_uri[-40:], client_secret="sandbox-secret")
        with httpx.Client(trust_env=False) as client:
            body = {"clientId": made.client_id, "clientSecret": made.client_secret, "redirectUris": [redirect_uri]}
            answer = client.post(f"{sandbox_url}/_sandbox/clients", json={"name": "Acme", **body})
        assert answer.is_success, answer.text
        return made

    return Site(provider=SANDBOX_OAUTH, register=register, words={"allow": "Allow", "deny": "Deny"})


def sandbox_sites(sandbox_url: str) -> tuple[Site, ...]:
    """See the sandbox by either way of OAuth by code."""
    site = sandbox_site(sandbox_url)
    plain = next(provider for provider in SANDBOXES if provider.name == "sandboxOAuthCode")
    return site, msgspec.structs.replace(site, provider=plain)


def toolkit_site(server: OAuthServer) -> Site:
    """See django-oauth-toolkit."""
    words: dict[Decision, str] = {"allow": "Authorize", "deny": "Cancel"}
    return Site(provider=server.provider, register=server.register, words=words, scopes=SCOPES)


def oidc_site(server: OAuthServer) -> Site:
    """See oidc-provider."""
    words: dict[Decision, str] = {"allow": "Continue", "deny": "[ Cancel ]"}
    return Site(provider=server.provider, register=server.register, words=words, scopes=SCOPES)
