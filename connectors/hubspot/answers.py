"""How HubSpot answers a write that went through: one record, or a batch whose entries come in any order."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

import httpx
import msgspec

from connectors.answers import clip, decode_body, unmatched, unreadable
from connectors.hubspot.faults import read_entry, refuse, refuse_read
from installations.record import Fault, Outcome, RecordOutcome

Body: TypeAlias = Mapping[str, Any]

_SUCCESSES = frozenset({200, 201, 207})

NO_ID = "HubSpot did not say which of the new records belongs to which input, so some outcomes have no record id"


class Input(msgspec.Struct, frozen=True, kw_only=True):
    """What identifies one input of a batch in the answer."""

    trace_id: str | None
    """Our ``objectWriteTraceId``; ``None`` where the batch was sent without, to be all or nothing."""
    id: str | None
    """The record's id, for an update."""
    key: str | None
    """What stood under ``id`` in the input: the record's id, or for an upsert the value to match by."""
    properties: Mapping[str, str]


Belongs: TypeAlias = Callable[[Input, Body], bool]


def read_record(response: httpx.Response) -> Body:
    """Answer the record of a 200 or 201; raises what anything else means."""
    body = read_success(response)
    if not _id(body):
        raise unreadable(response, "the record has no id")
    return body


def read_success(response: httpx.Response) -> Body:
    """Answer the decoded body of a success to a write; raises what anything else means."""
    if response.status_code not in _SUCCESSES:
        refuse(response)
    return decode_body(response, dict[str, Any])


def read_body(response: httpx.Response) -> Body:
    """Answer the decoded body of a success to a request that only reads; raises what anything else means."""
    if response.status_code not in _SUCCESSES:
        refuse_read(response)
    return decode_body(response, dict[str, Any])


def read_records(body: Body) -> Iterator[Body]:
    """Walk through ``results``, leaving out what has no id."""
    return (item for item in _objects(body.get("results")) if _id(item))


def read_errors(body: Body) -> Iterator[Body]:
    """Walk through the ``errors`` of a 207."""
    return _objects(body.get("errors"))


def from_record(body: Body) -> RecordOutcome:
    """Make the outcome of one written record."""
    new = body.get("new")
    return RecordOutcome(
        success=True, record_id=_id(body), data=dict(body), created=new if isinstance(new, bool) else None
    )


def read_batch(response: httpx.Response, inputs: Sequence[Input]) -> Outcome:
    """Answer one outcome for each input, in order; raises if the batch as a whole did not go through.

    Entries are matched by trace id, else by the id that was sent, else by the values that were sent. An input of which
    the answer says nothing is ``ambiguous``: never a success, never safe to repeat.
    https://developers.hubspot.com/docs/api-reference/error-handling#multi-status-errors
    """
    body = read_success(response)
    outcomes: dict[int, RecordOutcome] = {}
    silent = _match_errors(body, inputs, outcomes)
    strangers = _match_results(body, inputs, outcomes)
    left = [index for index in range(len(inputs)) if index not in outcomes]
    if strangers and len(strangers) == len(left) and not silent:
        outcomes.update({index: RecordOutcome(success=True) for index in left})
        return Outcome(records=_ordered(outcomes, inputs), warnings=(NO_ID,))
    if len(silent) == 1 and len(left) == 1 and not strangers:
        outcomes[left[0]] = RecordOutcome(success=False, fault=silent[0])
        left = []
    outcomes.update(dict.fromkeys(left, _unmatched(response, silent)))
    return Outcome(records=_ordered(outcomes, inputs))


def _match_results(body: Body, inputs: Sequence[Input], outcomes: dict[int, RecordOutcome]) -> list[Body]:
    """Give each result to its input, the surest way first; answer those that are nobody's."""
    results = list(read_records(body))
    for belongs in (_same_trace, _same_id, _same_values):
        count = len(results) + 1
        while len(results) < count:  # A claim may leave another result with one candidate only.
            count = len(results)
            results = [result for result in results if not _claim(result, inputs, outcomes, belongs=belongs)]
    return results


def _claim(result: Body, inputs: Sequence[Input], outcomes: dict[int, RecordOutcome], *, belongs: Belongs) -> bool:
    """Give a result to the one input it can belong to; a wrong id would be worse than none."""
    claims = [index for index, sent in enumerate(inputs) if index not in outcomes and belongs(sent, result)]
    if not claims or any(inputs[index].properties != inputs[claims[0]].properties for index in claims):
        return False
    outcomes[claims[0]] = from_record(result)
    return True


def _same_trace(sent: Input, result: Body) -> bool:
    return sent.trace_id is not None and result.get("objectWriteTraceId") == sent.trace_id


def _same_id(sent: Input, result: Body) -> bool:
    return sent.id is not None and _untraced(result) and _id(result) == sent.id


def _same_values(sent: Input, result: Body) -> bool:
    """Whether the result repeats the values sent. HubSpot lowers the case of e-mail addresses and may trim."""
    found = result.get("properties")
    if not _untraced(result) or not sent.properties or not isinstance(found, Mapping):
        return False
    return all(_plain(found.get(name)) == _plain(value) for name, value in sent.properties.items())


def _untraced(result: Body) -> bool:
    return result.get("objectWriteTraceId") is None


def _plain(value: Any) -> str:
    return str(value if value is not None else "").strip().casefold()


def _match_errors(body: Body, inputs: Sequence[Input], outcomes: dict[int, RecordOutcome]) -> list[Fault]:
    """Give each error to its inputs; answer the faults of those that name none."""
    silent: list[Fault] = []
    for error in read_errors(body):
        fault = read_entry(error)
        named = _named(error, inputs, outcomes)
        outcomes.update({index: RecordOutcome(success=False, fault=fault) for index in named})
        if not named:
            silent.append(fault)
    return silent


def _named(error: Body, inputs: Sequence[Input], outcomes: Mapping[int, RecordOutcome]) -> list[int]:
    context = error.get("context")
    if not isinstance(context, Mapping):
        return []
    traces = _texts(context.get("objectWriteTraceId"))
    ids = _texts(context.get("ids")) | _texts(context.get("id"))
    free = [(index, sent) for index, sent in enumerate(inputs) if index not in outcomes]
    by_trace = [index for index, sent in free if sent.trace_id in traces]
    return by_trace or [index for index, sent in free if sent.key in ids]


def _ordered(outcomes: Mapping[int, RecordOutcome], inputs: Sequence[Input]) -> tuple[RecordOutcome, ...]:
    return tuple(outcomes[index] for index in range(len(inputs)))


def _unmatched(response: httpx.Response, silent: Sequence[Fault]) -> RecordOutcome:
    """Make the outcome of an input without an answer, with the words of the errors that name no input."""
    outcome = unmatched(response.status_code)
    words = "; ".join(dict.fromkeys(fault.message for fault in silent))
    if outcome.fault is None or not words:
        return outcome
    fault = msgspec.structs.replace(outcome.fault, message=clip(f"{outcome.fault.message}: {words}"))
    return msgspec.structs.replace(outcome, fault=fault)


def _objects(value: Any) -> Iterator[Body]:
    return (item for item in value if isinstance(item, Mapping)) if isinstance(value, list) else iter(())


def _texts(value: Any) -> set[str]:
    if isinstance(value, list):
        return {str(item) for item in value}
    return {str(value)} if isinstance(value, str | int) else set()


def _id(body: Body) -> str:
    """Answer the record's id, which is a string; a number is taken too."""
    value = body.get("id")
    return str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""
