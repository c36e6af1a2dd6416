"""Which paths may follow a base URL."""

import pytest

from server.door.refusals import BadRequest
from server.proxying.paths import require_below

PASSED = [
    b"",
    b"/",
    b"/crm/v3/objects",
    b"/a//b/",
    b"/a/b//",
    b"/a%2Fb",
    b"/a%20b/%E2%82%AC",
    b"/a%5Cb",
    b"/a/...",
    b"/a/..b/b../.c",
    b"/a;v=1/b;..",
    b"/a%3A/b",
    b"/files/100%25",
    b"/projects/1:run",
    b"/a:b/c",
    b"/v1/sites/https%3A%2F%2Fexample.test%2F/pages",
    b"/a@b",
    b"/~a/!$&'()*+,=",
    b'/odd/{}|^"<>`[]',
    b"/caf%C3%A9/%F0%9F%91%A9%E2%80%8D%F0%9F%92%BB",
]
QUERIES = [
    b"",
    b"a=b&a=c",
    b"q=%2e%2e/%2F..//x:\\".replace(b"\\", b"%5C"),
    b"q=SELECT%0AId",
    b"a[]=1&b={}|'\"<>",
    b"&&=&",
]

REFUSED = [
    # another host
    b"//evil.test/",
    b"///evil.test/",
    b"/http://evil.test/",
    b"/https://169.254.169.254/",
    b"/HTTPS:/evil.test",
    b"//x:y@evil.test/",
    b"/\\evil.test",
    b"\\\\evil.test",
    b"/a\\b",
    # up and out
    b"/..",
    b"/../admin",
    b"/a/../../admin",
    b"/a/./b",
    b"/.",
    b"/%2e%2e/admin",
    b"/%2E%2e/admin",
    b"/.%2e/admin",
    b"/%2e./admin",
    b"/%2e/admin",
    b"/a/..%2f..%2fadmin",
    b"/a%2f..%2fadmin",
    b"/a/..%5c..%5cadmin",
    b"/a%5c..%5cadmin",
    b"/%252e%252e/admin",
    b"/%25252e%25252e/admin",
    b"/%2525252e%2525252e/admin",
    b"/..;/admin",
    b"/..;a=b/admin",
    b"/%2e%2e%3b/admin",
    b"/.;/admin",
    b"/%c0%ae%c0%ae/admin",
    b"/%ef%bc%8e%ef%bc%8e/admin",
    b"/..%ef%bc%8fadmin",
    b"/\xef\xbc\x8e\xef\xbc\x8e/admin",
    # beside
    b"*",
    b"a",
    b".evil.test/",
    b"@evil.test/",
    # what no path holds
    b"/a b",
    b"/a\r\nX-B: c",
    b"/a\x00b",
    b"/a\x7f",
    b"/a%00b",
    b"/a%0d%0aX-B:%20c",
    b"/a%7f",
    b"/a%c2%85",
    b"/a%ff",
    b"/a#b",
    b"/a?b",
    b"/a\xff",
    b"/" + b"a" * 40_000,
]


@pytest.mark.parametrize("path", PASSED)
def test_a_path_that_stays_below_passes(path: bytes) -> None:
    require_below(path, b"")


@pytest.mark.parametrize("query", QUERIES)
def test_a_query_may_say_anything(query: bytes) -> None:
    require_below(b"/a", query)


@pytest.mark.parametrize("path", REFUSED)
def test_a_path_that_could_leave_is_refused(path: bytes) -> None:
    with pytest.raises(BadRequest):
        require_below(path, b"")


@pytest.mark.parametrize("query", [b"a b", b"a\r\nb", b"\x00", b"a#b", b"a\\b", b"\xe2\x82\xac"])
def test_a_query_that_is_no_ascii_text_is_refused(query: bytes) -> None:
    with pytest.raises(BadRequest):
        require_below(b"/a", query)
