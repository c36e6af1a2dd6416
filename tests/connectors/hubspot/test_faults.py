"""What HubSpot's error answers mean, for writes and for reads."""

from typing import Any

import httpx
import pytest

from connectors.errors import Ambiguous, ConnectorError, Refused
from connectors.hubspot.faults import refuse, refuse_read
from installations.record import Fault

EMBEDDED = (
    'Property values were not valid: [{"isValid":false,"message":"reports was not one of the allowed options: [BUG]",'
    '"error":"INVALID_OPTION","name":"category","localizedErrorMessage":"reports was not one of…"},'
    '{"isValid":false,"message":"Property \\"gone\\" does not exist","error":"PROPERTY_DOESNT_EXIST","name":"gone"}]'
)


def raised(status: int, body: Any, headers: dict[str, str] | None = None, *, read: bool = False) -> ConnectorError:
    content: dict[str, Any] = {"text": body} if isinstance(body, str) else {"json": body}
    response = httpx.Response(status, headers=headers, **content)
    with pytest.raises(ConnectorError) as caught:
        (refuse_read if read else refuse)(response)
    return caught.value


def body_of(message: str, category: str | None = None, **members: Any) -> dict[str, Any]:
    body = {"status": "error", "message": message, "correlationId": "a2d3acb6", **members}
    return body | ({"category": category} if category else {})


FAULTS: tuple[tuple[str, int, Any, dict[str, str], Fault], ...] = (
    (
        "a token that is not accepted",
        401,
        body_of("Authentication credentials not found.", "INVALID_AUTHENTICATION"),
        {},
        Fault(kind="auth", message="Authentication credentials not found.", status=401, code="INVALID_AUTHENTICATION"),
    ),
    (
        "an answer without a body",
        401,
        "",
        {},
        Fault(kind="auth", message="the provider answered 401", status=401),
    ),
    (
        "a missing scope",
        403,
        body_of("This app hasn't been granted all required scopes.", "MISSING_SCOPES"),
        {},
        Fault(
            kind="forbidden",
            message="This app hasn't been granted all required scopes.",
            status=403,
            code="MISSING_SCOPES",
        ),
    ),
    (
        "a record that is not there",
        404,
        body_of("resource not found"),
        {},
        Fault(kind="not_found", message="resource not found", status=404),
    ),
    (
        "an object type that is not there, without a category",
        400,
        body_of("Unable to infer object type from: widgets"),
        {},
        Fault(kind="unknown_object", message="Unable to infer object type from: widgets", status=400),
    ),
    (
        "a duplicate names the record in its words only",
        409,
        body_of("Contact already exists. Existing ID: 8251", "CONFLICT"),
        {},
        Fault(
            kind="conflict",
            message="Contact already exists. Existing ID: 8251",
            status=409,
            code="CONFLICT",
            existing_id="8251",
        ),
    ),
    (
        "a value of a unique property that another record has",
        400,
        body_of(
            'Property values were not valid: [{"message":"Cannot set vin=1. 77 already has that value.",'
            '"error":"CONFLICTING_UNIQUE_VALUE","name":"vin"}]',
            "VALIDATION_ERROR",
        ),
        {},
        Fault(
            kind="conflict",
            message="Property values were not valid: Cannot set vin=1. 77 already has that value.",
            status=400,
            code="CONFLICTING_UNIQUE_VALUE",
            fields=("vin",),
            existing_id="77",
        ),
    ),
    (
        "problems of properties as JSON inside the message, the drifted one first",
        400,
        body_of(EMBEDDED, "VALIDATION_ERROR"),
        {},
        Fault(
            kind="unknown_field",
            message="Property values were not valid: reports was not one of the allowed options: [BUG]; "
            'Property "gone" does not exist',
            status=400,
            code="INVALID_OPTION",
            fields=("gone",),
        ),
    ),
    (
        "a message that only starts like that",
        400,
        body_of('Property values were not valid: [{"message":"a "b" c"}]', "VALIDATION_ERROR"),
        {},
        Fault(
            kind="invalid",
            message='Property values were not valid: [{"message":"a "b" c"}]',
            status=400,
            code="VALIDATION_ERROR",
        ),
    ),
    (
        "problems of properties as entries of their own",
        400,
        body_of(
            "There was a problem with the request.",
            "VALIDATION_ERROR",
            errors=[
                {
                    "message": 'Property "x" does not exist',
                    "code": "PROPERTY_DOESNT_EXIST",
                    "context": {"propertyName": ["x"]},
                },
                {"message": "size is too long", "code": "TOO_LONG", "in": "size"},
            ],
        ),
        {},
        Fault(
            kind="unknown_field",
            message='There was a problem with the request.: Property "x" does not exist; size is too long',
            status=400,
            code="PROPERTY_DOESNT_EXIST",
            fields=("x",),
        ),
    ),
    (
        "required properties that were left out",
        400,
        body_of("Error creating CAR. Some required properties were not set.", context={"properties": ["a", "b"]}),
        {},
        Fault(
            kind="invalid",
            message="Error creating CAR. Some required properties were not set.",
            status=400,
            fields=("a", "b"),
        ),
    ),
    (
        "a read-only property needs the mapping repaired",
        400,
        body_of(
            'Property values were not valid: [{"message":"read only","error":"READ_ONLY_VALUE","name":"score"}]',
        ),
        {},
        Fault(
            kind="unknown_field",
            message="Property values were not valid: read only",
            status=400,
            code="READ_ONLY_VALUE",
            fields=("score",),
        ),
    ),
    (
        "a spent ten seconds' budget lasts its interval",
        429,
        body_of("You have reached your ten_secondly_rolling limit.", policyName="TEN_SECONDLY_ROLLING"),
        {"X-HubSpot-RateLimit-Interval-Milliseconds": "10000", "Retry-After": "1500"},
        Fault(
            kind="rate_limited",
            message="You have reached your ten_secondly_rolling limit.",
            status=429,
            retry_after_seconds=10.0,
        ),
    ),
    (
        "a spent second's budget on search, which sends no headers",
        429,
        body_of("You have reached your secondly limit.", "RATE_LIMITS", policyName="SECONDLY"),
        {},
        Fault(
            kind="rate_limited",
            message="You have reached your secondly limit.",
            status=429,
            code="RATE_LIMITS",
            retry_after_seconds=1.0,
        ),
    ),
    (
        "a spent day's budget is asked for every hour, whatever the interval",
        429,
        body_of("You have reached your daily limit.", policyName="DAILY"),
        {"X-HubSpot-RateLimit-Interval-Milliseconds": "10000"},
        Fault(
            kind="rate_limited", message="You have reached your daily limit.", status=429, retry_after_seconds=3600.0
        ),
    ),
    (
        "a limit nobody named",
        429,
        "slow down",
        {"Retry-After": "7"},
        Fault(
            kind="rate_limited",
            message="slow down",
            status=429,
            retry_after_seconds=7.0,
        ),
    ),
    (
        "a locked record",
        423,
        body_of("locked"),
        {},
        Fault(kind="locked", message="locked", status=423, retry_after_seconds=2.0),
    ),
    (
        "an account that is being moved is asked again within the hour",
        477,
        body_of("Migration in progress"),
        {"Retry-After": "7200"},
        Fault(kind="provider", message="Migration in progress", status=477, retry_after_seconds=3600.0),
    ),
    (
        "a status that HubSpot does not document is a refusal as long as it is the caller's",
        422,
        body_of("no"),
        {},
        Fault(kind="invalid", message="no", status=422),
    ),
    (
        "a body of unexpected types",
        400,
        {"message": ["x"], "category": 7, "errors": {"a": 1}, "context": []},
        {},
        Fault(kind="invalid", message="x", status=400),
    ),
)


