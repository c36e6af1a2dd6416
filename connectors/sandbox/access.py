"""Who may call the sandbox's API: keys, where they go, and what a credential opens.

One key is a credential in many ways: alone, or as the password of its workspace. So every scheme can be tried with one.
"""

from typing import Literal

import msgspec

KEY_HEADER = "X-Sandbox-Key"
KEY_PARAMETER = "sandbox_key"
WORKSPACE_HEADER = "X-Sandbox-Workspace"
SECRET_HEADER = "X-Sandbox-Secret"  # noqa: S105 -- a header's name
SESSION_HEADER = "X-Sandbox-Session"
REGION_PARAMETER = "region"

DEMO_WORKSPACE = "demo"
DEMO_KEY = "sandbox-demo-key"
DEMO_READ_KEY = "sandbox-demo-read-key"

OPEN_WORKSPACE = "open"
OPEN_PREFIX = "/open"
"""Below it the API asks for no credential at all, and works in a workspace of its own."""

AccessLevel = Literal["write", "read"]
Region = Literal["eu", "us"]
Scheme = Literal["none", "apiKey", "basic", "custom", "oauth2"]


class Credential(msgspec.Struct, frozen=True, kw_only=True):
    """What a key or token opens."""

    workspace: str
    access: AccessLevel = "write"
    region: Region = "eu"
    """Where the workspace is said to be; some ways to authenticate have to name it."""
    scheme: Scheme = "apiKey"


DEMO_KEYS = {
    DEMO_KEY: Credential(workspace=DEMO_WORKSPACE),
    DEMO_READ_KEY: Credential(workspace=DEMO_WORKSPACE, access="read"),
}
"""The keys every sandbox starts with. They are no secrets: the sandbox holds nothing worth one."""
