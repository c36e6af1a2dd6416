"""The commands in ``README.md`` work as they are printed: every one, in order, in one shell, by a new user.

The links that they print are opened by a customer without a browser; `tests/browser/test_readme.py` has one with.
"""

import asyncio
import re

import httpx
import pytest

from tests.journeys.tutorial import opened, shows, steps
from tests.oauth_servers.customers import Customer

LINK = re.compile(r"http://\S+/connect/\S+")
CONFIRMATION = re.compile(r'name="confirmation" value="(\w+)"')


async def consent(link: str) -> str:
    """Open a link, go on to the provider, allow, and come back; the page that says how it ended."""
    async with httpx.AsyncClient(trust_env=False) as browser:
        asked = CONFIRMATION.search((await browser.get(link)).text)
        assert asked is not None
        departure = await browser.post(link, data={"confirmation": asked[1]})
        callback = await Customer().decide(departure.headers["location"])
        return (await browser.get(callback)).text


@pytest.fixture(scope="module")
def printed(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Run everything; what each block has printed."""
    told = []
    with opened(tmp_path_factory.mktemp("newcomer")) as shell:
        for step in steps():
            told.append(shell.run(step.commands))
            for link in LINK.findall(told[-1]):
                assert "<title>Connected</title>" in asyncio.run(consent(link))
    return told


@pytest.mark.parametrize("number", range(len(steps())))
def test_the_tutorial_prints_what_it_says(number: int, printed: list[str]) -> None:
    assert shows(printed[number], steps()[number].wanted), printed[number]


def test_the_tutorial_has_the_whole_story() -> None:
    told = [step.section for step in steps()]
    sections = list(dict.fromkeys(told))
    assert (sections[0], sections[1], sections[-1]) == ("Tutorial", "Connect a customer with OAuth", "Proxy")
    assert told.count("Tutorial") >= 14
    assert sum(bool(LINK.search(step.wanted.replace("…", "0"))) for step in steps()) == 2
