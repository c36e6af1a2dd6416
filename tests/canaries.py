"""Secrets for tests, recognisable wherever they turn up; `leaks` looks for them everywhere."""

import itertools
import secrets

WORD = "CANARYsecret"
_numbers = itertools.count(1)


def canary() -> str:
    """Make a secret nobody has used. It is made of letters and digits, so that no encoding but base64 hides it."""
    return f"{WORD}{next(_numbers):05d}{secrets.token_hex(4)}"
