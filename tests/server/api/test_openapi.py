"""The surface of the server, as a snapshot: a change of it is seen in the diff."""

import json
import os
from pathlib import Path

import httpx
import jsonschema

SNAPSHOT = Path(__file__).parent / "openapi.json"


async def test_the_surface_is_the_one_that_was_reviewed(api: httpx.AsyncClient) -> None:
    """Write it anew with ``ISTHMUS_SNAPSHOT=write``, and read the diff."""
    document = (await api.get("/openapi.json")).json()
    if os.environ.get("ISTHMUS_SNAPSHOT") == "write":
        SNAPSHOT.write_text(json.dumps(document, indent=1, sort_keys=True) + "\n")
    assert document == json.loads(SNAPSHOT.read_text())


async def test_every_reference_leads_somewhere_and_names_are_public(api: httpx.AsyncClient) -> None:
    document = (await api.get("/openapi.json")).json()
    text = json.dumps(document)
    for name in {part.split('"')[0] for part in text.split("#/components/schemas/")[1:]}:
        assert name in document["components"]["schemas"], name
    assert not [path for path in document["paths"] if "/:" in path or "_" in path]
    for schema in document["components"]["schemas"].values():
        jsonschema.Draft202012Validator.check_schema(schema)
    operations = [one["operationId"] for methods in document["paths"].values() for one in methods.values()]
    assert len(operations) == len(set(operations))


async def test_every_operation_says_what_it_is_for_and_nothing_of_how_it_is_made(api: httpx.AsyncClient) -> None:
    document = (await api.get("/openapi.json")).json()
    for operation in (one for methods in document["paths"].values() for one in methods.values()):
        said = operation["description"]
        assert said.endswith("."), operation["operationId"]
        assert "Raises" not in said
        assert "``" not in said
