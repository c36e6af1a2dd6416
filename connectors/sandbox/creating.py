"""How a record is created once, however often it is sent: by its key, where its object takes keys."""

import msgspec

from connectors.sandbox.calls import Answer, Call, read_body
from connectors.sandbox.keys import KeptKeys, Said, fingerprint
from connectors.sandbox.workspace import RecordWrite


class Created(msgspec.Struct, frozen=True, kw_only=True):
    """What a create is answered: 201 with the record, or what was said before."""

    said: Said
    replayed: bool


def create_once(call: Call, object_name: str, write: RecordWrite, *, key: str | None) -> Created:
    """Create a record, or answer what its key was answered before. Raises `Refusal`."""
    keys = _keys(call, object_name)
    if keys is None or key is None:
        return Created(said=_created(call, object_name, write, key=None), replayed=False)
    sent = fingerprint(object_name, write)
    said = keys.recall(key, sent)
    if said is not None:
        return Created(said=said, replayed=True)
    said = _created(call, object_name, write, key=key)
    keys.keep(key, sent, said, unit=call.unit)
    return Created(said=said, replayed=False)


def keep_refusal(call: Call, answer: Answer) -> None:
    """Let the key of a create remember an error of ours, so that it is said again in place of the create."""
    object_name = call.path.get("object", "")
    keys = _keys(call, object_name)
    if keys is None or call.key is None or "id" in call.path:
        return
    write = read_body(call.body, RecordWrite)
    keys.keep(call.key, fingerprint(object_name, write), Said(status=answer.status, body=answer.body), unit=call.unit)


def _keys(call: Call, object_name: str) -> KeptKeys | None:
    return call.keys if call.workspace.table(object_name).definition.takes_keys else None


def _created(call: Call, object_name: str, write: RecordWrite, *, key: str | None) -> Said:
    return Said(status=201, body=call.workspace.create(object_name, write, unit=call.unit, key=key))
