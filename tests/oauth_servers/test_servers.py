"""The servers of others do what the tests count on: PKCE, rotation, reuse detection, expiry."""

import base64
import hashlib
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import pytest

from connectors.provider import OAuth2Opts
from tests.oauth_servers.customers import Customer, Decision, Stuck
from tests.oauth_servers.fixtures import ON_EVERY_SERVER
from tests.oauth_servers.servers import REDIRECT, SCOPES, Application, Living, OAuthServer

VERIFIER = "verifier-of-at-least-forty-three-characters-0123456789"
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()


def asked_url(server: OAuthServer, application: Application, **changed: str) -> str:
    query = {
        "response_type": "code",
        "client_id": application.client_id,
        "redirect_uri": REDIRECT,
        "scope": " ".join(SCOPES),
        "state": "st&te",
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
    }
    kept = {name: value for name, value in (query | changed).items() if value}
    return f"{options(server).auth_url}?{urlencode(kept)}"


def options(server: OAuthServer) -> OAuth2Opts:
    assert isinstance(server.provider.oauth2_opts, OAuth2Opts)
    return server.provider.oauth2_opts


async def sent_back(
    server: OAuthServer, application: Application, *, decision: Decision = "allow", **changed: str
) -> dict[str, str]:
    target = await Customer().decide(asked_url(server, application, **changed), decision)
    assert target.startswith(f"{REDIRECT}?")
    return {name: values[0] for name, values in parse_qs(urlsplit(target).query).items()}


async def asked_token(server: OAuthServer, application: Application, **form: str) -> httpx.Response:
    client = {"client_id": application.client_id, "client_secret": application.client_secret}
    async with httpx.AsyncClient(trust_env=False) as http:
        return await http.post(options(server).token_url, data=client | form)


async def exchanged(server: OAuthServer, application: Application, given: str, **changed: str) -> httpx.Response:
    form = {"grant_type": "authorization_code", "code": given, "redirect_uri": REDIRECT, "code_verifier": VERIFIER}
    return await asked_token(server, application, **(form | changed))


async def refreshed(server: OAuthServer, application: Application, token: str) -> httpx.Response:
    return await asked_token(server, application, grant_type="refresh_token", refresh_token=token)


async def tokens(server: OAuthServer, application: Application) -> Any:
    answer = await exchanged(server, application, (await sent_back(server, application))["code"])
    assert answer.status_code == 200, answer.text
    return answer.json()


async def status(url: str, token: str) -> int:
    async with httpx.AsyncClient(trust_env=False) as http:
        return (await http.get(url, headers={"Authorization": f"Bearer {token}"})).status_code


@ON_EVERY_SERVER
async def test_a_customer_allows_and_the_token_works(oauth_server: OAuthServer) -> None:
    application = oauth_server.register(token_life=77)
    back = await sent_back(oauth_server, application)
    assert (back["state"], back.get("iss")) == ("st&te", options(oauth_server).issuer or None)
    answer = (await exchanged(oauth_server, application, back["code"])).json()
    assert answer["expires_in"] == 77
    assert set(answer["scope"].split()) == set(SCOPES)
    assert await status(oauth_server.contacts_url, answer["access_token"]) == 200
    (request,) = oauth_server.token_requests(application.client_id)
    assert (request.grant_type, request.status) == ("authorization_code", 200)
    assert oauth_server.living(application.client_id) == Living(access=1, refresh=1)


@ON_EVERY_SERVER
async def test_a_customer_denies(oauth_server: OAuthServer) -> None:
    back = await sent_back(oauth_server, oauth_server.register(), decision="deny")
    assert (back["error"], back["state"]) == ("access_denied", "st&te")
    assert "code" not in back


@ON_EVERY_SERVER
async def test_who_logged_in_once_only_decides(oauth_server: OAuthServer) -> None:
    customer, application = Customer("bob"), oauth_server.register()
    for _ in range(2):
        assert "code=" in await customer.decide(asked_url(oauth_server, application))


@ON_EVERY_SERVER
async def test_a_public_client_proves_itself_by_the_verifier(oauth_server: OAuthServer) -> None:
    application = oauth_server.register(public=True)
    back = await sent_back(oauth_server, application)
    form = {"grant_type": "authorization_code", "code": back["code"], "client_id": application.client_id}
    async with httpx.AsyncClient(trust_env=False) as http:
        url = options(oauth_server).token_url
        answer = await http.post(url, data=form | {"redirect_uri": REDIRECT, "code_verifier": VERIFIER})
    assert answer.status_code == 200, answer.text


@ON_EVERY_SERVER
async def test_nobody_gets_a_code_without_a_challenge(oauth_server: OAuthServer) -> None:
    application = oauth_server.register()
    back = await sent_back(oauth_server, application, code_challenge="", code_challenge_method="")
    assert back["error"] == "invalid_request"


@ON_EVERY_SERVER
async def test_nobody_is_sent_to_a_stranger(oauth_server: OAuthServer) -> None:
    url = asked_url(oauth_server, oauth_server.register(), redirect_uri=f"{REDIRECT}/")
    with pytest.raises(Stuck) as stuck:
        await Customer().decide(url)
    assert stuck.value.page.status_code == 400


@ON_EVERY_SERVER
@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"code_verifier": VERIFIER[::-1]}, (400, "invalid_grant")),
        ({"code_verifier": ""}, (400, "invalid_grant")),
        ({"client_secret": "wrong"}, (401, "invalid_client")),
        ({"code": "unknown"}, (400, "invalid_grant")),
    ],
)
async def test_a_wrong_exchange_is_refused(
    oauth_server: OAuthServer, changed: dict[str, str], expected: tuple[int, str]
) -> None:
    application = oauth_server.register()
    code = (await sent_back(oauth_server, application))["code"]
    answer = await exchanged(oauth_server, application, code, **changed)
    assert (answer.status_code, answer.json()["error"]) == expected


