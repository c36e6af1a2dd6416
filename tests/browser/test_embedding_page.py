"""What ``docs/embedding.md`` prints works, in a real browser."""

import base64
import hashlib
import re
import shlex
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
import pytest_asyncio
from playwright.async_api import BrowserContext, Frame, Page, expect

from installations.installation import AccessPolicy
from tests.browser.stage import Stage, photograph, product
from tests.browser.test_embed import MANIFEST, complaints

pytestmark = pytest.mark.asyncio(loop_scope="session")

SAID = (Path(__file__).parents[2] / "docs" / "embedding.md").read_text("utf-8")
SERVER = "http://127.0.0.1:8080"
CONNECT = "Connect Sandbox CRM (OAuth)"


def blocks(kind: str) -> list[str]:
    return re.findall(rf"^```{kind}\n(.*?)^```$", SAID, re.MULTILINE | re.DOTALL)


async def called(stage: Stage, command: str) -> Any:
    """Do what a ``curl`` of the page does; the answer."""
    words = shlex.split(command.replace("\\\n", "").replace("$ISTHMUS_API_KEY", stage.house.key))
    options = dict(pairwise(words))
    headers = dict(word.split(": ", 1) for name, word in pairwise(words) if name == "-H")
    (url,) = (word for word in words if word.startswith(SERVER))
    async with httpx.AsyncClient(trust_env=False) as client:
        method = options.get("-X", "POST")
        answer = await client.request(
            method, url.replace(SERVER, stage.origin), headers=headers, content=options["-d"].encode()
        )
    assert answer.is_success, answer.text
    return answer.json()


@asynccontextmanager
async def written(
    stage: Stage, folder: Path, kind: str, token: str, headers: dict[str, str] | None = None
) -> AsyncIterator[str]:
    """Serve a page as it is printed, with our addresses and a token beside it; its address."""
    (page,) = blocks(f"html {kind}")
    (folder / "index.html").write_text(page.replace(SERVER, stage.origin).replace('token="…"', f'token="{token}"'))
    (folder / "token").write_text(token + "\n")
    async with product(folder, headers=headers) as url:
        policy = AccessPolicy(allowed_origins=(url.rpartition("/")[0],))
        await stage.house.services.store.update_project(stage.house.project_id, access_policy=policy, now=now())
        stage.house.services.changes.announce()
        yield url


def now() -> datetime:
    return datetime.now(UTC)


@pytest_asyncio.fixture(loop_scope="session")
async def token(stage: Stage) -> str:
    await stage.house.deploy(MANIFEST)
    answer = await called(stage, blocks("sh")[0])
    (printed,) = blocks("json")
    assert set(answer) == set(msgspec.json.decode(printed))
    return str(answer["token"])


async def installs(stage: Stage, page: Page, place: Page | Frame) -> None:
    """Connect and install, as a customer does who sees the page for the first time."""
    site = await stage.prepare("sandboxOAuth")
    async with page.expect_popup() as popup:
        await place.get_by_role("button", name=CONNECT).click()
    await site.decide(await popup.value, "allow")
    await place.get_by_role("button", name="Install", exact=True).click()
    await place.get_by_role("button", name="Uninstall").wait_for()


async def test_the_script_works_under_the_policy_that_is_printed(
    stage: Stage, context: BrowserContext, token: str, tmp_path: Path
) -> None:
    policy = blocks("text policy")[0].strip().replace(SERVER, stage.origin)
    async with written(stage, tmp_path, "page", token, {"Content-Security-Policy": policy}) as url:
        page = await context.new_page()
        wrong = await complaints(page)
        await page.goto(url)
        await installs(stage, page, page)
        await photograph(page, "script")
        assert [said for said in wrong if "favicon" not in said] == []


async def test_the_frame_works_in_the_page_that_is_printed(
    stage: Stage, context: BrowserContext, token: str, tmp_path: Path
) -> None:
    async with written(stage, tmp_path, "frame", token) as url:
        page = await context.new_page()
        await page.goto(url)
        await page.frame_locator("#crm").get_by_role("button", name=CONNECT).wait_for()
        (frame,) = page.main_frame.child_frames
        await installs(stage, page, frame)
        await photograph(page, "frame")
        # Words to the page around are on their way while the frame goes on.
        await expect(page).to_have_title("Installed")
        await page.wait_for_function("Number(document.querySelector('#crm').height) > 150")


async def test_the_pages_that_may_frame_it_are_set_as_printed(stage: Stage) -> None:
    (command,) = (block for block in blocks("sh") if "allowedOrigins" in block)
    answer = await called(stage, command)
    assert answer["accessPolicy"]["allowedOrigins"] == ["https://app.example.com"]
    framed = await stage.house.client.get("/embed/acme/crm")
    assert "frame-ancestors https://app.example.com" in framed.headers["content-security-policy"]


async def test_a_page_that_pins_the_bytes_loads_them_and_no_others(
    stage: Stage, context: BrowserContext, tmp_path: Path
) -> None:
    plain = await stage.house.client.get("/ui/install.js")
    place = plain.headers["content-location"]
    digest = base64.b64encode(hashlib.sha384(plain.content).digest()).decode()
    (printed,) = (block for block in blocks("html") if "integrity" in block)
    for number, sum_ in enumerate((digest, digest[::-1])):
        tag = printed.replace(f"{SERVER}/ui/1f0c…/install.js", f"{stage.origin}{place}").replace(
            "sha384-…", f"sha384-{sum_}"
        )
        (tmp_path / "index.html").write_text(f"<!doctype html><title>x</title>{tag}")
        async with product(tmp_path) as url:
            page = await context.new_page()
            await page.goto(url, wait_until="load")
            known = await page.evaluate("customElements.get('isthmus-install') !== undefined")
            assert known is (number == 0)
