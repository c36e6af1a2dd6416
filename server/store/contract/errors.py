"""How the store fails.

StoreError
├── Missing          no such row in this project
├── Taken            a unique name or pair exists already; carries the id of the row that has it
├── InUse            the row cannot go while others point at it
├── Superseded       a guarded update found another state, owner or version: somebody else was faster
└── Unavailable      the database cannot answer now; the caller may try again
"""


class StoreError(Exception):
    """The root of the store's errors."""


class Missing(StoreError):
    """No such row in this project."""


class Taken(StoreError):
    """A unique name or pair exists already."""

    def __init__(self, message: str, *, existing_id: str) -> None:
        super().__init__(message)
        self.existing_id = existing_id


class InUse(StoreError):
    """The row cannot go while others point at it."""


class Superseded(StoreError):
    """A guarded update found another state: somebody else was faster."""


class Unavailable(StoreError):
    """The database cannot answer now."""
