"""The token endpoints of HubSpot and Salesforce, in front of the simulators whose tokens they hand out.

``Hub(simulator)`` or ``Force(simulator)`` adds the route to the simulator's application; ``asked`` holds the forms that
came, ``dead`` says that grants are no longer accepted.
"""

from abc import ABC, abstractmethod
from typing import Any

from aiohttp import web

from tests.canaries import canary
from tests.simulators.door import Door

Json = dict[str, Any]


class TokenEndpoint(ABC):
    """Trades any code, and the refresh token that it gave, for access tokens that are good until `expire`."""

    path = ""

    def __init__(self, door: Door) -> None:
        self.door = door
        self.refresh_token = canary()
        self.asked: list[dict[str, str]] = []
        self.dead = False
        door.open.add(self.path)

    def expire(self) -> None:
        """End every access token."""
        self.door.tokens.clear()

    async def answer(self, request: web.Request) -> web.Response:
        form = {name: str(value) for name, value in (await request.post()).items()}
        self.asked.append(form)
        known = form["grant_type"] == "authorization_code" or form.get("refresh_token") == self.refresh_token
        if self.dead or not known:
            return web.json_response(self.refusal(), status=400)
        token = canary()
        self.door.tokens.add(token)
        return web.json_response(self.grant(token, is_first=form["grant_type"] == "authorization_code"))

    @abstractmethod
    def grant(self, token: str, *, is_first: bool) -> Json:
        """Say that a token was given."""

    @abstractmethod
    def refusal(self) -> Json:
        """Say that the grant is dead."""


class Hub(TokenEndpoint):
    """https://developers.hubspot.com/docs/api-reference/auth-oauth-v3/guide."""

    path = "/oauth/v3/token"

    def grant(self, token: str, *, is_first: bool) -> Json:
        """Repeat the refresh token in each answer, which stays the same."""
        del is_first
        return {
            "token_type": "bearer",
            "access_token": token,
            "refresh_token": self.refresh_token,
            "expires_in": 1800,
            "hub_id": 62515,
            "user_id": 293199,
            "scopes": ["crm.objects.contacts.write", "oauth"],
            "token_use": "access_token",
        }

    def refusal(self) -> Json:
        return {"status": "BAD_REFRESH_TOKEN", "message": "missing or unknown refresh token", "correlationId": "c"}


class Force(TokenEndpoint):
    """https://help.salesforce.com/s/articleView?id=xcloud.remoteaccess_oauth_web_server_flow.htm."""

    path = "/services/oauth2/token"

    def grant(self, token: str, *, is_first: bool) -> Json:
        """Say nothing of the life of a token, and give the refresh token once."""
        said = {
            "access_token": token,
            "signature": "none",
            "scope": "refresh_token api",
            "instance_url": "https://acme--dev.sandbox.my.salesforce.com",
            "id": "https://test.salesforce.com/id/00Dxx0000001gPLEAY/005xx000001SwiUAAS",
            "token_type": "Bearer",
            "issued_at": "1700000000000",
        }
        return {**said, "refresh_token": self.refresh_token} if is_first else said

    def refusal(self) -> Json:
        return {"error": "invalid_grant", "error_description": "expired access/refresh token"}
