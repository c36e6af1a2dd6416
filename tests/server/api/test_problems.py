from collections.abc import Iterator
from datetime import UTC, datetime

import msgspec
import pytest

from connectors.errors import ConnectorError, Refused
from connectors.secret import Secret  # noqa: F401 -- loads every module whose errors are walked below
from installations.errors import InstallationsError, InvalidInput, Issue, invalid
from installations.record import Fault
from server.access.errors import AccessError
from server.api.problems import TABLE, document_of, headers_of, problem_of
from server.app import build_app  # noqa: F401 -- as above
from server.delivering.holds import OnHold
from server.delivering.idempotency import IdempotencyError, KeyInFlight, KeyReused
from server.door.refusals import RequestError
from server.store.contract import StoreError, Unavailable
from server.store.vault import Unsealable

NOW = datetime(2026, 11, 22, tzinfo=UTC)
ROOTS = (InstallationsError, StoreError, ConnectorError, AccessError, RequestError, IdempotencyError)


def family(root: type[Exception]) -> Iterator[type[Exception]]:
    yield root
    for child in root.__subclasses__():
        yield from family(child)


@pytest.mark.parametrize("kind", [kind for root in ROOTS for kind in family(root)], ids=lambda kind: kind.__name__)
def test_every_error_of_ours_has_a_row(kind: type[Exception]) -> None:
    rows = [ancestor for ancestor in kind.__mro__ if ancestor in TABLE]
    assert rows[0] is not Exception
    if kind.__module__.split(".")[0] in {"installations", "connectors", "server"} and not kind.__name__.startswith("_"):
        assert rows[0] is kind, f"{kind.__name__} is not in the table of server/api/problems.py"


STATUSES = [
    (RecursionError("maximum recursion depth exceeded"), 400),
    (UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid start byte"), 400),
    (OverflowError("int too large"), 400),
    (ValueError("secret text"), 500),
    (Unsealable("connections.credentials of c1 was changed"), 500),
    (KeyReused("other body"), 422),
    (KeyInFlight("still running"), 409),
    (OnHold(7), 429),
    (Unavailable("the pool of postgres://user:secret@host is closed"), 503),
    (Refused(Fault(kind="unknown_object", message="no")), 404),
    (Refused(Fault(kind="rate_limited", message="slow down")), 429),
    (Refused(Fault(kind="auth", message="expired")), 422),
]


@pytest.mark.parametrize(("error", "status"), STATUSES)
def test_an_error_has_its_status(error: Exception, status: int) -> None:
    assert problem_of(error).status == status


@pytest.mark.parametrize(
    "error",
    [ValueError("secret text"), Unsealable("secret text"), Unavailable("secret text"), RecursionError("secret text")],
)
def test_what_is_not_meant_for_callers_is_not_told(error: Exception) -> None:
    assert b"secret" not in msgspec.json.encode(document_of(error, request_id="r1", now=NOW))


def test_every_issue_is_told_and_causes_are_sentences() -> None:
    issues = [
        Issue(path="a[0].b", message="must be text", code="wrong-type", value=1, line=7),
        Issue(path="c", message="is not known here", code="unknown-key", severity="warning"),
    ]
    document = msgspec.to_builtins(document_of(InvalidInput(issues), request_id="r1", now=NOW))
    assert document["causes"] == ("a[0].b: must be text",)
    assert [(one["in"], one["name"], one.get("value"), one.get("line")) for one in document["issues"]] == [
        ("body", "a[0].b", 1, 7),
        ("body", "c", None, None),
    ]


def test_a_caller_learns_when_to_come_back() -> None:
    document = document_of(Unavailable("away"), request_id="r1", now=NOW)
    assert document.retryable is True
    assert document.retry_after == datetime(2026, 11, 22, 0, 0, 2, tzinfo=UTC)
    assert headers_of(Unavailable("away")) == {"retry-after": "2"}


def test_a_single_issue_brings_its_remedy() -> None:
    error = invalid("a", "is wrong", code="wrong", remedy="Mend it.")
    assert document_of(error, request_id="r1", now=NOW).remedy == "Mend it."


def test_an_answer_lists_so_many_issues_and_counts_the_others() -> None:
    issues = [Issue(path=f"a[{number}]", message="must be text", code="wrong-type") for number in range(1234)]
    document = document_of(InvalidInput(issues), request_id="r1", now=NOW)
    assert document.issues is not msgspec.UNSET
    assert (len(document.issues), document.detail[-14:]) == (500, "; and 734 more")
