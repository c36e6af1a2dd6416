"""Faults on demand: what goes wrong, for which requests, and how often."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

FaultName = Literal["rate_limit", "status", "drop", "delay", "broken_json"]


class FaultRule(msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """One fault. The first rule that fits a request and has times left is used up by it.

    - ``rate_limit``: 429 with Retry-After; nothing happens.
    - ``status``: the status in ``status``, with an error body of the sandbox.
    - ``drop``: the connection is closed without an answer.
    - ``delay``: the answer waits ``delayMs`` milliseconds and is true.
    - ``broken_json``: the status is true, the body is cut in half. The request is always carried out.
    """

    kind: FaultName
    times: Annotated[int, Meta(ge=1, le=1_000_000)] | None = 1
    """How many requests it hits; ``null`` is every request until the faults are replaced."""
    skip: Annotated[int, Meta(ge=0)] = 0
    """How many fitting requests go through before it begins."""
    when: Literal["before", "after"] = "before"
    """For ``status``, ``drop`` and ``delay``: before the request is carried out, or after, when its effect is there."""
    status: Annotated[int, Meta(ge=400, le=599)] = 500
    retry_after_seconds: Annotated[int, Meta(ge=0, le=86_400)] = 1
    """For ``rate_limit``, and for ``status`` 503."""
    retry_after_form: Literal["seconds", "date", "none"] = "seconds"
    delay_ms: Annotated[int, Meta(ge=0, le=600_000)] = 1000
    method: str = ""
    """Only requests with this method; empty is any."""
    path: str = ""
    """Only requests whose path begins with this; empty is any under ``/v1/``."""


class FaultPlan(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The faults of one workspace, in the order they are tried."""

    faults: tuple[FaultRule, ...] = ()


class Faults:
    """The faults that are still to happen in one workspace."""

    def __init__(self) -> None:
        self._rules: list[FaultRule] = []

    def replace(self, plan: FaultPlan) -> None:
        """Forget every fault and take these."""
        self._rules = list(plan.faults)

    def plan(self) -> FaultPlan:
        """Tell what is left."""
        return FaultPlan(faults=tuple(self._rules))

    def take(self, method: str, path: str) -> FaultRule | None:
        """Answer the fault for this request, if there is one, and count it."""
        for index, rule in enumerate(self._rules):
            if (rule.method and rule.method != method) or not path.startswith(rule.path):
                continue
            if rule.skip:
                self._rules[index] = msgspec.structs.replace(rule, skip=rule.skip - 1)
                continue
            self._count(index, rule)
            return rule
        return None

    def _count(self, index: int, rule: FaultRule) -> None:
        if rule.times is None:
            return
        if rule.times == 1:
            del self._rules[index]
        else:
            self._rules[index] = msgspec.structs.replace(rule, times=rule.times - 1)
