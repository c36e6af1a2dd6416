"""The element's page in the docs names what there is, all of it where a page may set it."""

import re
from pathlib import Path

from tests.headless.ui.conftest import UI

PAGE = (Path(__file__).parents[3] / "docs" / "element.md").read_text("utf-8")
SOURCES = {path.name: path.read_text("utf-8") for path in (UI / "src" / "element").glob("*.ts")}
ALL = "\n".join(SOURCES.values())
DECLARED = (UI / "src" / "declared.ts").read_text("utf-8")


def named(pattern: str, text: str) -> set[str]:
    return set(re.findall(pattern, text))


def cells(heading: str) -> set[str]:
    """List what stands in the first cells of a section's tables."""
    (section,) = re.findall(rf"^## {heading}\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL)
    firsts = re.findall(r"^\| (`.*?) \|", section, re.MULTILINE)
    return {name for first in firsts for name in re.findall(r"`([^`]+)`", first)}


def test_every_attribute_and_property_is_told() -> None:
    (declared,) = re.findall(r"interface IsthmusInstall extends.*?\{(.*?)\n  addEvent", DECLARED, re.DOTALL)
    properties = named(r"(?m)^  (?:readonly )?(\w+)\??:", declared)
    told = {re.sub(r"-(\w)", lambda found: found[1].upper(), name) for name in cells("Attributes and properties")}
    assert told == properties | {"lang", "dir"}


def test_every_event_is_told() -> None:
    (declared,) = re.findall(r"interface IsthmusInstallEvents \{(.*?)\n\}", DECLARED, re.DOTALL)
    assert cells("Events") == named(r"(?m)^  (\w+): CustomEvent", declared)


def test_every_custom_property_is_told() -> None:
    assert cells("Looks") == named(r"var\((--isthmus-[a-z-]+)", ALL)


def test_parts_and_messages_that_are_told_exist() -> None:
    (listed,) = re.findall(r"Of its parts.*?\n\n", PAGE, re.DOTALL)
    parts = named(r"`([a-z-]+)`", listed)
    known = {name for names in re.findall(r"part=\"([^\"$]*)", ALL) for name in names.split()}
    buttons = {f"{name}-button" for name in re.findall(r"part: '(\w+)'|'(reconnect|uninstall)'", ALL) for name in name}
    assert parts - known - buttons == set()
    assert {key for key in re.findall(r"'((?:shell|form)\.\w+)'", PAGE) if f"'{key}':" not in ALL} == set()
