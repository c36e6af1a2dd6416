"""What `<isthmus-install>` costs a customer's browser: bytes, the time to a form that takes input, and each key.

    python -m tests.benchmarks.element

The account has 20 objects of 500 fields, and for typing one of 5000 as well. The server is a process of its own, and so
is Chromium. Cold is a server that has never described the account and a browser without a cache. Beside it, in the same
run, stand a page that loads the same bytes and draws a button, a native select of the same 10,000 fields, and a bare
element of Lit; the figures move with the machine, and these move with them.
"""

import asyncio
import statistics
import subprocess
import sys
import tempfile
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import msgspec
from playwright.async_api import Browser, BrowserContext, Locator, Page

from headless.embed import read_assets
from installations.installation import AccessPolicy
from tests.accounts import serve_account
from tests.benchmarks.element_pages import PREVIEWED, TIMED, WATCH, write_pages
from tests.browser.chromium import started
from tests.browser.element.stage import open_element_stage
from tests.browser.stage import CONSUMER, GROUP, product

ROOT = Path(__file__).parents[2]
OBJECTS, FIELDS, MANY_FIELDS = 20, 500, 5000
STARTS, VISITS = 5, 7
"""How often the server is started, and how often a page is opened where the server knows the account."""
MOST_BYTES, MOST_PAINT_MS, MOST_TYPING_MS = 40_000, 1000, 50


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """A server that is up, and what pages need for it."""

    origin: str
    token: str
    project: str
    hydrate: str

    @property
    def attributes(self) -> dict[str, str]:
        """What stands in the element's tag."""
        return {
            "project": self.project,
            "integration": "sandbox",
            "group-ref": GROUP,
            "consumer-ref": CONSUMER,
            "token": self.token,
        }


async def serve(objects: int, fields: int) -> None:
    """Serve an account of this size until the input ends; the first line of the output is the place."""
    async with serve_account(objects=objects, fields=fields) as account, open_element_stage(account=account) as stage:
        house = stage.stage.house
        deployed = await house.deploy(account.manifest("sandbox"))
        connection = await stage.stage.connect(account.provider, apiKey=account.key)
        revision = next(each["latestRevision"]["id"] for each in deployed if each["name"] == "sandbox")
        # The pages are at another origin than the stage's product.
        store, now = house.services.store, stage.stage.clock()
        await store.update_project(house.project_id, access_policy=AccessPolicy(), now=now)
        path = f"/v1/projects/{house.project_id}/integrations/sandbox/revisions/{revision}:hydrate"
        place = Place(
            origin=stage.stage.origin,
            token=stage.token(),
            project=house.project_id,
            hydrate=f"{path}?connectionId={connection['id']}",
        )
        print(msgspec.json.encode(place).decode(), flush=True)
        over = asyncio.Event()
        loop = asyncio.get_running_loop()
        threading.Thread(target=lambda: (sys.stdin.read(), loop.call_soon_threadsafe(over.set)), daemon=True).start()
        await over.wait()


@contextmanager
def server(objects: int, fields: int) -> Iterator[Place]:
    """Run a fresh one."""
    command = [sys.executable, "-m", "tests.benchmarks.element", "serve", str(objects), str(fields)]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as running:  # noqa: S603 -- our own command line
        assert running.stdout is not None
        assert running.stdin is not None
        yield msgspec.json.decode(running.stdout.readline(), type=Place)
        running.stdin.close()


@asynccontextmanager
async def pages(place: Place) -> AsyncIterator[str]:
    """Serve the pages for a place; where."""
    with tempfile.TemporaryDirectory() as folder:
        lit = [str(ROOT / "headless/ui/node_modules" / name) for name in (".bin/esbuild", "lit/index.js")]
        bundle = [*lit, "--bundle", "--minify", "--format=esm", f"--outfile={folder}/lit.js", "--log-level=error"]
        await asyncio.to_thread(subprocess.run, bundle, check=True)
        given = {"origin": place.origin, "token": place.token, "hydrate": place.hydrate}
        write_pages(Path(folder), attributes=place.attributes, **given)
        async with product(Path(folder)) as url:
            yield url.rpartition("/")[0]


async def opened(context: BrowserContext, url: str) -> tuple[Page, float]:
    """Open a page; when it was of use."""
    page = await context.new_page()
    await page.goto(url, wait_until="commit")
    await page.wait_for_function("window.shown !== undefined", timeout=60_000)
    return page, await page.evaluate("window.shown")


async def visit(browser: Browser, url: str, *, again: bool = False) -> list[float]:
    """Open a page in a browser without a cache, and ``again`` in the same one; when it was of use each time."""
    context = await browser.new_context()
    await context.add_init_script(WATCH)
    took = []
    for _ in range(2 if again else 1):
        page, shown = await opened(context, url)
        took.append(shown)
        await page.close()
    await context.close()
    return took


