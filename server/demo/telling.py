"""How the demo looks on a terminal: headings, JSON and tables of plain text."""

import textwrap
from collections.abc import Sequence
from typing import Any

import msgspec

WIDEST_WORDS = 74


def heading(text: str) -> str:
    """Set a heading apart."""
    return f"\n{text}\n{'─' * len(text)}"


def as_json(value: Any) -> str:
    """Write JSON for a person, indented."""
    return textwrap.indent(msgspec.json.format(msgspec.json.encode(value), indent=2).decode(), "  ")


def rules_table(record: dict[str, Any]) -> str:
    """Tell the fate of every field of a record, as `installations.explain` gives it."""
    rows = [("sent as", "provider field", "fate", "why")]
    rows += [
        (", ".join(field.get("inputs", ())) or "(not sent)", field["field"], field["fate"], _why(field))
        for field in record["fields"]
    ]
    reached = {name for field in record["fields"] for name in field.get("inputs", ())}
    rows += [(each["name"], "", each["fate"], _why(each)) for each in record["inputs"] if each["name"] not in reached]
    return _table(rows)


def _why(explained: dict[str, Any]) -> str:
    said = [
        f"{reason['words']} [{setting}]" if (setting := reason.get("setting")) else reason["words"]
        for reason in explained["because"]
    ]
    return " ".join(said)


def _table(rows: Sequence[tuple[str, str, str, str]]) -> str:
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    lines = []
    for row in rows:
        names = "  ".join(cell.ljust(width) for cell, width in zip(row[:3], widths, strict=True))
        words = textwrap.wrap(row[3], WIDEST_WORDS, break_long_words=False, break_on_hyphens=False) or [""]
        lines.append(f"  {names}  {words[0]}".rstrip())
        lines += [" " * (len(names) + 4) + more for more in words[1:]]
    return "\n".join(lines)
