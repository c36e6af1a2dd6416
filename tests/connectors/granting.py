"""One flow for each grant, with a client and secrets that tests look for."""

from typing import Any

import httpx

from connectors.connector import Flow
from connectors.grants import Client, Granted, exchange_code, for_client, for_password, refresh, trade
from connectors.provider import OAuth2Opts, TokenRequest, ValueTemplate
from connectors.secret import Secret
from connectors.transport import rehearse

URL = "https://p.test/oauth/token"
CALLBACK = "https://us.test/callbacks/v1/oauth/p1/acme"
CLIENT_SECRET, CODE, VERIFIER, REFRESH, PASSWORD = "cs&é secret", "code-4711", "v" * 64, "refresh-4711", "pass word/1"
PLAIN = OAuth2Opts(grant_type="authorizationCodePKCE", token_url=URL, auth_url="https://p.test/oauth/authorize")
APP = Client(client_id="app id", client_secret=Secret(CLIENT_SECRET), scopes=("read", "write"))


def exchanged(options: OAuth2Opts = PLAIN, client: Client = APP) -> Flow[Granted]:
    return exchange_code(
        options, url=URL, client=client, code=Secret(CODE), redirect_uri=CALLBACK, verifier=Secret(VERIFIER)
    )


def refreshed(options: OAuth2Opts = PLAIN, client: Client = APP) -> Flow[Granted]:
    return refresh(options, url=URL, client=client, refresh_token=Secret(REFRESH))


def of_client(options: OAuth2Opts = PLAIN, client: Client = APP) -> Flow[Granted]:
    return for_client(options, url=URL, client=client)


def of_password(options: OAuth2Opts = PLAIN, client: Client = APP) -> Flow[Granted]:
    return for_password(options, url=URL, client=client, username="ada", password=Secret(PASSWORD))


GIVEN = {"access_token": "at-1", "token_type": "Bearer", "expires_in": 3600, "refresh_token": "rt-1"}


def ask(flow: Flow[Granted], answer: httpx.Response | None = None) -> tuple[httpx.Request, Any]:
    requests, result = rehearse(flow, answer or httpx.Response(200, json=GIVEN))
    assert len(requests) == 1
    return requests[0], result


def told(status: int, /, **members: Any) -> httpx.Response:
    return httpx.Response(status, json=members)


PUBLIC = Client(client_id="app id")

REQUEST = TokenRequest(
    url="https://p.test/session",
    headers=(ValueTemplate(name="X-Tenant", value_template="{{ .tenant }}"),),
    body={"user": "{{ .user }}", "secret": "{{ .secret }}", "kind": "api"},
    token_path="data.token",
    expires_in_path="data.ttl",
)
VALUES = {"tenant": Secret("acme"), "user": Secret("ada"), "secret": Secret('pa"ss-4711')}


def traded() -> Flow[Granted]:
    return trade(REQUEST, url="https://acme.p.test/session", values=VALUES)
