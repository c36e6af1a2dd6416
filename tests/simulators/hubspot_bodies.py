"""The bodies of HubSpot's requests and batch answers, as the simulator reads and writes them."""

import json
from collections.abc import Callable
from typing import Any

from aiohttp import web

from tests.simulators.hubspot_portal import Entry, ObjectType, PortalError, timestamp
from tests.simulators.hubspot_schema import Json

BATCH_LIMIT = 100


async def sent_body(request: web.Request) -> Any:
    """The body for the log: decoded if it is JSON, as text if not."""
    text = await request.text() if request.can_read_body else ""
    try:
        return json.loads(text) if text else None
    except ValueError:
        return text


async def json_body(request: web.Request, allowed: set[str]) -> Json:
    body = await request.json()
    unknown = set(body) - allowed
    if unknown:
        raise PortalError(400, f"Invalid input JSON: unrecognized fields {sorted(unknown)}")
    return dict(body)


async def batch_inputs(request: web.Request, allowed: set[str]) -> list[Json]:
    body = await json_body(request, {"inputs"})
    inputs: list[Json] = body["inputs"]
    if not 0 < len(inputs) <= BATCH_LIMIT:
        raise PortalError(400, f"Invalid number of inputs: {len(inputs)}. The maximum is {BATCH_LIMIT}")
    for item in inputs:
        unknown = set(item) - allowed - {"objectWriteTraceId"}
        if unknown:
            raise PortalError(400, f"Invalid input JSON: unrecognized fields {sorted(unknown)}")
    traces = [item["objectWriteTraceId"] for item in inputs if "objectWriteTraceId" in item]
    if len(set(traces)) != len(traces):
        raise PortalError(400, "Duplicate objectWriteTraceIds found in batch input")
    return inputs


def batch_written(
    inputs: list[Json], write: Callable[[Json], tuple[Entry, Json]], *, success: int, partial: bool = False
) -> web.Response:
    """Write each input. Answers come in another order; without trace ids one bad input fails all, save for updates."""
    partial = partial or all("objectWriteTraceId" in item for item in inputs)
    results: list[Json] = []
    errors: list[Json] = []
    done: list[Entry] = []
    for item in inputs:
        trace_id = item.get("objectWriteTraceId")
        try:
            entry, extra = write(item)
        except PortalError as error:
            if not partial:
                for made in done:
                    made.archived = True
                raise
            errors.append(error.entry(trace_id))
        else:
            done.append(entry)
            results.append(entry.as_json(tuple(item["properties"]), trace_id=trace_id) | extra)
    return batch_answer(results[::-1], errors, success=success)


def batch_answer(results: list[Json], errors: list[Json], *, success: int) -> web.Response:
    now = timestamp()
    body: Json = {"status": "COMPLETE", "results": results, "startedAt": now, "completedAt": now}
    if errors:
        return web.json_response(body | {"numErrors": len(errors), "errors": errors}, status=207)
    return web.json_response(body, status=success)


def missing(kind: ObjectType, ids: list[str]) -> PortalError:
    message = f"Could not get some {kind.singular} objects, they may be deleted or not exist. Check that ids are valid."
    return PortalError(404, message, category="OBJECT_NOT_FOUND", context={"ids": ids})


def matches(entry: Entry, groups: list[Json]) -> bool:
    values = entry.properties | {"hs_object_id": entry.id}
    return any(
        all(
            c["operator"] == "EQ" and values.get(c["propertyName"], "").lower() == c["value"].lower()
            for c in group["filters"]
        )
        for group in groups
    )