@pytest.mark.parametrize(
    ("status", "body", "headers", "expected"), [row[1:] for row in FAULTS], ids=[row[0] for row in FAULTS]
)
def test_a_refusal_is_named(status: int, body: Any, headers: dict[str, str], expected: Fault) -> None:
    refused = raised(status, body, headers)
    assert isinstance(refused, Refused)
    assert refused.fault == expected


@pytest.mark.parametrize("status", [408, 425, 500, 502, 503, 504, 521, 522, 523, 524])
def test_a_write_that_a_server_may_have_done_is_ambiguous_and_a_read_is_not(status: int) -> None:
    written = raised(status, "<html>Bad gateway</html>")
    assert isinstance(written, Ambiguous)
    assert written.fault.kind == "ambiguous"
    assert written.raw_response == "<html>Bad gateway</html>"
    read = raised(status, "<html>Bad gateway</html>", read=True)
    assert isinstance(read, Refused)
    assert read.fault.kind == "provider"


@pytest.mark.parametrize(
    ("status", "kind"), [(204, "ambiguous"), (302, "unrecognised"), (304, "unrecognised"), (499, "ambiguous")]
)
def test_an_unheard_of_status_is_never_a_success(status: int, kind: str) -> None:
    assert raised(status, "").fault.kind == kind


def test_long_words_are_cut() -> None:
    refused = raised(400, body_of("x" * 10_000))
    assert len(refused.fault.message) == 4096
    assert len(refused.raw_response or "") == 4096
