"""Which headers go through, and which come back."""

import pytest

from server.proxying.headers import inbound, outbound

PASSED_ON = [
    "accept",
    "accept-encoding",
    "accept-language",
    "content-type",
    "content-encoding",
    "if-match",
    "range",
    "user-agent",
    "idempotency-key",
    "x-request-id",
    "x-custom",
    "x-amz-date",
    "prefer",
    "origin",
    "traceparent",
]
KEPT_BACK = [
    "authorization",
    "connection",
    "content-length",
    "cookie",
    "expect",
    "forwarded",
    "host",
    "http2-settings",
    "keep-alive",
    "proxy-authorization",
    "proxy-connection",
    "sec-fetch-mode",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "via",
    "x-amp-client",
    "x-amp-group-ref",
    "x-amp-proxy-version",
    "x-api-key",
    "x-forwarded-for",
    "x-forwarded-proto",
    "x-isthmus-anything",
    "x-real-ip",
]
COMES_BACK = ["content-type", "content-encoding", "etag", "location", "retry-after", "x-ratelimit-remaining", "link"]
STAYS_THERE = [
    "accept-ch",
    "access-control-allow-origin",
    "access-control-expose-headers",
    "alt-svc",
    "clear-site-data",
    "connection",
    "content-security-policy-report-only",
    "cdn-cache-control",
    "cross-origin-opener-policy",
    "date",
    "expires",
    "keep-alive",
    "nel",
    "origin-trial",
    "proxy-authenticate",
    "public-key-pins",
    "refresh",
    "report-to",
    "server-timing",
    "service-worker-allowed",
    "set-cookie",
    "set-cookie2",
    "sourcemap",
    "strict-transport-security",
    "surrogate-control",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "x-accel-expires",
    "x-accel-redirect",
    "x-amp-retryable",
    "x-isthmus-outcome",
    "x-reproxy-url",
    "x-sendfile",
]


@pytest.mark.parametrize("name", PASSED_ON)
def test_a_header_for_the_provider_goes_out(name: str) -> None:
    pair = (name.encode(), b"value")
    assert outbound([pair]) == [pair]


@pytest.mark.parametrize("name", KEPT_BACK)
def test_a_header_for_us_or_for_one_hop_stays_here(name: str) -> None:
    assert outbound([(name.encode(), b"value")]) == []


def test_a_header_that_connection_names_is_for_one_hop() -> None:
    headers = [
        (b"connection", b"close, X-Secret ,x-other"),
        (b"x-secret", b"1"),
        (b"x-other", b"2"),
        (b"x-third", b"3"),
    ]
    assert outbound(headers) == [(b"x-third", b"3")]
    assert (b"x-secret", b"1") not in inbound(headers, bodiless=False)
    assert (b"x-third", b"3") in inbound(headers, bodiless=False)


def test_a_header_that_comes_twice_goes_out_twice() -> None:
    pairs = [(b"x-a", b"1"), (b"x-a", b"2")]
    assert outbound(pairs) == pairs


@pytest.mark.parametrize("name", COMES_BACK)
def test_a_header_of_the_answer_comes_back(name: str) -> None:
    assert (name.encode(), b"value") in inbound([(name.title().encode(), b"value")], bodiless=False)


@pytest.mark.parametrize("name", STAYS_THERE)
def test_what_a_provider_says_of_its_origin_or_of_one_hop_does_not(name: str) -> None:
    assert name.encode() not in dict(inbound([(name.title().encode(), b"value")], bodiless=False))


def test_a_providers_page_is_made_harmless() -> None:
    said = [(b"X-Content-Type-Options", b"none"), (b"Content-Security-Policy", b"default-src *")]
    assert inbound(said, bodiless=False) == [
        (b"x-content-type-options", b"nosniff"),
        (b"content-security-policy", b"sandbox"),
    ]


@pytest.mark.parametrize(
    ("said", "passed"),
    [
        (b"max-age=60", b"private, max-age=60"),
        (b"public, max-age=60, s-maxage=600", b"private, max-age=60"),
        (b"Public,S-MaxAge = 600 ,must-revalidate", b"private, must-revalidate"),
        (b'private="set-cookie", no-cache', b"private, no-cache"),
        (b"no-store", b"private, no-store"),
        (b"", b"private"),
    ],
)
def test_no_cache_keeps_an_answer_for_somebody_elses_key(said: bytes, passed: bytes) -> None:
    assert inbound([(b"Cache-Control", said)], bodiless=False)[0] == (b"cache-control", passed)


def test_a_providers_request_id_comes_back_under_a_name_of_its_own() -> None:
    assert (b"x-isthmus-provider-request-id", b"r1") in inbound([(b"X-Request-Id", b"r1")], bodiless=False)


@pytest.mark.parametrize(("bodiless", "passed"), [(True, False), (False, True)])
def test_a_length_comes_back_where_there_may_be_a_body(*, bodiless: bool, passed: bool) -> None:
    assert ((b"content-length", b"5") in inbound([(b"Content-Length", b"5")], bodiless=bodiless)) is passed


@pytest.mark.parametrize(
    "pair", [(b"x-a", b"a\x00b"), (b"x-a", b"a\x01"), (b"x a", b"b"), (b"", b"b"), (b"x-a:", b"b")]
)
def test_what_no_server_may_send_is_dropped(pair: tuple[bytes, bytes]) -> None:
    assert pair[0] not in dict(inbound([pair], bodiless=False))


def test_bytes_beyond_ascii_in_a_value_come_back() -> None:
    assert (b"x-a", b"caf\xe9") in inbound([(b"X-A", b"caf\xe9")], bodiless=False)
