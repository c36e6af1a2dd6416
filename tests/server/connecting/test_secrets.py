"""What opens a stage of a consent, and what comes of it, is kept by nobody and told only where it has to be."""

import base64
import logging
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from server import logs
from server.connecting.passage import Direct, key_digest, passage_of
from server.settings import Settings
from server.store.opening import open_store
from tests.canaries import canary
from tests.server.connecting.desk import CLIENT, OURS, PAGE, Browser, Desk, decided, notice, open_desk
from tests.server.connecting.test_stepwise import STEPS, begun, handed_out
from tests.server.connecting.test_strict import complete
from tests.server.signing import bearer, register, token
from tests.server.store.samples import MASTER_KEY

Secrets = dict[str, str]


@pytest.fixture
async def desk(sqlite_url: str) -> AsyncIterator[Desk]:
    store = open_store(Settings(database_url=sqlite_url, master_keys=(MASTER_KEY,)))
    await store.start()
    try:
        async with open_desk(store) as opened:
            yield opened
    finally:
        await store.close()


async def consent(desk: Desk, seen: Secrets, answers: list[httpx.Response], **body: Any) -> httpx.Response:
    """Go to the provider and back by the page that asks; every secret on the way, and every answer that has none."""
    number = len(seen)
    link = await desk.link(**body)
    browser = desk.browser()
    asked = await browser.open(link, referer=None)
    wrong = {"confirmation": canary()}
    answers += [
        await browser.client.post(link, data=wrong),
        await desk.browser().client.post(link, data=wrong),
        await browser.client.get(f"{OURS}/connect/{canary()}"),
    ]
    gone = await browser.press(link, asked)
    assert gone.status_code == 302, gone.text
    address = httpx.URL(gone.headers["location"])
    seen |= {
        f"ticket {number}": link.rpartition("/")[2],
        f"cookie {number}": next(iter(browser.client.cookies.values())),
        f"state {number}": address.params["state"],
    }
    seen[f"verifier {number}"] = await verifier(desk, address.params["state"])
    back = await decided(str(address))
    seen[f"code {number}"] = httpx.URL(back).params["code"]
    answers += await strayed(desk, browser, link, back)
    return await browser.client.get(back)


async def strayed(desk: Desk, browser: Browser, link: str, back: str) -> list[httpx.Response]:
    """Come back in every wrong way, with good secrets and others."""
    url = httpx.URL(back)
    other = [
        url.copy_set_param("state", canary()),
        url.copy_set_param("state", url.params["code"]),
        url.copy_remove_param("state"),
    ]
    return [
        await desk.browser().client.get(back),
        *[await browser.client.get(each) for each in other],
        await browser.client.get(link),
        await browser.client.get(back, headers={"Sec-Fetch-Dest": "iframe"}),
        await browser.client.get(f"{back}&state={canary()}"),
        await browser.client.post(back, data={"code": canary()}),
    ]


async def verifier(desk: Desk, state: str) -> str:
    session = await desk.house.services.store.connect_session(key_digest("state", state), now=desk.clock())
    way = passage_of(session).way
    assert isinstance(way, Direct)
    assert way.verifier is not None
    return way.verifier.reveal()


async def _broad_run(desk: Desk, seen: Secrets, answers: list[httpx.Response]) -> None:
    """Connect by every flow, and go wrong at each stage."""
    await desk.registered()
    seen["client secret"] = CLIENT["clientSecret"]
    page = await consent(desk, seen, answers)
    connection = notice(page)["message"]["data"]["connection"]
    answers.append(page)
    tokens = await desk.tokens(connection["id"])
    seen |= {"access": tokens["accessToken"]["token"], "refresh": tokens["refreshToken"]["token"]}

    waiting = await consent(desk, seen, answers, flow="strict", consumerRef="c2")
    seen["completion code"] = notice(waiting)["message"]["data"]["completionCode"]
    jwt = token(await register(desk.house), consumerRef="somebody")
    seen["token"] = jwt
    answers += [
        await complete(desk, seen["completion code"], credential=bearer(jwt)),
        await complete(desk, seen["completion code"], credential={"X-Api-Key": canary()}),
        await complete(desk, seen["completion code"]),
        await complete(desk, seen["completion code"]),
        await desk.ask(credential=bearer(jwt)),
        await desk.ask(credential=bearer(f"{jwt}x")),
        await desk.house.client.get("/v1/projects", headers=bearer(jwt)),
    ]

    await desk.known_at_the_sandbox(f"{OURS}/callbacks/v1/custom-auth/default", clientId="other")
    link, session_id = await begun(desk)
    browser = desk.browser()
    back = await handed_out(await browser.set_out(link))
    seen |= {"link": link.rpartition("/")[2], "session": session_id}
    answers.append(await desk.browser().client.get(back))
    brought = notice(await browser.client.get(back))["message"]["params"]
    seen |= {f"brought {name}": value for name, value in brought.items() if len(value) > 20}
    body = {"projectIdOrName": desk.house.project_id, "sessionId": session_id}
    tried: list[dict[str, str]] = [brought | {"key": canary()}, {}, brought, brought]
    for parameters in tried:
        answers.append(
            await desk.house.client.post(
                "/v1/custom-auth/connect",
                json={**body, "callbackParams": parameters},
                headers={**desk.house.headers, "Origin": PAGE},
            )
        )
    answers.append(
        await desk.house.client.get(f"/v1/projects/{desk.house.project_id}/connections", headers=bearer(jwt))
    )


async def test_no_secret_of_a_consent_is_kept_or_told(
    desk: Desk, sqlite_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    logs.start_logging(level=logging.DEBUG)
    seen: Secrets = {}
    answers: list[httpx.Response] = []
    await _broad_run(desk, seen, answers)
    assert STEPS in {connection["provider"] for connection in await desk.connections()}
    assert len(seen) >= 17
    assert all(len(secret) >= 18 for secret in seen.values()), seen
    told = [(name, answer.url.path) for answer in answers for name in shown(seen, answer)]
    assert told == []
    logged = capsys.readouterr().err
    assert "library.spoke" not in logged
    assert [name for name, secret in seen.items() if secret in logged] == []
    assert [name for name, secret in seen.items() if secret in repr(desk.house.services)] == []
    database = Path(sqlite_url.removeprefix("sqlite:///"))
    raw = b"".join(file.read_bytes() for file in database.parent.glob(f"{database.name}*"))
    assert len(raw) > 100_000
    assert [name for name, secret in seen.items() if kept(secret, raw)] == []


def shown(seen: Secrets, answer: httpx.Response) -> list[str]:
    """Name the secrets in an answer. A page that is asked for with one repeats it in no place."""
    text = answer.text + str([pair for pair in answer.headers.multi_items() if pair[0] != "set-cookie"])
    return [name for name, secret in seen.items() if secret in text]


def kept(secret: str, raw: bytes) -> bool:
    """Tell whether a secret lies in bytes as it is, in base64, or as the bytes that its own base64 stands for."""
    forms = [secret.encode(), base64.b64encode(secret.encode())[:16]]
    if re.fullmatch(r"[\w-]{43}", secret):
        forms.append(base64.urlsafe_b64decode(secret + "="))
    return any(form in raw for form in forms)
