"""The request as a whole: what must hold before any record of it is looked at."""

from collections.abc import Iterator
from typing import Any

from msgspec import UNSET

from installations.errors import Issue
from installations.record import AutoBatchPolicy, Record, WriteRequest
from installations.rules import headers

MOST_RECORDS = 100
MOST_FIELDS = 5_000
"""The fields of one record at its top: more than any provider's object has."""
MOST_HOURS = 48
MOST_MINUTES = 1440


def judge(request: WriteRequest) -> list[Issue]:
    """Find everything wrong with the members of a request other than its records."""
    issues: list[Issue] = []
    if (request.record is UNSET) == (request.batch is UNSET):
        issues.append(Issue(path="", message="Give a record or a batch, and not both.", code="record-xor-batch"))
    if request.batch is not UNSET:
        issues += _judge_batch(request)
    if request.record is not UNSET:
        issues += _judge_size("record", request.record)
    if request.headers is not UNSET:
        issues += headers.judge(request.headers)
    if request.associations is not UNSET:
        issues += _judge_associations("associations", request.associations)
    if request.auto_batch_policy is not UNSET:
        issues += _judge_auto_batch(request, request.auto_batch_policy)
    if request.retry_policy is not UNSET and not 1 <= request.retry_policy.deadline_hours <= MOST_HOURS:
        issues.append(_range("retryPolicy.deadlineHours", MOST_HOURS))
    if request.match_key is not UNSET and request.type != "upsert":
        issues.append(Issue(path="matchKey", message="Only an upsert matches records.", code="match-key-unused"))
    return issues


def _judge_batch(request: WriteRequest) -> Iterator[Issue]:
    batch = request.batch or []
    if not 1 <= len(batch) <= MOST_RECORDS:
        message = f"A batch has 1 to {MOST_RECORDS} records; this one has {len(batch)}."
        yield Issue(path="batch", message=message, code="out-of-range")
    if request.associations is not UNSET:
        message = "In a batch, each record has its own associations."
        yield Issue(path="associations", message=message, code="misplaced", remedy="Move them into the batch.")
    for index, item in enumerate(batch[:MOST_RECORDS]):
        yield from _judge_size(f"batch[{index}].record", item.record)
        if item.associations is not UNSET:
            yield from _judge_associations(f"batch[{index}].associations", item.associations)


def _judge_size(path: str, record: Record) -> Iterator[Issue]:
    if len(record) > MOST_FIELDS:
        message = f"A record has at most {MOST_FIELDS:,} fields; this one has {len(record):,}."
        yield Issue(path=path, message=message, code="out-of-range")


def _judge_associations(path: str, associations: list[Any]) -> Iterator[Issue]:
    for index, each in enumerate(associations):
        if type(each) is not dict:
            yield Issue(path=f"{path}[{index}]", message="An association is an object.", code="wrong-type")


def _judge_auto_batch(request: WriteRequest, policy: AutoBatchPolicy) -> Iterator[Issue]:
    path = "autoBatchPolicy"
    if request.mode != "asynchronous":
        message = "Only asynchronous writes can wait to be sent together."
        yield Issue(path=path, message=message, code="auto-batch", remedy='Set mode to "asynchronous".')
    if request.batch is not UNSET:
        yield Issue(path=path, message="Only single records can wait to be sent together.", code="auto-batch")
    if request.type not in {"create", "update"}:
        yield Issue(path=path, message="Only creates and updates can wait to be sent together.", code="auto-batch")
    if not 1 <= policy.max_delay_minutes <= MOST_MINUTES:
        yield _range(f"{path}.maxDelayMinutes", MOST_MINUTES)
    if not 1 <= policy.retry_deadline_hours <= MOST_HOURS:
        yield _range(f"{path}.retryDeadlineHours", MOST_HOURS)


def _range(path: str, most: int) -> Issue:
    return Issue(path=path, message=f"This is a whole number from 1 to {most}.", code="out-of-range")
