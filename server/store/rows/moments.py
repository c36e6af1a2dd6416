"""Times that come out of an expression: SQLite does not know there that a text is one."""

from datetime import datetime


def moment(value: datetime | str | None) -> datetime | None:
    """Read a time that the database answered."""
    return datetime.fromisoformat(value) if isinstance(value, str) else value