@ON_EVERY_SERVER
async def test_another_redirect_uri_is_refused(oauth_server: OAuthServer) -> None:
    application = oauth_server.register()
    code = (await sent_back(oauth_server, application))["code"]
    answer = await exchanged(oauth_server, application, code, redirect_uri=f"{REDIRECT}/")
    # RFC 6749 has invalid_grant here; the toolkit says invalid_request (3.4.1, seen 2026-11-22).
    assert (answer.status_code, answer.json()["error"]) in {(400, "invalid_grant"), (400, "invalid_request")}


@ON_EVERY_SERVER
async def test_a_code_works_once(oauth_server: OAuthServer) -> None:
    application = oauth_server.register()
    code = (await sent_back(oauth_server, application))["code"]
    assert (await exchanged(oauth_server, application, code)).status_code == 200
    assert (await exchanged(oauth_server, application, code)).json()["error"] == "invalid_grant"


@ON_EVERY_SERVER
async def test_a_refresh_rotates(oauth_server: OAuthServer) -> None:
    application = oauth_server.register()
    first = await tokens(oauth_server, application)
    second = (await refreshed(oauth_server, application, first["refresh_token"])).json()
    assert second["refresh_token"] != first["refresh_token"]
    assert await status(oauth_server.contacts_url, second["access_token"]) == 200
    assert oauth_server.living(application.client_id).refresh == 1
    assert oauth_server.refreshes(application.client_id) == 1


async def test_the_toolkit_ends_the_old_access_token_when_it_rotates(toolkit_server: OAuthServer) -> None:
    application = toolkit_server.register()
    first = await tokens(toolkit_server, application)
    await refreshed(toolkit_server, application, first["refresh_token"])
    assert await status(toolkit_server.contacts_url, first["access_token"]) == 401


@ON_EVERY_SERVER
async def test_a_rotated_refresh_token_ends_its_whole_family(oauth_server: OAuthServer) -> None:
    application = oauth_server.register()
    first = await tokens(oauth_server, application)
    second = (await refreshed(oauth_server, application, first["refresh_token"])).json()
    for token in (first["refresh_token"], second["refresh_token"]):
        answer = await refreshed(oauth_server, application, token)
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")
    assert await status(oauth_server.contacts_url, second["access_token"]) == 401
    assert oauth_server.living(application.client_id) == Living(access=0, refresh=0)


async def test_within_the_grace_a_rotated_refresh_token_is_answered_again(lenient_toolkit_server: OAuthServer) -> None:
    application = lenient_toolkit_server.register()
    first = await tokens(lenient_toolkit_server, application)
    second = (await refreshed(lenient_toolkit_server, application, first["refresh_token"])).json()
    again = (await refreshed(lenient_toolkit_server, application, first["refresh_token"])).json()
    assert (again["access_token"], again["refresh_token"]) == (second["access_token"], second["refresh_token"])
    assert await status(lenient_toolkit_server.contacts_url, again["access_token"]) == 200


@ON_EVERY_SERVER
async def test_access_ends_when_a_test_says_so(oauth_server: OAuthServer) -> None:
    application, other = oauth_server.register(), oauth_server.register()
    mine, theirs = await tokens(oauth_server, application), await tokens(oauth_server, other)
    assert oauth_server.expire(application.client_id) == 1
    assert await status(oauth_server.contacts_url, mine["access_token"]) == 401
    assert await status(oauth_server.contacts_url, theirs["access_token"]) == 200
    answer = await refreshed(oauth_server, application, mine["refresh_token"])
    assert await status(oauth_server.contacts_url, answer.json()["access_token"]) == 200


@ON_EVERY_SERVER
async def test_a_client_gets_a_token_of_its_own(oauth_server: OAuthServer) -> None:
    application = oauth_server.register(grant="client-credentials")
    answer = await asked_token(
        oauth_server, application, grant_type="client_credentials", scope="contacts.read contacts.write"
    )
    assert "refresh_token" not in answer.json()
    assert await status(oauth_server.contacts_url, answer.json()["access_token"]) == 200


async def test_the_toolkit_takes_passwords(toolkit_server: OAuthServer) -> None:
    application = toolkit_server.register(grant="password")
    for password, expected in (("password", 200), ("wrong", 400)):
        answer = await asked_token(
            toolkit_server, application, grant_type="password", username="alice", password=password
        )
        assert answer.status_code == expected


async def test_a_dead_token_is_challenged_or_forbidden(toolkit_server: OAuthServer) -> None:
    assert await status(toolkit_server.contacts_url, "dead") == 401
    assert await status(f"{toolkit_server.origin}/forbidding/contacts", "dead") == 403


@ON_EVERY_SERVER
async def test_contacts_are_created(oauth_server: OAuthServer) -> None:
    answer = await tokens(oauth_server, oauth_server.register())
    headers = {"Authorization": f"Bearer {answer['access_token']}"}
    async with httpx.AsyncClient(trust_env=False, headers=headers) as http:
        made = await http.post(oauth_server.contacts_url, json={"email": "ann@acme.test"})
        listed = (await http.get(oauth_server.contacts_url)).json()["contacts"]
    assert (made.status_code, made.json()["email"]) == (201, "ann@acme.test")
    assert made.json() in listed
