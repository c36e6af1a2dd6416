"""Which of the operations that were claimed go out together. Pure."""

from collections.abc import Sequence

from installations.operation import Operation
from server.store.claiming import ALONE_AFTER_CRASHES

LARGEST_BATCH = 100
"""Operations of one call, whatever the provider takes."""


def grouped(operations: Sequence[Operation]) -> list[list[Operation]]:
    """Put operations that go out together beside each other, in the order of the first of each."""
    groups: list[list[Operation]] = []
    filling: dict[str, list[Operation]] = {}
    for operation in operations:
        key = "" if operation.crashes >= ALONE_AFTER_CRASHES else operation.batch_key
        group = filling.get(key)
        if not key or group is None or len(group) == LARGEST_BATCH:
            group = filling[key] = []
            groups.append(group)
        group.append(operation)
    return groups