async def paint(browser: Browser) -> dict[str, list[float]]:
    """Open every page in turns; milliseconds by what was opened how."""
    took: dict[str, list[float]] = {}
    for start in range(STARTS):
        with server(OBJECTS, FIELDS) as place:
            async with pages(place) as url:
                took.setdefault("server just started", []).extend(await visit(browser, f"{url}/element.html"))
                for _ in range(VISITS if start == STARTS - 1 else 0):
                    first, second = await visit(browser, f"{url}/element.html", again=True)
                    took.setdefault("account known", []).append(first)
                    took.setdefault("account known, script in the browser's cache", []).append(second)
                    for name in ("bytes", "select", "lit"):
                        took.setdefault(name, []).extend(await visit(browser, f"{url}/{name}.html"))
    return took


async def typed(page: Page, text: str) -> list[float]:
    """Type as fast as a fast typist; what each key took."""
    await page.keyboard.type(text, delay=80)
    await page.wait_for_function("count => window.took.length >= count", arg=len(text))
    return list(await page.evaluate("window.took.splice(0)"))


async def clicked(page: Page, locators: list[Locator]) -> list[float]:
    """Click each; what each took."""
    for count, each in enumerate(locators, 1):
        await each.click()
        await page.wait_for_function("count => window.took.length >= count", arg=count)
    return list(await page.evaluate("window.took.splice(0)"))


async def work(browser: Browser, fields: int) -> dict[str, list[float]]:
    """Use the form as a customer does; milliseconds for each thing done."""
    took: dict[str, list[float]] = {}
    with server(OBJECTS if fields == FIELDS else 1, fields) as place:
        async with pages(place) as url:
            context = await browser.new_context()
            await context.add_init_script(WATCH)
            page, _ = await opened(context, f"{url}/element.html")
            element = page.locator("isthmus-install")
            await element.get_by_role("switch", name="Read from").check()
            await page.evaluate(TIMED, "input")
            await element.get_by_placeholder("Search fields").focus()
            took["letter in the search of optional fields"] = await typed(page, "field 42 string")
            await element.get_by_role("button", name="Add a rule for another field").press("Enter")
            took["letter in the picker"] = await typed(page, "field 421")
            await page.keyboard.press("Backspace")
            await page.keyboard.press("Enter")
            await page.evaluate("window.took.splice(0)")
            if fields == FIELDS:
                await page.evaluate(TIMED, "click")
                tabs = await element.get_by_role("tab").all()
                took["another object"] = await clicked(page, [*tabs[1:], tabs[0]])
            took |= await rule(page, element)
            await context.close()
    return took


async def rule(page: Page, element: Locator) -> dict[str, list[float]]:
    """Change a rule to and fro; until it is drawn, and until the preview has said what becomes of it."""
    await element.get_by_role("button", name="Add a rule for another field").press("Enter")
    await page.keyboard.type("field 42")
    await page.keyboard.press("Enter")
    await page.evaluate(TIMED, "change")
    drawn, previewed = [], []
    for label in ("Write only if it is empty", "Never overwrite") * 5:
        await element.locator("isthmus-part-preview section[aria-busy=false]").wait_for()
        answer = asyncio.create_task(page.evaluate(PREVIEWED))
        await asyncio.sleep(0)
        await element.get_by_text(label).first.click()
        previewed.append(await asyncio.wait_for(answer, 30))
        drawn += await page.evaluate("window.took.splice(0)")
    return {"rule drawn": drawn, "preview (200 ms of it a pause)": previewed}


def tell(name: str, took: list[float], *, asked: float | None = None, base: list[float] | None = None) -> None:
    """Print one line."""
    middle = statistics.median(took)
    ratio = f"   {middle / statistics.median(base):5.2f} of the same bytes" if base else ""
    limit = f"   asked {asked:g}" if asked else ""
    print(f"{name:<52}{middle:>8.1f} ms   worst {max(took):>8.1f} ms   of {len(took):<3}{limit}{ratio}")


def tell_bytes() -> None:
    """Print what is loaded."""
    for name, asset in sorted(read_assets().files.items()):
        if name.endswith(".js"):
            asked = f"   asked {MOST_BYTES}" if name == "install.js" else ""
            print(f"{name:<52}{len(asset.content):>8} bytes{len(asset.gzipped):>8} gzipped{asked}")


async def main() -> None:
    """Print every figure."""
    tell_bytes()
    async with started() as browser:
        print(f"\nuntil a form of {OBJECTS} objects of {FIELDS} fields takes input")
        took = await paint(browser)
        for name, each in took.items():
            tell(name, each, asked=None if name in {"bytes", "select", "lit"} else MOST_PAINT_MS, base=took["bytes"])
        for fields in (FIELDS, MANY_FIELDS):
            print(f"\n{fields} fields in an object")
            for name, each in (await work(browser, fields)).items():
                tell(name, each, asked=MOST_TYPING_MS if name.startswith("letter") else None)


if __name__ == "__main__":
    asyncio.run(serve(*map(int, sys.argv[2:])) if sys.argv[1:2] == ["serve"] else main())
