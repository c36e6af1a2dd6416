"""How a caller fails to get in.

AccessError
├── Unauthenticated    no credential, or none that we know
│   └── BadToken       a signed token that is refused
├── Forbidden          known, but not allowed to do this
└── TooManyRequests    allowed, but not this often
"""


class AccessError(Exception):
    """The root: the caller may not do this."""


class Unauthenticated(AccessError):
    """No credential came with the request, or none that we know."""


class BadToken(Unauthenticated):
    """The signed token is malformed, forged, over, or of a key that is not in use."""


class Forbidden(AccessError):
    """The credential is known and does not reach this far."""


class TooManyRequests(AccessError):
    """The caller, or the connection that it wants called, has used up its rate for now."""

    def __init__(self, after_seconds: int) -> None:
        super().__init__(f"Too many requests; the next one may come in {after_seconds} s.")
        self.after_seconds = after_seconds
