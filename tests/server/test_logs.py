"""What gets into the log, and what does not."""

import asyncio
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest

from server import logs
from tests.server.house import open_house


@pytest.fixture
def written(capsys: pytest.CaptureFixture[str]) -> Iterator[Any]:
    """Start logging; calling this gives the lines so far."""
    logs.start_logging(level=logging.DEBUG)
    yield lambda: [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    logs.start_logging(level=logging.WARNING)


def test_an_error_is_recorded_by_its_class_and_place_and_never_by_its_text(written: Any) -> None:
    try:
        int("hunter2")
    except ValueError as error:
        logs.failed("request.failed", error, request_id="r1")
    (line,) = written()
    assert (line["event"], line["error"], line["request_id"], line["level"]) == (
        "request.failed",
        "ValueError",
        "r1",
        "error",
    )
    assert "test_logs.py" in line["trace"][-1]
    assert "hunter2" not in str(line)


SAID = [
    # what a library logs, and what stands in our log
    (("Task exception was never retrieved\nfuture: <Task exception=ValueError('hunter2')>",), "Task exception was"),
    (("Exception in callback send('hunter2')",), "Exception in callback send"),
    (("Unclosed client session: %r", "hunter2"), "Unclosed client session"),
    (("GET %s", "https://api.test/?key=hunter2"), "GET %s"),
    (("{'token': 'hunter2'}",), ""),
]


@pytest.mark.parametrize(("message", "kept"), SAID)
def test_a_library_is_quoted_without_what_it_mentions(written: Any, message: tuple[str, ...], kept: str) -> None:
    logging.getLogger("some.library").warning(*message)
    (line,) = written()
    assert (line["event"], line["library"]) == ("library.spoke", "some.library")
    assert line["said"].startswith(kept)
    assert "hunter2" not in str(line)


async def test_an_exception_that_nobody_waited_for_is_not_quoted(written: Any) -> None:
    async def failing() -> None:
        raise ValueError("hunter2")

    task = asyncio.create_task(failing())
    await asyncio.wait([task])
    asyncio.get_running_loop().call_exception_handler(
        {"message": "Task exception was never retrieved", "exception": task.exception(), "task": task}
    )
    lines = written()
    assert [line["error"] for line in lines if line["event"] == "library.spoke"] == ["ValueError"]
    assert "hunter2" not in str(lines)


async def test_a_caller_that_hangs_up_inside_its_body_is_no_fault_of_ours(written: Any) -> None:
    """Else anybody could fill the log with errors of ours."""
    heard, sent = iter([{"type": "http.request", "body": b"{", "more_body": True}]), []

    async def receive() -> Any:
        return next(heard, {"type": "http.disconnect"})

    async def send(message: Any) -> None:
        sent.append(message.get("status"))

    async with open_house() as house:
        for path in ("/v1/projects/acme/connections:generate", "/v1/projects/acme/integrations/crm/objects/contacts"):
            headers = [(b"x-api-key", house.key.encode()), (b"content-type", b"application/json")]
            scope = {"type": "http", "method": "POST", "path": path, "raw_path": path.encode(), "query_string": b""}
            await house.app({**scope, "headers": [*headers, (b"content-length", b"9")]}, receive, send)
    assert [status for status in sent if status] == [400, 400]
    assert "request.failed" not in {line["event"] for line in written()}
