"""The port of every engine: it says "attend to lane X, not before T", and knows nothing of operations.

The rows of operations and lanes are the truth (`server/store/contract/lanes.py`). An engine may forget, repeat or be
late: the worker asks the store once a second what is due and submits that again, and a lane that somebody attends to
already is left alone. So any queue can stand here; nothing but speed depends on it.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Protocol

Attend = Callable[[str], Awaitable[None]]
"""Does the work of a lane, by its id, and returns when there is none left for now. It raises nothing."""


class Engine(Protocol):
    """Calls `Attend` for lanes that were submitted, a bounded number at a time, in turn."""

    async def submit(self, lane_id: str, *, not_before: datetime | None = None) -> None:
        """Have a lane attended to. Twice is once, as long as it has not begun. Raises nothing."""

    async def cancel(self, lane_id: str) -> None:
        """Forget a lane that was submitted and has not begun."""

    async def run(self, attend: Attend) -> None:
        """Attend to lanes until cancelled, or until `close`."""

    async def close(self) -> None:
        """Begin nothing more, and return when what has begun is done."""
