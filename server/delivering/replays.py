"""What failed, done again: each operation by a new one with the same payload, and never twice.

What was written is left out: of a batch only the records that were not, also where the batch as a whole has succeeded.
What may have been written is not touched at all, as its key belongs to the operation that failed, and nothing would
tell the provider that it is the same.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from msgspec.structs import replace

from connectors.errors import ConnectorError
from installations.errors import NotFound
from installations.installation import Installation
from installations.operation import Operation
from installations.pipeline import Plan
from installations.record import RecordOutcome
from installations.repetition import is_settled
from server import logs
from server.clock import Clock, NewId
from server.delivering.interventions import MOST, Handled, Line, Waking, pages
from server.delivering.look_ups import names
from server.delivering.orders import batch_key
from server.delivering.payloads import Stored, encoded, stored_outcome, with_gathered
from server.delivering.verdicts import InterventionError, Unfit, kept, span
from server.directory import Opened
from server.store.contract import Missing, OperationFilter, Replay, Superseded


class ReplayStore(Line, Protocol):
    """The part of the store that replays use."""

    async def replay(self, project_id: str, replays: Sequence[Replay]) -> list[bool]:
        """Store operations that do failed ones again."""
        ...

    async def gathered(self, project_id: str, operation_id: str) -> list[bytes]:
        """Open the records of an auto-batch."""
        ...

    async def count_operations(self, project_id: str, which: OperationFilter) -> int:
        """Count them."""
        ...


class Homes(Protocol):
    """Knows whose operations they are (`server/directory.py`)."""

    async def installation(self, project_id: str, installation_id: str) -> Installation:
        """Find one. Raises `Missing`."""
        ...

    async def opened(self, operation: Operation) -> Opened:
        """Open what an operation goes to. Raises `Missing`, `NotFound`, `ConnectorError`."""
        ...


class Replays:
    """Does failed operations again."""

    def __init__(self, store: ReplayStore, homes: Homes, *, waking: Waking, clock: Clock, new_id: NewId) -> None:
        self._store = store
        self._homes = homes
        self._waking = waking
        self._clock = clock
        self._new_id = new_id

    async def replay(self, failed: Operation) -> Operation:
        """Do one again; answer the new operation. Raises `Unfit`, `Forgotten`, and `Superseded` for a lost race."""
        if failed.replayed_by:
            raise Unfit(f"Operation {failed.replayed_by} has done this one again already.")
        made = await self._again(failed)
        (stored,) = await self._store.replay(failed.project_id, [made])
        if not stored:
            raise Superseded("Another operation has done this one again just now.")
        await self._waking.submit(made.operation.connection_id)
        logs.event("operation.replayed", project_id=failed.project_id, operation_id=failed.id, by=made.operation.id)
        return made.operation

    async def replay_all(self, project_id: str, which: OperationFilter) -> Handled:
        """Do failures again, the earliest first, up to `MOST` of them; answer the new operations' ids.

        ``which`` has ``replayable``. Failures of installations that are gone are left as they are.
        """
        ids: list[str] = []
        lanes: set[str] = set()
        seen = 0
        async for page in pages(self._store, project_id, which):
            seen += len(page)
            made = [one for failed in page if (one := await self._possible(failed)) is not None]
            stored = await self._store.replay(project_id, made)
            done = [one.operation for one, is_stored in zip(made, stored, strict=True) if is_stored]
            ids += [one.id for one in done]
            lanes |= {one.connection_id for one in done}
        for lane_id in sorted(lanes):
            await self._waking.submit(lane_id)
        logs.event("operations.replayed", project_id=project_id, count=len(ids))
        more = seen >= MOST and await self._store.count_operations(project_id, which) > 0
        return Handled(operation_ids=tuple(ids), more=more)

    async def _possible(self, failed: Operation) -> Replay | None:
        try:
            return await self._again(failed)
        except InterventionError:
            return None

    async def _again(self, failed: Operation) -> Replay:
        try:
            home = await self._homes.installation(failed.project_id, failed.installation_id)
        except Missing as error:
            raise Unfit("The installation of this operation is gone.") from error
        carried = kept(failed)
        if failed.gathered:
            carried = with_gathered(carried, await self._store.gathered(failed.project_id, failed.id))
        left = unwritten(failed, carried.plan)
        plan = left.plan
        operation = replace(
            again(failed, left, operation_id=self._new_id(), connection_id=home.connection.id, now=self._clock()),
            batch_key=await self._batch_key(failed, plan),
        )
        return Replay(operation=operation, turns=tuple(names(operation.connection_id, plan)))

    async def _batch_key(self, failed: Operation, plan: Plan) -> str:
        """Name what it may go out with: nothing, for one that took its process down or cannot be sent at the moment."""
        if failed.reason == "poison":
            return ""
        try:
            opened = await self._homes.opened(failed)
        except (Missing, NotFound, ConnectorError):
            return ""
        return batch_key(failed.installation_id, opened.connector, plan, on_ambiguous=failed.on_ambiguous)


def unwritten(failed: Operation, plan: Plan) -> Stored:
    """Leave out the records that were written. Raises `Unfit` where none is left, or one may have been."""
    outcome = stored_outcome(failed)
    if outcome is None and failed.state == "success":
        raise Unfit("This operation has succeeded, and what came of its records is no longer kept.")
    records = (None,) * len(plan.records) if outcome is None else outcome.records
    left = [index for index, came in enumerate(records) if came is None or not came.success]
    if not left:
        raise Unfit("This operation has succeeded: every record has been written, and nothing is left to do again.")
    if failed.doubtful and failed.repeat != "safe" and not all(_is_refused(failed, records[index]) for index in left):
        raise Unfit("An attempt of this operation may have happened; look at the account, and write anew if not.")
    places = () if len(left) == len(plan.records) else tuple(left)
    return Stored(plan=replace(plan, records=tuple(plan.records[index] for index in left)), places=places)


def _is_refused(failed: Operation, came: RecordOutcome | None) -> bool:
    """Whether a record was not written beyond doubt, although another one of its operation may have been.

    A failure is doubted as a whole: it may have ended before anybody knew.
    """
    return failed.state == "success" and came is not None and is_settled(came)


def again(failed: Operation, left: Stored, *, operation_id: str, connection_id: str, now: datetime) -> Operation:
    """Build the operation that does a failed one again, with as much time as that one had."""
    return Operation(
        id=operation_id,
        project_id=failed.project_id,
        integration_id=failed.integration_id,
        installation_id=failed.installation_id,
        config_id=failed.config_id,
        group_ref=failed.group_ref,
        object_name=failed.object_name,
        action=failed.action,
        mode="asynchronous",
        state="queued",
        payload=encoded(left),
        connection_id=connection_id,
        on_ambiguous=failed.on_ambiguous,
        replay_of=failed.id,
        record_key=failed.record_key,
        run_at=now,
        deadline_at=now + span(failed),
        create_time=now,
        update_time=now,
    )
