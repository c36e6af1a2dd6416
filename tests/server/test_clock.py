"""Ids: unique, well formed, growing with time."""

import uuid

from server.clock import new_id


def test_ids_are_uuids_of_version_7_that_grow_with_time() -> None:
    drawn = [new_id() for _ in range(10_000)]
    assert len(set(drawn)) == len(drawn)
    assert all(uuid.UUID(each).version == 7 and uuid.UUID(each).variant == uuid.RFC_4122 for each in drawn)
    times = [each[:13] for each in drawn]
    assert times == sorted(times), "within one process the clock goes forward"
    assert all(str(uuid.UUID(each)) == each for each in drawn)
