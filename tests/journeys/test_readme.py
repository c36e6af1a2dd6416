"""The commands in ``README.md`` work as they are printed: every one, in order, in one shell, by a new user.

What they open is done by a customer without a browser; `tests/browser/test_readme.py` has one with.
"""

import asyncio
import re
from typing import Any

import httpx
import pytest

from connectors.sandbox.access import DEMO_KEY
from tests.journeys.tutorial import opened, shows, steps
from tests.oauth_servers.customers import Customer

LINK = re.compile(r"http://\S+/connect/\S+")
OPEN = re.compile(r"Open (http://\S+/install\.html)")
PAGE = re.compile(r"^cat > page/install\.html <<EOF\n(.*?)^EOF$", re.MULTILINE | re.DOTALL)
ATTRIBUTE = re.compile(r'([\w-]+)="([^"]+)"')
CHOSEN: dict[str, Any] = {
    "provider": "sandbox",
    "read": {"objects": {"contacts": {"objectName": "contacts", "selectedFieldMappings": {"stage": "lifecycleStage"}}}},
    "write": {
        "objects": {
            "contacts": {
                "objectName": "contacts",
                "selectedFieldSettings": {
                    "stage": {"default": {"stringValue": "lead"}, "writeOnUpdate": "ifEmpty"},
                },
            }
        }
    },
}
"""What the README has a customer choose in the element."""
CONFIRMATION = re.compile(r'name="confirmation" value="(\w+)"')


async def consent(link: str) -> str:
    """Open a link, go on to the provider, allow, and come back; the page that says how it ended."""
    async with httpx.AsyncClient(trust_env=False, timeout=60) as browser:
        asked = CONFIRMATION.search((await browser.get(link)).text)
        assert asked is not None
        departure = await browser.post(link, data={"confirmation": asked[1]})
        callback = await Customer().decide(departure.headers["location"])
        return (await browser.get(callback)).text


async def install(page: str) -> None:
    """Do what the element does in a page, with the token that stands there and nothing else."""
    transport = httpx.AsyncHTTPTransport(retries=30)
    async with httpx.AsyncClient(trust_env=False, transport=transport, timeout=60) as browser:
        given = dict(ATTRIBUTE.findall((await browser.get(page)).text))
        project = f"{given['src'].removesuffix('/ui/install.js')}/v1/projects/{given['project']}"
        who = {"groupRef": given["group-ref"], "consumerRef": given["consumer-ref"]}
        for path, body in (
            ("/connections:generate", {**who, "provider": "sandbox", "apiKey": DEMO_KEY}),
            (f"/integrations/{given['integration']}/installations", {**who, "config": {"content": CHOSEN}}),
        ):
            answer = await browser.post(
                project + path, json=body, headers={"Authorization": f"Bearer {given['token']}"}
            )
            assert answer.status_code == 201, answer.text


@pytest.fixture(scope="module")
def printed(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Run everything; what each block has printed."""
    told = []
    with opened(tmp_path_factory.mktemp("newcomer")) as shell:
        for step in steps():
            told.append(shell.run(step.commands))
            for link in LINK.findall(told[-1]):
                assert "<title>Connected</title>" in asyncio.run(consent(link))
            for page in OPEN.findall(told[-1]):
                asyncio.run(install(page))
    return told


@pytest.mark.parametrize("number", range(len(steps())))
def test_the_tutorial_prints_what_it_says(number: int, printed: list[str]) -> None:
    assert shows(printed[number], steps()[number].wanted), printed[number]


def test_the_tutorial_has_the_whole_story() -> None:
    told = [step.section for step in steps()]
    sections = list(dict.fromkeys(told))
    first, last = ["Tutorial", "Let the customer choose, in your page", "Connect a customer with OAuth"], "Proxy"
    assert (sections[:3], sections[-1]) == (first, last)
    assert told.count("Tutorial") >= 14
    assert sum(bool(LINK.search(step.wanted.replace("…", "0"))) for step in steps()) == 2


def test_the_page_with_the_element_has_ten_lines() -> None:
    (page,) = (found[1] for step in steps() if (found := PAGE.search(step.commands)))
    assert len(page.splitlines()) <= 10
