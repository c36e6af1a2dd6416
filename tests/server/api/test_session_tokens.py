"""Session tokens over HTTP: what is signed is let in like a builder's own, and ends with its key."""

import asyncio
import json
from base64 import urlsafe_b64decode
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from installations.installation import Project
from server.access.keys import new_key
from server.access.sessions import LABEL
from server.access.tokens import LEEWAY_SECONDS, MAX_TOKEN_BYTES
from server.clock import new_id
from tests.conftest import Published
from tests.leaks import leaks
from tests.server.house import ON_EVERY_STORE, START, House, open_house, stored_key
from tests.server.signing import b64, bearer, claims_at, header_for, signed

ANN = {"groupRef": "g1", "consumerRef": "ann"}


async def issued(house: House, **body: Any) -> Any:
    answer = await house.call("POST", "/session-tokens", json={**ANN, **body})
    assert answer.status_code == 201, answer.text
    return answer.json()


async def status(house: House, token: str, path: str = "/installations?groupRef=g1") -> int:
    answer = await house.client.get(f"/v1/projects/{house.project_id}{path}", headers=bearer(token))
    return answer.status_code


def members(token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Read a token's header and claims, as anybody can."""
    head, claims, _ = token.split(".")
    return _part(head), _part(claims)


def _part(text: str) -> dict[str, Any]:
    read: dict[str, Any] = json.loads(urlsafe_b64decode(text + "=="))
    return read


@ON_EVERY_STORE
async def test_one_request_answers_a_token_for_one_person_of_one_group(house: House) -> None:
    await house.deploy()
    answer = await issued(house)
    assert set(answer) == {"token", "expireTime"}
    header, claims = members(answer["token"])
    (key,) = (await house.call("GET", "/jwt-keys")).json()
    assert header == {"alg": "RS256", "typ": "JWT", "kid": key["id"]}
    assert claims == {**ANN, "iat": claims["iat"], "exp": claims["iat"] + 600}
    assert datetime.fromisoformat(answer["expireTime"]).timestamp() == claims["exp"]
    assert await status(house, answer["token"]) == 200
    assert (await house.client.post("/v1/oauth-connect", headers=bearer(answer["token"]), json={})).status_code == 400


@ON_EVERY_STORE
async def test_the_key_is_shown_for_what_it_is_and_never_its_private_half(house: House, published: Published) -> None:
    await issued(house)
    listed = await house.call("GET", "/jwt-keys")
    (key,) = listed.json()
    assert published.errors("api.bundled", "JWTKey", key) == []
    assert (key["label"], key["active"], key["algorithm"]) == (LABEL, True, "RSA")
    shown = await house.call("GET", f"/jwt-keys/{key['id']}")
    assert shown.json() == key
    assert leaks(listed.content + shown.content) == []
    assert "rivate" not in listed.text + shown.text


@ON_EVERY_STORE
@pytest.mark.parametrize("way", ["switched off", "deleted"])
async def test_taking_the_key_back_ends_its_tokens_and_the_next_has_another(house: House, way: str) -> None:
    old = (await issued(house))["token"]
    assert await status(house, old) == 200
    kid = members(old)[0]["kid"]
    if way == "deleted":
        await house.call("DELETE", f"/jwt-keys/{kid}")
    else:
        await house.call("PATCH", f"/jwt-keys/{kid}", json={"updateMask": ["active"], "jwtKey": {"active": False}})
    assert await status(house, old) == 401
    new = (await issued(house))["token"]
    assert members(new)[0]["kid"] != kid
    assert (await status(house, new), await status(house, old)) == (200, 401)


@ON_EVERY_STORE
async def test_visitors_who_come_at_once_are_signed_for_by_one_key(house: House) -> None:
    answers = await asyncio.gather(*(issued(house, consumerRef=f"c{number}") for number in range(8)))
    assert len({members(answer["token"])[0]["kid"] for answer in answers}) == 1
    assert len((await house.call("GET", "/jwt-keys")).json()) == 1


async def test_other_requests_are_answered_while_a_key_is_drawn(house: House) -> None:
    """Half a second of arithmetic must not stop the server."""
    drawing = asyncio.create_task(issued(house))
    answered = 0
    while not drawing.done():
        await house.client.get("/healthz")
        await asyncio.sleep(0)
        answered += 1
    await drawing
    assert answered > 5


async def test_a_token_opens_its_own_group_alone(house: House) -> None:
    token = (await issued(house))["token"]
    path = f"/v1/projects/{house.project_id}/connections:generate"
    body = {"provider": "sandbox", "groupRef": "g2", "consumerRef": "ann", "apiKey": "none"}
    for change in ({}, {"groupRef": "g1", "consumerRef": "bob"}):
        answer = await house.client.post(path, headers=bearer(token), json={**body, **change})
        assert answer.status_code == 403, answer.text


class Time:
    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now


async def test_a_token_lives_as_long_as_it_says_and_no_longer() -> None:
    time = Time()
    async with open_house(clock=time) as house:
        await house.deploy()
        token = (await issued(house, expiresInSeconds=60))["token"]
        time.now = START + timedelta(seconds=59 + LEEWAY_SECONDS)
        assert await status(house, token) == 200
        time.now = START + timedelta(seconds=60 + LEEWAY_SECONDS)
        assert await status(house, token) == 401


LONGEST = "\N{GRINNING FACE}" * 255


async def test_the_longest_names_still_make_a_token_that_is_let_in(house: House) -> None:
    token = (await issued(house, groupRef=LONGEST, consumerRef=LONGEST))["token"]
    assert len(token) <= MAX_TOKEN_BYTES
    assert await status(house, token, "/installations") == 200


BAD: list[tuple[dict[str, Any], str]] = [
    ({"groupRef": ""}, "groupRef"),
    ({"groupRef": "x" * 256}, "groupRef"),
    ({"groupRef": 5}, "groupRef"),
    ({"groupRef": "a\0b"}, "groupRef"),
    ({"consumerRef": None}, "consumerRef"),
    ({"expiresInSeconds": 59}, "expiresInSeconds"),
    ({"expiresInSeconds": 601}, "expiresInSeconds"),
    ({"expiresInSeconds": "600"}, "expiresInSeconds"),
    ({"expiresInSeconds": 1e300}, "expiresInSeconds"),
    ({"expiresinseconds": 60}, "expiresinseconds"),
    ({"exp": 9_999_999_999}, "exp"),
]


@pytest.mark.parametrize(("change", "named"), BAD)
async def test_what_is_wrong_is_named_and_nothing_is_made(house: House, change: dict[str, Any], named: str) -> None:
    answer = await house.call("POST", "/session-tokens", json={**ANN, **change})
    assert answer.status_code == 400, answer.text
    assert [issue["name"] for issue in answer.json()["issues"]] == [named]
    assert (await house.call("GET", "/jwt-keys")).json() == []


async def test_only_a_key_that_is_kept_on_a_server_gets_one(house: House) -> None:
    token = (await issued(house))["token"]
    path = f"/v1/projects/{house.project_id}/session-tokens"
    assert (await house.call("POST", "/session-tokens", key=house.frontend_key, json=ANN)).status_code == 403
    assert (await house.client.post(path, headers=bearer(token), json=ANN)).status_code == 403
    assert (await house.client.post(path, json=ANN)).status_code == 401
    answer = await house.client.post("/v1/projects/other/session-tokens", headers=house.headers, json=ANN)
    assert answer.status_code == 404


async def test_no_page_of_another_origin_may_ask(house: House) -> None:
    headers = {"origin": "https://evil.test", "access-control-request-method": "POST"}
    asked = await house.client.options(f"/v1/projects/{house.project_id}/session-tokens", headers=headers)
    assert "access-control-allow-origin" not in asked.headers
    answered = await house.call("POST", "/session-tokens", json=ANN, headers={"origin": "https://evil.test"})
    assert "access-control-allow-origin" not in answered.headers
    assert answered.headers["cache-control"] == "no-store"


def forgeries(token: str) -> Iterator[tuple[str, str]]:
    """Change a session token as somebody may who has one and wants to be somebody else."""
    head, claims, signature = token.split(".")
    header, said = members(token)
    yield "another group", f"{head}.{b64({**said, 'groupRef': 'g2'})}.{signature}"
    yield "a longer life", f"{head}.{b64({**said, 'exp': said['exp'] + 60})}.{signature}"
    yield "no signature", f"{head}.{claims}."
    yield "no algorithm", f"{b64({**header, 'alg': 'none'})}.{claims}."
    yield "another key of the same name", signed(header_for(header["kid"]), claims_at(said["iat"]), by="attacker")
    yield "a bit less", token[:-2]


async def test_forged_session_tokens_are_refused(house: House) -> None:
    token = (await issued(house))["token"]
    for name, forged in forgeries(token):
        assert await status(house, forged) == 401, name
    assert await status(house, token) == 200


async def test_a_project_s_tokens_open_that_project_alone(house: House) -> None:
    key = new_key()
    rival = Project(id=new_id(), name="rival", app_name="Rival", org_id=new_id(), create_time=START)
    await house.services.store.create_project(rival, key=stored_key(rival.id, key))
    own = (await issued(house))["token"]
    path = "/v1/projects/rival/session-tokens"
    assert (await house.client.post(path, headers=house.headers, json=ANN)).status_code == 404
    theirs = (await house.client.post(path, headers={"X-Api-Key": key}, json=ANN)).json()["token"]
    assert members(theirs)[0]["kid"] != members(own)[0]["kid"]
    assert await status(house, theirs) == 404
    shown = await house.client.get("/v1/projects/rival/installations?groupRef=g1", headers=bearer(own))
    assert shown.status_code == 404


async def test_asking_for_tokens_makes_nobody_forget_what_they_know(house: House) -> None:
    await issued(house)
    heard: list[int] = []
    house.services.changes.subscribe(lambda: heard.append(1))
    await issued(house)
    assert heard == []


async def test_a_token_is_in_no_log(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    token = (await issued(house))["token"]
    await status(house, token)
    await status(house, token[:-3])
    said = capsys.readouterr()
    assert token[-40:-3] not in said.out + said.err
