"""What any test may ask for."""

import gc
import json
import os
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tests.leaks import (
    pytest_runtest_logreport,
    pytest_runtest_protocol,
    pytest_sessionfinish,
    pytest_terminal_summary,
)
from tests.oauth_servers.fixtures import (
    lenient_toolkit_server,
    oauth_server,
    oidc_server,
    severing_toolkit_server,
    toolkit_server,
)

__all__ = [
    "lenient_toolkit_server",
    "oauth_server",
    "oidc_server",
    "pytest_runtest_logreport",
    "pytest_runtest_protocol",
    "pytest_sessionfinish",
    "pytest_terminal_summary",
    "severing_toolkit_server",
    "toolkit_server",
]

_DEFAULT = Path(__file__).parents[2] / "shared" / "reference" / "openapi"


class Published:
    """The published OpenAPI documents, by name: ``config``, ``manifest``, ``write`` and so on.

    They lie beside the checkout or where ``ISTHMUS_PUBLISHED_SPECS`` points; without them, tests that ask are skipped.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._documents: dict[str, dict[str, Any]] = {}

    def __call__(self, name: str) -> dict[str, Any]:
        """Load a document, with ``nullable`` of OpenAPI 3.0 as JSON Schema says it, and ``oneOf`` as ``anyOf``."""
        if name not in self._documents:
            self._documents[name] = _as_json_schema(json.loads(self.path(name).read_text(encoding="utf-8")))
        return self._documents[name]

    def path(self, name: str) -> Path:
        """Find a document, for a tool that reads it itself."""
        path = self._folder / f"{name}.json"
        if not path.exists():
            pytest.skip(f"PUBLISHED SPECIFICATIONS ABSENT: no {path}; set ISTHMUS_PUBLISHED_SPECS to their folder")
        return path

    def errors(self, name: str, schema: str, value: Any) -> list[str]:
        """List what a value breaks of a schema under ``components.schemas``."""
        return self.problems(name, {"$ref": f"#/components/schemas/{schema}"}, value)

    def problems(self, name: str, schema: dict[str, Any], value: Any) -> list[str]:
        """List what a value breaks of any schema of a document."""
        # OpenAPI 3.0 builds on an early draft: there, exclusiveMinimum is a boolean.
        validator = jsonschema.Draft4Validator({**schema, "components": self(name)["components"]})
        return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(value)]


def _as_json_schema(node: Any) -> Any:
    if isinstance(node, list):
        return [_as_json_schema(each) for each in node]
    if not isinstance(node, dict):
        return node
    schema = {key: _as_json_schema(each) for key, each in node.items()}
    if schema.get("nullable") is True and isinstance(schema.get("type"), str):
        schema["type"] = [schema["type"], "null"]
        if isinstance(schema.get("enum"), list):
            schema["enum"] = [*schema["enum"], None]
    if "oneOf" in schema:
        # A field of a manifest that has both names fits two published alternatives, though one is asked for.
        schema["anyOf"] = schema.pop("oneOf")
    return schema


@pytest.fixture(scope="session")
def published() -> Published:
    """Give the published documents, or skip loudly."""
    return Published(Path(os.environ.get("ISTHMUS_PUBLISHED_SPECS") or _DEFAULT))


def pytest_collection_finish() -> None:
    """Look for garbage seldom, and not in what stays: building applications makes much, and little of it in circles."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)
