"""Our own OpenAPI document against the server it describes: thousands of requests that it allows and forbids.

Every status, media type, header and shape must be documented, nothing may be a server error, and no key must mean no
answer. ``ISTHMUS_EXAMPLES=200`` tries harder.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi import checks

from tests.server.api.town import furnished
from tests.server.loopback import Served, on_loopback

EXAMPLES = int(os.environ.get("ISTHMUS_EXAMPLES", "50"))
CHECKS = [
    not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_schema_conformance,
    checks.response_headers_conformance,
    checks.ignored_auth,
]
PATHS = {
    "projectIdOrName": "project",
    "integrationIdOrName": "integration",
    "installationId": "installation",
    "connectionId": "connection",
    "providerAppId": "providerApp",
    "apiKey": "apiKey",
    "keyId": "jwtKey",
    "operationId": "operation",
}
SURFACE = schemathesis.openapi.from_path(
    Path(__file__).parent / "api" / "openapi.json", config=schemathesis.Config.from_dict({"seed": 20261122})
)
"""The snapshot, which ``api/test_openapi.py`` compares with what is served."""
WORDS = {"objectName": "contacts", "provider": "sandbox", "groupRef": "g1"}


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    with on_loopback() as served:
        yield served


@pytest.fixture(scope="module")
def names(served: Served) -> dict[str, str]:
    return dict(served.ask(furnished(served.house)))


@SURFACE.parametrize()
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_the_server_is_as_it_is_described(case: Any, served: Served, names: dict[str, str]) -> None:
    aim(case, names)
    case.call_and_validate(base_url=served.origin, headers={"X-Api-Key": served.house.key}, checks=CHECKS)


def aim(case: Any, names: dict[str, str]) -> None:
    """Name what is there, so that a request gets further than the first look-up; what is deleted is not."""
    known = {**WORDS, **{public: names[name] for public, name in PATHS.items()}}
    kept = {"projectIdOrName"} if case.method.lower() == "delete" else set(known)
    case.path_parameters = {
        name: known[name] if name in kept else value for name, value in case.path_parameters.items()
    }
    if isinstance(case.body, dict):
        case.body = {n: WORDS[n] if n in WORDS and isinstance(v, str) else v for n, v in case.body.items()}
