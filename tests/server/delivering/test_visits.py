"""A visit of which several things break off at once."""

import asyncio
import gc
from typing import Any

import pytest

from server.delivering import visits


async def test_of_tasks_that_break_off_together_every_error_is_seen() -> None:
    complaints: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))

    async def break_off() -> None:
        raise ConnectionResetError("the database crashed")

    tasks = [asyncio.create_task(break_off()) for _ in range(3)]
    await asyncio.wait(tasks)
    with pytest.raises(ConnectionResetError):
        visits._raise_first(tasks)  # noqa: SLF001 -- no port leads there with more than one error at a time
    del tasks
    gc.collect()
    assert complaints == []
