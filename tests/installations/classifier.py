"""The classifier as it was decided, one named case for each cell, independent of the code's own table.

Flipping a cell in the code makes a case fail; `test_repetition.py` proves that of every cell.
"""

from itertools import product
from typing import NamedTuple, get_args

from installations.operation import Repeat
from installations.record import FaultKind
from installations.repetition import Event, Reaction

EVENTS: tuple[Event, ...] = get_args(Event)
REPEATS: tuple[Repeat, ...] = get_args(Repeat)
REACTIONS: tuple[Reaction, ...] = get_args(Reaction)


class Case(NamedTuple):
    """One cell: what happened to a write of which kind, with or without an earlier attempt in doubt."""

    event: Event
    repeat: Repeat
    doubtful: bool
    reaction: Reaction

    @property
    def name(self) -> str:
        return f"{self.event}, {self.repeat}{', doubtful' if self.doubtful else ''}: {self.reaction}"


_FIRST = """
event         read      safe      keyed      bare
done          succeed   succeed   succeed    succeed
unreadable    retry     succeed   succeed    succeed
not_sent      retry     retry     retry      retry
blocked       fail      fail      fail       fail
throttled     wait      wait      wait       wait
unauthorized  park      park      park       park
refused       fail      fail      fail       fail
conflict      fail      compare   fail       fail
pending       retry     succeed   reconcile  reconcile
ambiguous     retry     retry     retry      reconcile
crashed       retry     retry     retry      reconcile
"""
_AFTER_A_DOUBT = """
event         read      safe      keyed      bare
done          succeed   succeed   succeed    succeed
unreadable    retry     succeed   succeed    succeed
not_sent      retry     retry     retry      retry
blocked       fail      fail      reconcile  reconcile
throttled     wait      wait      wait       wait
unauthorized  park      park      park       park
refused       fail      fail      reconcile  reconcile
conflict      fail      compare   look_up    look_up
pending       retry     succeed   reconcile  reconcile
ambiguous     retry     retry     retry      reconcile
crashed       retry     retry     retry      reconcile
"""


def _cells(table: str, *, doubtful: bool) -> dict[tuple[str, str, bool], str]:
    (_, *repeats), *rows = [line.split() for line in table.strip().splitlines()]
    return {
        (event, repeat, doubtful): reaction
        for event, *reactions in rows
        for repeat, reaction in zip(repeats, reactions, strict=True)
    }


_CELLS = _cells(_FIRST, doubtful=False) | _cells(_AFTER_A_DOUBT, doubtful=True)
CASES = tuple(
    Case(event, repeat, doubtful, next(each for each in REACTIONS if each == _CELLS[event, repeat, doubtful]))
    for event, repeat, doubtful in product(EVENTS, REPEATS, (False, True))
)

KINDS: dict[FaultKind, Event] = {
    "auth": "unauthorized",
    "forbidden": "refused",
    "rate_limited": "throttled",
    "invalid": "refused",
    "conflict": "conflict",
    "locked": "throttled",
    "not_found": "refused",
    "unknown_field": "refused",
    "unknown_object": "refused",
    "provider": "throttled",
    "unrecognised": "ambiguous",
    "not_sent": "not_sent",
    "ambiguous": "ambiguous",
}
KINDS_NEVER_SENT: dict[FaultKind, Event] = {
    kind: "blocked" if event == "refused" else event for kind, event in KINDS.items()
}

STATUSES: dict[Event, tuple[int, ...]] = {
    "unauthorized": (401,),
    "throttled": (423, 429),
    "conflict": (409, 412),
    "refused": (
        *(300, 301, 302, 303, 304, 307, 308),
        *(400, 402, 403, 404, 405, 406, 410, 411, 413, 414, 415, 416, 417, 421, 422, 424, 426, 428, 431, 451, 501),
    ),
}
"""Statuses that say that nothing was done. Every other one but 2xx leaves a doubt."""
