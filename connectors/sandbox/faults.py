"""Faults on demand: what goes wrong, for which requests, how often, and how likely."""

import random
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

FaultName = Literal["rate_limit", "overload", "status", "drop", "reset", "delay", "broken_json"]


class FaultRule(msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """One fault. The first rule that fits a request, has times left and is drawn is used up by it.

    - ``rate_limit``: 429 with Retry-After; nothing happens.
    - ``overload``: 503 ``not_processed`` with Retry-After; nothing happens, and the answer says so.
    - ``status``: the status in ``status``, with an error body of the sandbox.
    - ``drop``: the connection is closed without an answer.
    - ``reset``: the same, by a TCP reset.
    - ``delay``: the answer waits ``delayMs`` milliseconds and is true. Longer than its caller waits, it is a time-out.
    - ``broken_json``: the status is true, the body is cut in half. The request is always carried out.
    """

    kind: FaultName
    times: Annotated[int, Meta(ge=1, le=1_000_000)] | None = 1
    """How many requests it hits; ``null`` is every request until the faults are replaced."""
    skip: Annotated[int, Meta(ge=0)] = 0
    """How many fitting requests go through before it begins."""
    probability: Annotated[float, Meta(gt=0, le=1)] = 1.0
    """How likely it hits a fitting request; drawn by the plan's seed."""
    when: Literal["before", "after"] = "before"
    """For ``status``, ``drop``, ``reset`` and ``delay``: before the request is carried out, or after, when its effect
    is there."""
    status: Annotated[int, Meta(ge=400, le=599)] = 500
    stored: bool = False
    """For ``status`` before a create with a key: the key remembers this answer and says it again."""
    retry_after_seconds: Annotated[int, Meta(ge=0, le=86_400)] = 1
    """For ``rate_limit``, ``overload``, and ``status`` 503."""
    retry_after_form: Literal["seconds", "date", "none"] = "seconds"
    delay_ms: Annotated[int, Meta(ge=0, le=600_000)] = 1000
    method: str = ""
    """Only requests with this method; empty is any."""
    path: str = ""
    """Only requests whose path begins with this; empty is any under ``/v1/``."""
    object: str = ""
    """Only requests about this object; empty is any."""


class FaultPlan(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The faults of one workspace, in the order they are tried."""

    faults: tuple[FaultRule, ...] = ()
    seed: int = 0
    """The same plan and the same requests draw the same faults."""


class Faults:
    """The faults that are still to happen in one workspace."""

    def __init__(self, plan: FaultPlan | None = None) -> None:
        self.replace(plan or FaultPlan())

    def replace(self, plan: FaultPlan) -> None:
        """Forget every fault and take these."""
        self._rules = list(plan.faults)
        self._seed = plan.seed
        self._random = random.Random(plan.seed)  # noqa: S311 -- faults that can be told again, not secrets

    def plan(self) -> FaultPlan:
        """Tell what is left."""
        return FaultPlan(faults=tuple(self._rules), seed=self._seed)

    def take(self, method: str, path: str, object_name: str = "") -> FaultRule | None:
        """Answer the fault for this request, if there is one, and count it."""
        for index, rule in enumerate(self._rules):
            if not _fits(rule, method=method, path=path, object_name=object_name):
                continue
            if rule.skip:
                self._rules[index] = msgspec.structs.replace(rule, skip=rule.skip - 1)
                continue
            if rule.probability < 1 and self._random.random() >= rule.probability:
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


def _fits(rule: FaultRule, *, method: str, path: str, object_name: str) -> bool:
    wanted = not rule.method or rule.method == method
    about = not rule.object or rule.object == object_name
    return wanted and about and path.startswith(rule.path)
