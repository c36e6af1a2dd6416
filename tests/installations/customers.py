"""One customer's rules for one object, from as little manifest and config as a case needs."""

from typing import Any

import msgspec

from installations.config import ConfigContent
from installations.manifest import IntegrationSpec
from installations.pipeline import Current, Plan, Rules, compile_rules, plan, settle
from installations.record import Action, Record, WriteRequest
from installations.rules.trace import Step

Json = dict[str, Any]


def rules(
    write: Json | None = None, read: Json | None = None, *, chosen: Json | None = None, chosen_read: Json | None = None
) -> Rules:
    """Compile: manifest write and read object, then the customer's config for each."""
    name = {"objectName": "contact"}
    spec: Json = {"name": "crm", "provider": "crm", "write": {"objects": [{**name, **(write or {})}]}}
    content: Json = {"provider": "crm", "write": {"objects": {"contact": {**name, **(chosen or {})}}}}
    if read is not None:
        spec["read"] = {"objects": [{**name, **read}]}
    if chosen_read is not None:
        content["read"] = {"objects": {"contact": {**name, **chosen_read}}}
    return compile_rules(msgspec.convert(spec, IntegrationSpec), msgspec.convert(content, ConfigContent), "contact")


def inheriting(read: Json | None = None, chosen_read: Json | None = None) -> Rules:
    """Compile for an object that inherits the mappings of its read object."""
    return rules({"inheritMapping": True}, read or {}, chosen_read=chosen_read or {})


def ask(action: Action, record: Record | None = None, **members: Any) -> WriteRequest:
    """Build a request, as it is decoded from the wire."""
    body: Json = {"groupRef": "acme", "type": action, **members}
    return msgspec.convert(body if record is None else {**body, "record": record}, WriteRequest)


def planned(ready: Rules, action: Action, record: Record) -> Plan:
    """Plan for one record, adding the id where one is needed."""
    return plan(ask(action, {"id": "7", **record} if action in {"update", "delete"} else record), ready)


def sent(ready: Rules, action: Action, record: Record, now: Record | None = None) -> Record:
    """Tell the fields sent for one record, given the provider's current values."""
    current = [] if now is None else [Current(id="7", fields=now)]
    return settle(planned(ready, action, record), current).records[0].fields


def deeds(ready: Rules, action: Action, record: Record) -> list[tuple[str, str, str, str]]:
    """Tell what the trace says: rule, deed, name in the request, provider field."""
    return [_short(step) for step in planned(ready, action, record).records[0].steps]


def _short(step: Step) -> tuple[str, str, str, str]:
    return step.rule, step.deed, step.source, step.field
