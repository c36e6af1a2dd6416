"""A furnished project, into which operations are put at any point of their lives."""

from datetime import timedelta
from typing import Any

import msgspec

from installations.operation import Operation
from installations.pipeline import Plan, PlannedRecord
from installations.record import Fault, FaultKind, Outcome, RecordOutcome
from server.clock import new_id
from server.delivering.payloads import Stored, encoded
from tests.server.house import START, House

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
WRITTEN = RecordOutcome(success=True, record_id="7", data={"id": "7"})


class Shelf(msgspec.Struct, kw_only=True):
    """The project, and the ids of what is in it."""

    house: House
    names: dict[str, str]

    async def put(self, **changes: Any) -> str:
        """Store an asynchronous create of one contact; answer its id."""
        made = Operation(
            **{
                "id": new_id(),
                "project_id": self.house.project_id,
                "integration_id": self.names["integration"],
                "installation_id": self.names["installation"],
                "config_id": "config",
                "connection_id": self.names["connection"],
                "group_ref": "g1",
                "object_name": "contacts",
                "action": "create",
                "mode": "asynchronous",
                "state": "queued",
                "payload": planned(1),
                "run_at": START + MINUTE,
                "deadline_at": START + HOUR,
                "create_time": START,
                "update_time": START,
                **changes,
            }
        )
        await self.house.services.store.begin(made)
        return made.id

    async def get(self, path: str, *, detail: bool = False, status: int = 200) -> Any:
        headers = {"X-Isthmus-Detail": "true"} if detail else {}
        answer = await self.house.call("GET", path, headers=headers)
        assert answer.status_code == status, answer.text
        return answer.json()

    async def post(self, path: str, body: Any = None, *, status: int = 200) -> Any:
        answer = await self.house.call("POST", path, json=body)
        assert answer.status_code == status, answer.text
        return answer.json()


def planned(count: int) -> bytes:
    records = tuple(PlannedRecord(fields={"email": f"{index}@b.co"}) for index in range(count))
    return encoded(Stored(plan=Plan(action="create", object_name="contacts", records=records, batch=count > 1)))


def came(*records: RecordOutcome) -> bytes:
    return encoded(Outcome(records=records))


def fault(kind: FaultKind) -> RecordOutcome:
    return RecordOutcome(success=False, fault=Fault(kind=kind, message="no"))


UNKNOWN: dict[str, Any] = {"state": "unknown", "reason": "ambiguous", "attempts": 1, "doubtful": True}
FAILED: dict[str, Any] = {"state": "failure", "reason": "refused", "attempts": 1, "fault_kind": "invalid"}
