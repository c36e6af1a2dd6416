"""What the pages of this repository claim about its files holds."""

import re
import tomllib
from pathlib import Path

import pytest

from server import settings

ROOT = Path(__file__).parent.parent
TEST = re.compile(r"`(tests/[\w/]+\.py|tests/[\w/]+/)(?:::(\w+))?`")
PICTURE = re.compile(r"!\[[^\]]{20,}\]\(([^)]+)\)")
"""With words for who cannot see it."""
LARGEST_PICTURE = 150_000
PAGES = sorted(
    page
    for page in [*ROOT.glob("*.md"), *ROOT.glob("[a-z]*/**/*.md")]
    if not {".venv", "node_modules"} & set(page.parts) and page.is_file()
)
LISTED = (
    *("connectors", "headless", "server", "server/access", "server/api", "server/commands", "server/connecting"),
    *("server/delivering", "server/demo", "server/door", "server/engine", "server/notifying", "server/proxying"),
    *("server/store", "server/tokens"),
)
"""Folders whose modules a README lists; the one of ``installations`` has a test of its own."""
DECIDED_AGAINST = {"sqlalchemy", "dbos", "ruamel.yaml", "celery"}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_page_names_tests_and_pages_that_exist(page: Path) -> None:
    said = page.read_text("utf-8")
    for path, name in TEST.findall(said):
        assert (ROOT / path).exists(), path
        assert not name or re.search(rf"^(async )?def {name}\(", (ROOT / path).read_text("utf-8"), re.MULTILINE), name
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", said):
        assert (page.parent / target).exists(), target


def test_every_picture_is_shown_and_small() -> None:
    shown = {(page.parent / name).resolve() for page in PAGES for name in PICTURE.findall(page.read_text("utf-8"))}
    pictures = set((ROOT / "docs").glob("*.png"))
    assert pictures == shown
    assert [path.name for path in pictures if path.stat().st_size > LARGEST_PICTURE] == []


def test_every_page_of_the_docs_is_in_their_index() -> None:
    index = (ROOT / "docs" / "README.md").read_text("utf-8")
    others = [path.name for path in (ROOT / "docs").glob("*.md") if path.name != "README.md"]
    assert [name for name in others if f"]({name})" not in index] == []


def test_every_decision_says_what_enforces_it() -> None:
    decisions = re.split(r"^## ", (ROOT / "DECISIONS.md").read_text("utf-8"), flags=re.MULTILINE)[1:]
    assert [text.split("\n")[0] for text in decisions if "**Enforced by.**" not in text] == []
    assert [int(text.split(".")[0]) for text in decisions] == list(range(1, len(decisions) + 1))


@pytest.mark.parametrize("folder", LISTED)
def test_every_module_is_listed(folder: str) -> None:
    said = (ROOT / folder.split("/", maxsplit=1)[0] / "README.md").read_text("utf-8")
    inside = folder.partition("/")[2]
    names = [f"{inside}/{path.name}".lstrip("/") for path in (ROOT / folder).glob("[!_]*.py")]
    assert [name for name in names if f"`{name}`" not in said] == []


def test_every_browser_module_is_listed() -> None:
    said = (ROOT / "headless/ui/README.md").read_text("utf-8")
    names = {path.name for path in (ROOT / "headless/ui/src").glob("*.ts")}
    assert sorted(name for name in names if f"`{name}`" not in said) == []


@pytest.mark.parametrize("folder", ["connectors", "headless", "server"])
def test_every_module_that_is_listed_is_there(folder: str) -> None:
    said = (ROOT / folder / "README.md").read_text("utf-8")
    rows = "\n".join(line.split("|")[1] for line in said.splitlines() if line.startswith("| `"))
    assert [name for name in re.findall(r"`([\w/]+\.py)`", rows) if not (ROOT / folder / name).exists()] == []


def test_the_readme_lists_every_variable_of_the_environment() -> None:
    variables = set(re.findall(r"ISTHMUS_\w+", settings.__doc__ or ""))
    said = (ROOT / "README.md").read_text("utf-8")
    assert sorted(name for name in variables if f"`{name}`" not in said) == []


def test_what_was_decided_against_is_not_installed_by_us() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    asked = [*project["dependencies"], *project["optional-dependencies"]["test"]]
    names = {re.split(r"[^\w.-]", line, maxsplit=1)[0].lower() for line in asked}
    assert names & DECIDED_AGAINST == set()
