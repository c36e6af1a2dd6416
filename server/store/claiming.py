"""Which of a lane's operations are claimed together: as many provider calls as asked for, equal batch keys in one."""

from collections.abc import Sequence

import msgspec

ALONE_AFTER_CRASHES = 2
"""An operation that took its process down so often shares no call with others."""


class Candidate(msgspec.Struct, frozen=True, kw_only=True):
    """An operation that could be claimed."""

    id: str
    batch_key: str
    crashes: int


def chosen(candidates: Sequence[Candidate], *, calls: int, batch: int) -> list[str]:
    """Choose from candidates in their order; one that finds no place leaves its place to those behind it."""
    ids: list[str] = []
    room: dict[str, int] = {}
    for one in candidates:
        together = one.batch_key and one.crashes < ALONE_AFTER_CRASHES
        if together and room.get(one.batch_key, 0) > 0:
            room[one.batch_key] -= 1
        elif calls > 0:
            calls -= 1
            if together:
                room[one.batch_key] = batch - 1
        else:
            continue
        ids.append(one.id)
    return ids
