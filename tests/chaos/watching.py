"""What the API tells of a run's operations, and waiting until all of them have ended."""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from datetime import datetime
from typing import Any

import httpx

from tests.chaos.databases import Postgres
from tests.chaos.judge import Ended
from tests.chaos.stage import Stage

UNDER_WAY = ("queued", "claimed", "sent", "parked")
PATIENCE_SECONDS = 240.0
PAGE = 1000
POLL_SECONDS = 0.5
_HURRY = (
    "UPDATE lanes SET wake_at = (SELECT min(create_time) FROM operations) WHERE id IN "
    "(SELECT connection_id FROM operations WHERE state = 'unknown' AND look_at IS NOT NULL)"
)
LOOKS = (
    "UPDATE operations SET look_at = create_time WHERE state = 'unknown' AND look_at IS NOT NULL",
    _HURRY,
)
"""Let the times of all look-ups have come."""


async def operations(stage: Stage) -> dict[str, Ended]:
    """List every operation there is, through one of the servers."""
    found: dict[str, Ended] = {}
    async with client(stage, await stage.fleet.some_origin(0)) as http:
        async for each in _listed(http):
            found[each["id"]] = _ended(each)
    return found


async def in_progress(stage: Stage) -> bool:
    """Ask whether any operation is still to end. A server that cannot tell now says yes."""
    async with client(stage, await stage.fleet.some_origin(0)) as http:
        for state in UNDER_WAY:
            answer = await http.get(f"/operations?state={state}&pageSize=1")
            if answer.is_error or answer.json()["results"]:
                return True
    return False


async def all_ended(stage: Stage, *, patience_seconds: float = PATIENCE_SECONDS) -> dict[str, Ended]:
    """Wait until no operation is in progress; answers how they stand then, or when patience is over."""
    started = time.monotonic()
    while await in_progress(stage) or stage.provider.under_way:
        if time.monotonic() - started > patience_seconds:
            break
        await asyncio.sleep(POLL_SECONDS)
    return await operations(stage)


async def settled(stage: Stage, *, patience_seconds: float = PATIENCE_SECONDS) -> dict[str, Ended]:
    """Wait until all have ended, with the time of every look-up passed.

    An operation is looked up three times, sent again, and perhaps in doubt again; and a busy machine may not get to it
    in every round. So rounds are not counted: patience is what ends.
    """
    found = await all_ended(stage, patience_seconds=patience_seconds)
    ends = time.monotonic() + patience_seconds
    while time.monotonic() < ends and await _hurry(stage):
        found = await all_ended(stage, patience_seconds=patience_seconds)
    return found


async def logs(stage: Stage, operation_id: str) -> list[str]:
    """Tell the log of an operation, a line each."""
    async with client(stage, await stage.fleet.some_origin(0)) as http:
        answer = await http.get(f"/operations/{operation_id}/logs")
    if answer.is_error:
        return [f"no log: {answer.status_code}"]
    return [_line(each) for each in answer.json()]


def client(stage: Stage, origin: str) -> httpx.AsyncClient:
    """Make a client of one server that sees the run's project."""
    base = f"{origin}/v1/projects/{stage.town.project}"
    return httpx.AsyncClient(
        base_url=base,
        headers={"X-Api-Key": stage.town.api_key, "X-Isthmus-Detail": "true"},
        trust_env=False,
        timeout=60,
    )


async def _hurry(stage: Stage) -> bool:
    """Let the times of look-ups have come; tells whether there were any."""
    base = stage.database
    waiting = "SELECT count(*) FROM operations WHERE state = 'unknown' AND look_at IS NOT NULL"
    alone = not isinstance(base, Postgres)
    if alone:  # nobody else may have the file open
        await stage.fleet.stop()
    count = int(await asyncio.to_thread(base.run, waiting))
    for statement in LOOKS if count else ():
        await asyncio.to_thread(base.run, statement)
    if alone:
        await stage.fleet.start()
    if count:
        await _looked(stage)
    return count > 0


async def _looked(stage: Stage) -> None:
    """Wait until whatever was due has been looked up: calls come in, and then no more of them."""
    quiet = 0
    while quiet < 2:
        before = len(stage.provider.calls)
        await asyncio.sleep(POLL_SECONDS)
        quiet = quiet + 1 if len(stage.provider.calls) == before else 0


async def _listed(http: httpx.AsyncClient) -> AsyncIterator[Mapping[str, Any]]:
    token = ""
    while True:
        answer = await http.get(f"/operations?pageSize={PAGE}{token}")
        answer.raise_for_status()
        page = answer.json()
        for each in page["results"]:
            yield each
        if page["pagination"]["done"]:
            return
        token = f"&pageToken={page['pagination']['nextPageToken']}"


def _ended(each: Mapping[str, Any]) -> Ended:
    attempts = each["metadata"]["retry"]["attempts"]
    return Ended(
        id=each["id"],
        state=each["state"],
        reason=each.get("reason", ""),
        attempts=attempts,
        crashes=each["crashes"],
        created_at=datetime.fromisoformat(each["createTime"]),
    )


def _line(each: Mapping[str, Any]) -> str:
    message = each["message"]
    details = " ".join(f"{name}={value}" for name, value in message.get("details", {}).items())
    return f"{each['timestamp']} {message['msg']}: {message.get('error', '')} {details}".strip()
