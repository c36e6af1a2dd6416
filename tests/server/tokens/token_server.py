"""A provider on loopback with a token endpoint and something behind it: it rotates, finds out reuse, and keeps count.

Refresh tokens belong to families. A second use of one within the grace gives tokens again; later it revokes the family.
"""

import asyncio
import itertools
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from aiohttp import web

from tests.simulators.door import on_loopback

CLIENT_ID = "app"
CLIENT_SECRET = "app-secret"


@dataclass(kw_only=True)
class Refresh:
    """One refresh token."""

    family: str
    spent_at: float | None = None


@dataclass(kw_only=True)
class TokenServer:
    """The state. Tests turn its screws and read its counts."""

    monotonic: Callable[[], float]
    rotates: bool = True
    grace_seconds: float = 0.0
    says: dict[str, Any] = field(default_factory=lambda: {"expires_in": 3600, "token_type": "Bearer"})
    """Members of every token answer besides the tokens."""
    url: str = ""
    asked: list[dict[str, str]] = field(default_factory=list)
    """The forms of token requests, in order."""
    logins: list[Any] = field(default_factory=list)
    """The bodies of custom token requests, in order."""
    refreshes: Counter[str] = field(default_factory=Counter)
    """Tokens given for a refresh token, by family."""
    calls: Counter[str] = field(default_factory=Counter)
    """Calls with a body that were done, by that body: a call that is done twice has two."""
    refused: Counter[str] = field(default_factory=Counter)
    """Calls that were answered with a 401, by body."""
    revoked: set[str] = field(default_factory=set)
    instead: list[web.Response] = field(default_factory=list)
    """Answers of the token endpoint in place of the truth, taken from the front."""
    lose: int = 0
    """Of how many token requests the answer is lost, after everything was done."""
    gate: asyncio.Event | None = None
    """If set, token requests wait for it before anything is done."""
    access: dict[str, str] = field(default_factory=dict)
    """From access tokens that are accepted to their family."""
    refresh: dict[str, Refresh] = field(default_factory=dict)
    stranger: int = HTTPStatus.UNAUTHORIZED
    """What a call without an accepted token is answered with."""
    gather_refused: int = 0
    """How many calls without an accepted token wait for each other before any of them is answered."""
    answer_after: Callable[[], float] = lambda: 0.0
    """How long, in seconds, a token answer is on its way; asked for each."""
    reuses: int = 0
    """How often a refresh token was used that had been used before."""
    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    """Set with each token request that comes in."""
    _all_there: asyncio.Event = field(default_factory=asyncio.Event)
    _numbers: Any = field(default_factory=lambda: itertools.count(1))

    def grant(self, family: str) -> tuple[str, str]:
        """Answer an access and a refresh token, as after a consent."""
        number = next(self._numbers)
        access, refresh = f"access-{family}-{number}", f"refresh-{family}-{number}"
        self.access[access] = family
        self.refresh[refresh] = Refresh(family=family)
        return access, refresh

    def expire(self, *families: str) -> None:
        """Accept no access token that was given so far, of these families or of all."""
        gone = [token for token, family in self.access.items() if not families or family in families]
        for token in gone:
            del self.access[token]

    def revoke(self, family: str) -> None:
        """Take everything back that a consent gave."""
        self.revoked.add(family)
        self.expire(family)

    async def give(self, request: web.Request) -> web.StreamResponse:
        """Answer the token endpoint."""
        form = {name: str(value) for name, value in (await request.post()).items()}
        return await self._give(request, lambda: self._granted(form), self.asked, form)

    async def log_in(self, request: web.Request) -> web.StreamResponse:
        """Answer a custom token request."""
        body = await request.json()

        def granted() -> web.Response:
            if body != {"tenant": "acme", "pass": "right-password"}:
                return web.json_response({"message": "wrong password"}, status=HTTPStatus.UNAUTHORIZED)
            access, _ = self.grant("custom")
            return web.json_response({"data": {"token": access, "ttl": 600}})

        return await self._give(request, granted, self.logins, body)

    async def call(self, request: web.Request) -> web.Response:
        """Do something for whoever has a token."""
        what = (await request.read()).decode()
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if token not in self.access:
            self.refused[what] += 1
            await self._gathered()
            return web.json_response({"message": "who are you?"}, status=self.stranger)
        self.calls[what] += 1
        return web.json_response({"token": token})

    async def _give(
        self, request: web.Request, granted: Callable[[], web.Response], log: list[Any], asked: Any
    ) -> web.StreamResponse:
        log.append(asked)
        self.arrived.set()
        if self.gate is not None:
            await self.gate.wait()
        if self.instead:
            return self.instead.pop(0)
        await asyncio.sleep(self.answer_after())
        answer = granted()
        await asyncio.sleep(self.answer_after())
        if self.lose > 0:
            self.lose -= 1
            assert request.transport is not None
            request.transport.abort()
        return answer

    async def _gathered(self) -> None:
        if self.gather_refused <= 0:
            return
        self.gather_refused -= 1
        if self.gather_refused == 0:
            self._all_there.set()
        await self._all_there.wait()

    def _granted(self, form: dict[str, str]) -> web.Response:
        if form.get("client_id") != CLIENT_ID or form.get("client_secret") != CLIENT_SECRET:
            return refusal("invalid_client", status=HTTPStatus.UNAUTHORIZED)
        kind = form.get("grant_type")
        if kind == "refresh_token":
            return self._refreshed(form.get("refresh_token", ""))
        if kind == "password" and form.get("password") != "right-password":
            return refusal("invalid_grant")
        access, _ = self.grant(str(kind))
        return web.json_response({"access_token": access, **self.says})

    def _refreshed(self, token: str) -> web.Response:
        held = self.refresh.get(token)
        if held is None or held.family in self.revoked:
            return refusal("invalid_grant")
        now = self.monotonic()
        self.reuses += held.spent_at is not None
        if held.spent_at is not None and now - held.spent_at > self.grace_seconds:
            self.revoke(held.family)
            return refusal("invalid_grant")
        self.refreshes[held.family] += 1
        access, refresh = self.grant(held.family)
        if not self.rotates:
            del self.refresh[refresh]
            return web.json_response({"access_token": access, **self.says})
        held.spent_at = now if held.spent_at is None else held.spent_at
        return web.json_response({"access_token": access, "refresh_token": refresh, **self.says})


def refusal(code: str, *, status: int = HTTPStatus.BAD_REQUEST) -> web.Response:
    """Refuse as RFC 6749, section 5.2, has it."""
    return web.json_response({"error": code, "error_description": f"it is {code}"}, status=status)


@asynccontextmanager
async def serving(server: TokenServer) -> AsyncIterator[str]:
    """Serve while the block lasts; gives the base URL."""
    application = web.Application()
    application.router.add_post("/token", server.give)
    application.router.add_post("/login", server.log_in)
    application.router.add_route("*", "/things", server.call)
    async with on_loopback(application) as server.url:
        yield server.url
