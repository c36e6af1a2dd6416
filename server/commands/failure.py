"""How a command comes to nothing."""

FAILED = 1
"""The exit code then."""


class CommandFailed(Exception):
    """What was asked cannot be done; the message is the whole explanation."""
