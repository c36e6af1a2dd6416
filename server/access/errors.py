"""How a caller fails to get in.

AccessError
├── Unauthenticated    no credential, or none that we know
└── Forbidden          known, but not allowed to do this
"""


class AccessError(Exception):
    """The root: the caller may not do this."""


class Unauthenticated(AccessError):
    """No credential came with the request, or none that we know."""


class Forbidden(AccessError):
    """The credential is known and does not reach this far."""
