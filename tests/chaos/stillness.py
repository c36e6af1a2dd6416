"""How long work stood still in a run: read from when operations were accepted, and when their calls came in. Pure.

A stall is judged from outside, as a customer sees it. Whose fault it was (a death that has to be believed first, a
provider that asked to wait, the machine) it does not know.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from itertools import pairwise

import msgspec

from tests.chaos.provider import Call
from tests.chaos.workload import Ask, Kind

REPEATED: frozenset[Kind] = frozenset({"unique", "keyed", "update", "upsert"})
"""Kinds that are sent again as soon as their process is known to be dead."""
STEADY: frozenset[Kind] = frozenset({"unique", "keyed"})
"""Those of them that wait for nothing else: changes of a record wait for the one before, which may back off. Other
creates may be in doubt without ever having been called; then they are looked up first, some time later."""


class Accepted(msgspec.Struct, frozen=True, kw_only=True):
    """An operation that was accepted to be done later."""

    ask: Ask
    at: float
    """Seconds of the monotonic clock, when its caller had the answer."""


class Stall(msgspec.Struct, frozen=True, kw_only=True, order=True):
    """A time in which something was to be done and was not. The longest is the greatest."""

    seconds: float = 0.0
    began: float = 0.0
    """Seconds of the monotonic clock."""
    tag: str = ""
    """Of the operation that went out at its end."""
    customer: str = ""


def longest_take_over(accepted: Iterable[Accepted], calls: Sequence[Call]) -> Stall:
    """Find the longest time from a call that was lost with its caller to the next one for the same operation.

    A call was lost if nothing went wrong with it and it was made again nevertheless.
    """
    by_tag: defaultdict[str, list[Call]] = defaultdict(list)
    for call in calls:
        for tag in call.tags:
            by_tag[tag].append(call)
    repeated = (each.ask for each in accepted if each.ask.kind in REPEATED)
    return max((stall for ask in repeated for stall in _lost(ask, by_tag[ask.tag])), default=Stall())


def _lost(ask: Ask, calls: Sequence[Call]) -> Iterator[Stall]:
    for one, next_one in pairwise(calls):
        if one.fault is None:
            yield Stall(seconds=next_one.at - one.at, began=one.at, tag=ask.tag, customer=ask.customer)


def longest_stall(accepted: Iterable[Accepted], calls: Sequence[Call]) -> Stall:
    """Find the longest time in which a customer's create waited for its first call and no call of theirs came in.

    Only `STEADY` creates are looked at. Calls without tags are not theirs in this sense: nobody waits in a lane for a
    deletion or a look-up.
    """
    moments: defaultdict[str, list[float]] = defaultdict(list)
    for call in calls:
        if call.tags:
            moments[call.workspace].append(call.at)
    return _longest(accepted, calls, moments)


def longest_gap(accepted: Sequence[Accepted], calls: Sequence[Call]) -> Stall:
    """Find the longest time in which somebody's create waited for its first call and nobody's call came in."""
    everybody = [call.at for call in calls if call.tags]
    return _longest(accepted, calls, {each.ask.customer: everybody for each in accepted})


def waiting_since(
    accepted: Iterable[Accepted], *, seen: Container[str], called_at: Mapping[str, float]
) -> dict[str, float]:
    """Tell since when work has been standing still, for each customer who has a create without a call.

    ``seen`` are the tags that came in, ``called_at`` is when each customer's last call came in that bore one.
    """
    since: dict[str, float] = {}
    for each in accepted:
        if each.ask.kind in STEADY and each.ask.tag not in seen:
            since.setdefault(each.ask.customer, max(each.at, called_at.get(each.ask.customer, 0.0)))
    return since


def _longest(accepted: Iterable[Accepted], calls: Sequence[Call], moments: Mapping[str, Sequence[float]]) -> Stall:
    first: dict[str, float] = {}
    for call in calls:
        for tag in call.tags:
            first.setdefault(tag, call.at)
    found = (
        _wait(each, first[each.ask.tag], moments[each.ask.customer])
        for each in accepted
        if each.ask.kind in STEADY and each.ask.tag in first
    )
    return max(found, default=Stall())


def _wait(each: Accepted, first: float, moments: Sequence[float]) -> Stall:
    """Tell how long one stood still: from the call before its own, or from when it was there."""
    place = bisect_left(moments, first)
    began = max(each.at, moments[place - 1]) if place else each.at
    return Stall(seconds=max(0.0, first - began), began=began, tag=each.ask.tag, customer=each.ask.customer)
