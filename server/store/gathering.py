"""Into which auto-batch each record goes: the open one of its key until that is full, then a new one."""

from collections.abc import Mapping, Sequence

import msgspec

from server.store.hot import Gather, Wake


class Open(msgspec.Struct, frozen=True, kw_only=True):
    """An auto-batch that takes records."""

    operation_id: str
    gathered: int


class Placed(msgspec.Struct, frozen=True, kw_only=True):
    """Where a record went."""

    move: Gather
    operation_id: str
    place: int
    opens: bool
    """The move's own operation became the auto-batch."""
    fills: bool
    """It takes no more, and is due now."""

    @property
    def wake(self) -> Wake | None:
        """What it means for the lane."""
        if self.fills:
            return Wake(lane_id=self.move.lane_id, project_id=self.move.project_id, at=self.move.now, due=True)
        return self.move.begin.wake if self.opens else None


def place(moves: Sequence[Gather], open_ones: Mapping[tuple[str, str], Open]) -> list[Placed]:
    """Place records in their order; what is open is known by project and key."""
    known = dict(open_ones)
    placed: list[Placed] = []
    for move in moves:
        key = (move.project_id, move.gather_key)
        into = known.get(key)
        own_id: str = move.begin.operation[0]
        count = into.gathered + 1 if into else 1
        target = into.operation_id if into else own_id
        placed.append(Placed(move=move, operation_id=target, place=count, opens=into is None, fills=count >= move.most))
        if count >= move.most:
            known.pop(key, None)
        else:
            known[key] = Open(operation_id=target, gathered=count)
    return placed
