"""No member that is published for a body is taken for a misspelt one of ours: published clients are never refused."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from installations.slips import near_name
from tests.conftest import Published

OURS = json.loads((Path(__file__).parent / "openapi.json").read_text())
METHODS = ("post", "put", "patch")
Schema = dict[str, Any]
Place = tuple[Schema, list[Schema]]
"""A document, and schemas in it that describe one value together."""


def shape(path: str) -> tuple[str, ...]:
    segments = path.removeprefix("/v1").split("/")
    return tuple("{}" + each.partition("}")[2] if each.startswith("{") else each for each in segments)


def bodies(document: Schema) -> dict[tuple[str, tuple[str, ...]], Place]:
    return {
        (method, shape(path)): (document, [each["schema"] for each in body["content"].values()])
        for path, operations in document["paths"].items()
        for method in METHODS
        if (body := resolved(document, operations.get(method, {}).get("requestBody", {})))
    }


def resolved(document: Schema, schema: Schema) -> Schema:
    while "$ref" in schema:
        found: Any = document
        for step in schema["$ref"].removeprefix("#/").split("/"):
            found = found[step]
        schema = found
    return schema


def parts(place: Place) -> Iterator[Schema]:
    document, schemas = place
    for schema in schemas:
        whole = resolved(document, schema)
        yield whole
        yield from parts((document, [each for kind in ("allOf", "anyOf", "oneOf") for each in whole.get(kind, [])]))


def members(place: Place) -> dict[str, Place]:
    found: dict[str, Place] = {}
    for part in parts(place):
        for name, schema in part.get("properties", {}).items():
            found.setdefault(name, (place[0], []))[1].append(schema)
    return found


def inside(place: Place) -> Place:
    """Answer what stands in a list or under free names."""
    either = [part.get(kind) for part in parts(place) for kind in ("items", "additionalProperties")]
    return place[0], [each for each in either if isinstance(each, dict)]


def compared(ours: Place, theirs: Place, path: str) -> Iterator[tuple[str, str | None]]:
    """Compare place by place: each published member that we do not know, and what it would be taken for."""
    if not ours[1] or not theirs[1]:
        return
    known = members(ours)
    for name, place in members(theirs).items():
        if name in known:
            yield from compared(known[name], place, f"{path}.{name}")
        elif known:
            yield f"{path}.{name}", near_name(name, known)
    yield from compared(inside(ours), inside(theirs), f"{path}[]")


def test_no_published_member_of_a_body_comes_near_one_of_ours(published: Published) -> None:
    offered = bodies(OURS)
    found: dict[str, str | None] = {}
    matched = 0
    for name in ("api.bundled", "write"):
        for key, theirs in bodies(published(name)).items():
            if key in offered:
                matched += 1
                found |= compared(offered[key], theirs, "/".join(key[1]))
    assert matched > 20
    assert len(found) > 50
    assert {path: meant for path, meant in found.items() if meant is not None} == {}
