"""The demo tells the whole story of a first write and ends well; and what it invites to works while it serves."""

from pathlib import Path

from tests.journeys.processes import Isthmus
from tests.journeys.test_readme import LINK, consent

CHAPTERS = (
    "1. Deploy the manifest",
    "2. Connect the customer",
    "3. Create a contact",
    "What each rule did to each field",
    "What the provider received",
    "Your product was answered",
    "4. Update",
    "5. Create another one in the background",
    "answered 429",
    '"state": "queued"',
    '"nextAttemptTime"',
    '"status": "success"',
    '"successfulRecordIds"',
    "Open this in a browser",
    "/customer-",
    "curl",
    "/connect/",
)


async def test_the_demo_tells_its_story_and_ends(tmp_path: Path) -> None:
    isthmus = Isthmus(tmp_path, database_url=f"sqlite:///{tmp_path}/demo.db")
    for _ in range(2):
        code, told = await isthmus.run("demo", "--once")
        assert code == 0
        at = 0
        for words in CHAPTERS:
            at = told.casefold().find(words.casefold(), at)
            assert at >= 0, f"{words!r} is missing, or too early:\n{told}"
        for fate in ("sent", "dropped"):
            assert f" {fate} " in told


async def test_the_link_that_the_demo_prints_connects_a_customer(tmp_path: Path) -> None:
    isthmus = Isthmus(tmp_path, database_url=f"sqlite:///{tmp_path}/demo.db")
    async with isthmus.begun("demo", until="Serving until") as told:
        (link,) = LINK.findall(told)
        assert "<title>Connected</title>" in await consent(link)
