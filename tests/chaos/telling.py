"""What a run says in the end: one table of figures, and for every broken promise all that is known about it."""

import re
from collections.abc import Mapping, Sequence

import msgspec

from tests.chaos.judge import Broken
from tests.chaos.provider import Call
from tests.chaos.stage import Stage
from tests.chaos.watching import logs

RECORDED = re.compile(r"recorded under ([0-9a-f-]+)")
"""How an answer names what was logged."""
MOST_TOLD = 8
"""Broken promises that are told at length."""


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """One run."""

    name: str
    figures: Mapping[str, str]
    broken: Sequence[Broken] = ()
    evidence: Sequence[str] = ()
    """Lines about what was broken."""
    skipped: str = ""
    """Why there was no run; empty if there was one."""

    @property
    def good(self) -> bool:
        """Whether every promise was kept."""
        return not self.broken


async def evidence(stage: Stage, broken: Sequence[Broken]) -> list[str]:
    """Gather the logs, the ledger and the calls of the first broken promises."""
    lines: list[str] = []
    for each in broken[:MOST_TOLD]:
        lines.append(f"{each.promise}: {each.tag or '-'} {each.operation_id or '-'}: {each.said}")
        lines += [f"    said    {line}" for line in _said(stage, each.said)]
        if each.operation_id:
            lines += [f"    log     {line}" for line in await logs(stage, each.operation_id)]
        if each.tag:
            lines += [f"    ledger  {line}" for line in _ledger(stage, each.tag)]
            lines += [f"    call    {_call(call)}" for call in stage.provider.calls if each.tag in call.tags]
    return lines


def _said(stage: Stage, answer: str) -> list[str]:
    """Find what the servers logged about a failure that an answer names."""
    named = RECORDED.search(answer)
    if named is None:
        return []
    with (stage.folder / "stderr.log").open("r", encoding="utf-8", errors="replace") as log:
        return [line.rstrip() for line in log if named.group(1) in line]


def _ledger(stage: Stage, tag: str) -> list[str]:
    found = [entry for entry in stage.provider.ledger() if tag in entry.fields.values()]
    return [f"{e.at.isoformat()} #{e.number} {e.action} {e.object}/{e.record_id} at {e.workspace}" for e in found]


def _call(call: Call) -> str:
    took = "" if call.ended is None else f" in {call.ended - call.at:.3f} s"
    first, last = call.effects
    return (
        f"#{call.number} {call.line} with {len(call.tags)} tags: {call.fault or 'no fault'}, answered "
        f"{call.status}{took}, effects {first + 1} to {last}"
    )


def table(reports: Sequence[Report]) -> str:
    """Lay the figures of all runs side by side, a row for each figure that any of them has."""
    names = list(dict.fromkeys(name for report in reports for name in report.figures))
    rows = [["", *(report.name for report in reports)]]
    rows += [[name, *(report.figures.get(name, "") for report in reports)] for name in names]
    rows.append(["promises broken", *(report.skipped or str(len(report.broken)) for report in reports)])
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return "\n".join([lines[0], "  ".join("-" * width for width in widths), *lines[1:]])


def told(reports: Sequence[Report]) -> str:
    """Say everything: what was broken first, then the table."""
    parts = []
    for report in reports:
        if report.broken:
            said = [f"BROKEN in {report.name}: {len(report.broken)}", *map(_one_line, report.broken)]
            parts.append("\n".join([*said[:200], "", *report.evidence]))
        if report.skipped:
            parts.append(f"SKIPPED {report.name}: {report.skipped}")
    return "\n\n".join([*parts, table(reports)])


def _one_line(broken: Broken) -> str:
    return f"  {broken.promise}: {broken.tag or '-'} {broken.operation_id}: {broken.said}"
