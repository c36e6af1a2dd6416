"""What the rules cost, against a comprehension written by hand for the same customer.

``python -m tests.benchmarks.pipeline``

The hand-written code knows the customer's rules as constants, checks nothing and explains nothing. Both run in turns in
one process, so that a noisy machine is noisy for both. Figures are microseconds for one record.
"""

import gc
import statistics
import time
from collections.abc import Callable
from typing import Any

import msgspec

from installations.config import ConfigContent
from installations.manifest import IntegrationSpec
from installations.pipeline import Current, Rules, compile_rules, plan, settle
from installations.record import Action, Record, WriteRequest

ROUNDS = 60
RENAMES = {f"mine_{n}": f"Theirs_{n}__c" for n in range(10)}
DEFAULTS: Record = {f"Default_{n}__c": f"value {n}" for n in range(5)}
NEVER = {"create": ("Field_0__c", "Field_1__c"), "update": ("Field_2__c", "Field_3__c")}
IF_EMPTY = {"create": (), "update": ("Field_4__c",)}

SPEC: dict[str, Any] = {
    "name": "crm",
    "provider": "salesforce",
    "read": {"objects": [{"objectName": "contact", "optionalFields": [{"mapToName": name} for name in RENAMES]}]},
    "write": {"objects": [{"objectName": "contact", "inheritMapping": True}]},
}
SETTINGS: dict[str, Any] = {
    **{name: {"default": {"stringValue": value}} for name, value in DEFAULTS.items()},
    **{name: {"writeOnCreate": "never"} for name in NEVER["create"]},
    **{name: {"writeOnUpdate": "never"} for name in NEVER["update"]},
    **{name: {"writeOnUpdate": "ifEmpty"} for name in IF_EMPTY["update"]},
}
CONFIG: dict[str, Any] = {
    "provider": "salesforce",
    "read": {"objects": {"contact": {"objectName": "contact", "selectedFieldMappings": RENAMES}}},
    "write": {"objects": {"contact": {"objectName": "contact", "selectedFieldSettings": SETTINGS}}},
}


def rules() -> Rules:
    """Compile the rules, as a server does once for each config revision."""
    return compile_rules(msgspec.convert(SPEC, IntegrationSpec), msgspec.convert(CONFIG, ConfigContent), "contact")


def record(size: int) -> Record:
    """Make a record: a third of the first 30 fields under mapped names, five with overwrite rules."""
    return {**dict.fromkeys(RENAMES, "x"), **{f"Field_{n}__c": "x" for n in range(size - len(RENAMES))}}


def by_hand(asked: Record, action: Action, current: Record) -> Record:
    """Do the same for one customer whose rules are known when the code is written."""
    rename = RENAMES
    out = {rename.get(key, key): value for key, value in asked.items()}
    for key, value in DEFAULTS.items():
        if key not in out:
            out[key] = value
    for key in NEVER[action]:
        out.pop(key, None)
    for key in IF_EMPTY[action]:
        if key in out and current.get(key) not in (None, ""):
            del out[key]
    return out


def timed(work: Callable[[], object], *, times: int) -> float:
    """Time one turn; microseconds for each call."""
    started = time.perf_counter_ns()
    for _ in range(times):
        work()
    return (time.perf_counter_ns() - started) / times / 1000


def compare(action: Action, size: int) -> None:
    """Print one line: both costs and their ratio."""
    ready, fields, now = rules(), record(size), {"Field_4__c": "there"}
    asked = WriteRequest(group_ref="g", type=action, record={**fields, "id": "003x"} if action == "update" else fields)
    current = [Current(id="003x", fields=now)] if action == "update" else []
    if settle(plan(asked, ready), current).records[0].fields != by_hand(fields, action, now):
        raise AssertionError("the two do not do the same")
    times = max(20, 30_000 // size)
    turns = [
        (
            timed(lambda: by_hand(fields, action, now), times=times),
            timed(lambda: settle(plan(asked, ready), current), times=times),
        )
        for _ in range(ROUNDS)
    ]
    hand, pipe = (statistics.median(column) for column in zip(*turns, strict=True))
    hand_best, pipe_best = (min(column) for column in zip(*turns, strict=True))
    print(
        f"{action:7} {size:5} fields   by hand {hand:8.2f} (best {hand_best:8.2f})   "
        f"pipeline {pipe:8.2f} (best {pipe_best:8.2f})   ratio {pipe / hand:4.2f} (best {pipe_best / hand_best:4.2f})"
    )


def main() -> None:
    """Print every figure."""
    gc.collect()
    gc.freeze()
    started = time.perf_counter_ns()
    rules()
    print(f"compile once: {(time.perf_counter_ns() - started) / 1000:.0f} microseconds")
    for size in (30, 300, 3000):
        for action in ("create", "update"):
            compare(action, size)


if __name__ == "__main__":
    main()
