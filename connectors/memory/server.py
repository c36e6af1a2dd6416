"""The provider's side: an httpx transport that answers from dicts, and keeps what it was asked."""

import re
from collections.abc import Callable, Mapping
from typing import Any

import httpx
import msgspec

from connectors.departure import DEPARTURE, Departure
from installations.record import Record
from installations.schema import FieldMetadata

Answer = tuple[int, Any]
_PATH = re.compile(r"/v1/(?P<object>[^/]+)(?:/(?P<rest>[^/]+))?")
_BATCH_LIMIT = 50


class MemoryServer(httpx.AsyncBaseTransport):
    """One account. Objects come into being when first written, unless ``schema`` lists the ones there are."""

    def __init__(
        self,
        schema: dict[str, tuple[FieldMetadata, ...]] | None = None,
        *,
        unique: Mapping[str, str] | None = None,
    ) -> None:
        self.records: dict[str, dict[str, Record]] = {}
        """What is stored: object, id, fields."""
        self.requests: list[httpx.Request] = []
        """What was asked, in order."""
        self.schema = schema
        self.unique = unique or {}
        """The field of an object of which no two records have the same value."""
        self._kept: dict[tuple[str, str], Answer] = {}
        self._scripted: list[httpx.Response | Exception] = []
        self._last_id = 0

    def answer_next(self, *answers: httpx.Response | Exception) -> None:
        """Answer the next requests so, in place of doing what they ask; an exception is raised as from a network."""
        self._scripted.extend(answers)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Answer one request. A scripted exception is raised after the request counts as sent."""
        departure = request.extensions.get(DEPARTURE)
        if isinstance(departure, Departure):
            departure.vouch()
            departure.depart()
        self.requests.append(request)
        if self._scripted:
            scripted = self._scripted.pop(0)
            if isinstance(scripted, Exception):
                raise scripted
            return scripted
        status, body = self._route(request)
        content = b"" if body is None else msgspec.json.encode(body)
        return httpx.Response(status, headers={"Content-Type": "application/json"}, content=content)

    def _route(self, request: httpx.Request) -> Answer:
        if request.url.path == "/v1":
            return 200, {"ok": True}
        found = _PATH.fullmatch(request.url.path)
        if found is None or not self._known(found["object"]):
            return 404, {"code": "UNKNOWN_OBJECT", "message": "there is no such object"}
        rest = found["rest"]
        if rest is None or rest.startswith(":"):
            return self._on_collection(request, found["object"], rest or ":create")
        return self._on_record(request, found["object"], rest)

    def _known(self, object_name: str) -> bool:
        return self.schema is None or object_name in self.schema

    def _on_collection(self, request: httpx.Request, object_name: str, verb: str) -> Answer:
        if verb == ":describe":
            return 200, {"fields": (self.schema or {}).get(object_name, ())}
        body = msgspec.json.decode(request.content)
        if verb == ":create":
            return self._create(object_name, body, key=request.headers.get("idempotency-key"))
        if verb == ":find":
            return 200, {"records": self._find(object_name, body["field"], body["value"])}
        if verb == ":fetch":
            stored = self.records.get(object_name, {})
            return 200, {"records": [stored[key] | {"id": key} for key in body["ids"] if key in stored]}
        return self._on_batch(object_name, verb, body)

    def _on_batch(self, object_name: str, verb: str, body: dict[str, Any]) -> Answer:
        keys = iter(body.get("keys", ()))
        steps: dict[str, Callable[[Record], Answer]] = {
            ":createBatch": lambda item: self._create(object_name, item, key=next(keys, None)),
            ":updateBatch": lambda item: self._update(object_name, str(item.pop("id", "")), item),
            ":upsertBatch": lambda item: self._upsert(object_name, body["matchField"], item),
            ":deleteBatch": lambda item: self._delete(object_name, str(item.get("id", ""))),
        }
        step, items = steps.get(verb), body["records"]
        if step is None or len(items) > _BATCH_LIMIT:
            return 400, {"code": "BAD_BATCH", "message": f"{verb} is unknown or holds more than {_BATCH_LIMIT}"}
        before = {name: dict(records) for name, records in self.records.items()}, dict(self._kept)
        results = [step(dict(item)) for item in items]
        if body.get("allOrNone") and any(status >= httpx.codes.BAD_REQUEST for status, _ in results):
            self.records, self._kept = before
            results = [
                result if result[0] >= httpx.codes.BAD_REQUEST else (409, {"message": "rolled back"})
                for result in results
            ]
        return 200, {"results": [{"status": status, "body": answer} for status, answer in results]}

    def _on_record(self, request: httpx.Request, object_name: str, record_id: str) -> Answer:
        if request.method == "PATCH":
            return self._update(object_name, record_id, msgspec.json.decode(request.content))
        if request.method == "DELETE":
            return self._delete(object_name, record_id)
        return 405, {"message": f"{request.method} is not offered"}

    def _create(self, object_name: str, fields: Record, *, key: str | None) -> Answer:
        """Create a record, or say again what was said to its key; keys are remembered for ever."""
        if key is not None and (object_name, key) in self._kept:
            return self._kept[object_name, key]
        field = self.unique.get(object_name, "")
        taken = self._find(object_name, field, fields[field]) if fields.get(field) is not None else []
        if taken:
            return 409, {"message": f"another record has this {field}", "existing_id": taken[0]["id"]}
        answer = 201, self._save(object_name, None, fields)
        if key is not None:
            self._kept[object_name, key] = answer
        return answer

    def _save(self, object_name: str, record_id: str | None, fields: Record) -> Record:
        if record_id is None:
            self._last_id += 1
            record_id = str(self._last_id)
        stored = self.records.setdefault(object_name, {})
        stored[record_id] = stored.get(record_id, {}) | fields
        return stored[record_id] | {"id": record_id}

    def _update(self, object_name: str, record_id: str, fields: Record) -> Answer:
        if record_id not in self.records.get(object_name, {}):
            return 404, {"code": "NO_RECORD", "message": f"there is no {object_name} {record_id}"}
        return 200, self._save(object_name, record_id, fields)

    def _upsert(self, object_name: str, match_field: str, fields: Record) -> Answer:
        found = self._find(object_name, match_field, fields.get(match_field))
        if len(found) > 1:
            return 409, {"code": "SEVERAL", "message": f"{len(found)} records match"}
        saved = self._save(object_name, found[0]["id"] if found else None, fields)
        return (200 if found else 201), saved

    def _delete(self, object_name: str, record_id: str) -> Answer:
        if self.records.get(object_name, {}).pop(record_id, None) is None:
            return 404, {"code": "NO_RECORD", "message": f"there is no {object_name} {record_id}"}
        return 204, None

    def _find(self, object_name: str, field: str, value: Any) -> list[Record]:
        stored = self.records.get(object_name, {})
        return [fields | {"id": key} for key, fields in stored.items() if fields.get(field) == value]
