"""Nothing that the published library gives to its users is left out of the tests beside this one."""

import re
from pathlib import Path

import pytest

from tests.browser.library import PACKAGE, SOURCES
from tests.parts import absent

HERE = Path(__file__).parent


@pytest.fixture
def declared() -> str:
    """Read what the library declares."""
    file = PACKAGE / "build" / "index.d.ts"
    return file.read_text("utf-8") if file.exists() else absent(f"REACT LIBRARY ABSENT: run `npm ci` in {SOURCES}")


def members(declared: str, opening: str) -> list[str]:
    """List the functions of a declared type."""
    (body,) = re.findall(rf"{opening} \{{(.*?)^ ?\}};", declared, re.DOTALL | re.MULTILINE)
    return re.findall(r"^ {4,5}(\w+): (?:\(|Dispatch)", body, re.MULTILINE)


def test_every_export_is_used_by_a_page(declared: str) -> None:
    exported = re.findall(r"^ ?export declare (?:const|function|class) (\w+)", declared, re.MULTILINE)
    pages = "".join(page.read_text("utf-8") for page in SOURCES.glob("*.jsx"))
    assert {"InstallIntegration", "ConnectProvider", "useLocalConfig", "useManifest"} < set(exported)
    unused = [name for name in exported if len(re.findall(rf"\b{name}\b", pages)) < 2]
    assert unused == [], "imported by no page, or not used there"


HANDED_OUT = {
    "export declare type ReadObjectHandlers =": 7,
    "export declare type WriteObjectHandlers =": 13,
    "declare type ProxyHandlers =": 3,
    r"export declare function useLocalConfig\(\):": 7,
    r"export declare function useManifest\(\):": 4,
}
"""What the hooks hand out, and how many functions each has."""


@pytest.mark.parametrize(("opening", "count"), HANDED_OUT.items(), ids=[each.split()[-2] for each in HANDED_OUT])
def test_every_function_is_called(declared: str, opening: str, count: int) -> None:
    names = members(declared, opening)
    assert len(names) == count
    tests = (HERE / "test_react_hooks.py").read_text("utf-8")
    assert [name for name in names if f".{name}(" not in tests] == []


def test_the_setter_of_the_documentation_is_in_no_release(declared: str) -> None:
    # `setSelectedFieldSettings` is; `headless/ui` has both.
    assert "setFieldSettings" not in declared
