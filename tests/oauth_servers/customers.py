"""A customer without a browser: follows redirects, keeps cookies, logs in, and allows or denies.

It reads forms as a browser does, so that it needs to know the words on the buttons and nothing of a server's pages.
"""

from html.parser import HTMLParser
from typing import Literal
from urllib.parse import urljoin, urlsplit

import httpx

Decision = Literal["allow", "deny"]

_FILLED_IN = {"username": "{name}", "login": "{name}", "password": "password"}
_LOG_IN = {"Log in", "Sign-in"}
_WORDS: dict[Decision, set[str]] = {
    "allow": {"Authorize", "Continue", "Allow"},
    "deny": {"Cancel", "[ Cancel ]", "Deny"},
}
_MOST_STEPS = 20


class Stuck(AssertionError):
    """The customer came to a page with nothing to do on it: an error page, usually."""

    def __init__(self, page: httpx.Response) -> None:
        super().__init__(f"{page.status_code} at {page.url}: {page.text[:2000]}")
        self.page = page


class Customer:
    """One person with a browser's cookies. ``name`` is an account of the server: alice or bob."""

    def __init__(self, name: str = "alice", *, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self._name = name
        self._transport = transport
        self.cookies = httpx.Cookies()

    async def decide(self, url: str, decision: Decision = "allow") -> str:
        """Open an authorization URL, log in if asked, and decide; answer where the server sends us back to.

        That is the first redirect to another origin: its ``code`` or ``error`` stands in the query. Raises `Stuck`.
        """
        origin = _origin(url)
        async with httpx.AsyncClient(
            transport=self._transport,
            cookies=self.cookies,
            trust_env=False,
            timeout=60,
            verify=False,  # noqa: S501 -- plain HTTP on loopback
        ) as client:
            answer = await client.get(url)
            for _ in range(_MOST_STEPS):
                if answer.next_request is not None:
                    target = str(answer.next_request.url)
                    if _origin(target) != origin:
                        # As the server wrote it: a normalised URL would hide what it got wrong.
                        self.cookies = client.cookies
                        return urljoin(str(answer.url), answer.headers["location"])
                    answer = await client.get(target)
                else:
                    answer = await client.send(self._act(client, answer, decision))
        raise Stuck(answer)

    def _act(self, client: httpx.AsyncClient, page: httpx.Response, decision: Decision) -> httpx.Request:
        if not page.is_success:
            raise Stuck(page)
        seen = _Page(page.text)
        if decision == "deny" and seen.link in _WORDS["deny"]:
            return client.build_request("GET", urljoin(str(page.url), seen.link_target))
        words = _LOG_IN if seen.asks_password else _WORDS[decision]
        button = next((each for each in seen.buttons if each[0] in words), None)
        if button is None:
            raise Stuck(page)
        form = {name: _FILLED_IN.get(name, value).format(name=self._name) for name, value in seen.fields.items()}
        form |= {button[1]: button[2]} if button[1] else {}
        headers = {"Origin": _origin(str(page.url)), "Referer": str(page.url)}
        return client.build_request("POST", urljoin(str(page.url), seen.action), data=form, headers=headers)


class _Page(HTMLParser):
    """The one form of a page, and its last link."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.action = ""
        self.fields: dict[str, str] = {}
        self.buttons: list[tuple[str, str, str]] = []
        """What stands on each, its name and its value."""
        self.asks_password = False
        self.link = self.link_target = ""
        self._within = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self._within = tag
        if tag == "form":
            self.action = given.get("action", "")
        elif tag == "a":
            self.link_target, self.link = given.get("href", ""), ""
        elif tag == "button":
            self.buttons.append(("", given.get("name", ""), given.get("value", "")))
        elif tag == "input" and given.get("type") == "submit":
            self.buttons.append((given.get("value", ""), given.get("name", ""), given.get("value", "")))
        elif tag == "input" and given.get("type") not in {"radio", "checkbox"}:
            self.fields[given.get("name", "")] = given.get("value", "")
        self.asks_password |= given.get("type") == "password"

    def handle_endtag(self, tag: str) -> None:  # noqa: ARG002 -- the parser passes it
        self._within = ""

    def handle_data(self, data: str) -> None:
        if self._within == "a":
            self.link += data.strip()
        elif self._within == "button" and self.buttons:
            text, name, value = self.buttons[-1]
            self.buttons[-1] = (text + data.strip(), name, value)


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
