"""Who may call the sandbox's API: keys, and what a credential opens."""

from typing import Literal

import msgspec

KEY_HEADER = "X-Sandbox-Key"
DEMO_WORKSPACE = "demo"
DEMO_KEY = "sandbox-demo-key"
DEMO_READ_KEY = "sandbox-demo-read-key"

AccessLevel = Literal["write", "read"]


class Credential(msgspec.Struct, frozen=True, kw_only=True):
    """What a key or token opens."""

    workspace: str
    access: AccessLevel = "write"
    scheme: Literal["apiKey", "oauth2"] = "apiKey"


DEMO_KEYS = {
    DEMO_KEY: Credential(workspace=DEMO_WORKSPACE),
    DEMO_READ_KEY: Credential(workspace=DEMO_WORKSPACE, access="read"),
}
"""The keys every sandbox starts with. They are no secrets: the sandbox holds nothing worth one."""
