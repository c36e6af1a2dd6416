import pytest

from server.connecting.origins import is_origin, is_safe, origin_of
from tests.server.connecting.desk import PAGE, Desk


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://app.example.com/", "https://app.example.com"),
        ("https://app.example.com:443/a?b#c", "https://app.example.com"),
        ("HTTPS://App.Example.COM/", "https://app.example.com"),
        ("http://127.0.0.1:3000/x", "http://127.0.0.1:3000"),
        ("http://[::1]:3000/", "http://[::1]:3000"),
        ("http://localhost", "http://localhost"),
        ("https://my_app.example.com", "https://my_app.example.com"),
        ("null", None),
        ("", None),
        ("about:blank", None),
        ("javascript:alert(1)", None),
        ("data:text/html,x", None),
        ("file:///etc/passwd", None),
        ("blob:https://app.example.com/x", None),
        ("https://", None),
        ("https:app.example.com", None),
        ("//app.example.com", None),
        ("https://app.example.com@evil.test/", None),
        ("https://user:pass@app.example.com/", None),
        ("https://app.example.com:99999/", None),
        ("https://app.example.com:x/", None),
        ("https://app.example.com\\@evil.test", None),
        ("https://app.example.com .evil.test", None),
        ("https://app.example.com%2eevil.test", None),
        ("https://*.example.com", None),
        ("https://[::1", None),
        ("https://[evil]/", None),
    ],
)
def test_an_origin_is_scheme_host_and_port_as_a_browser_writes_them(url: str, origin: str | None) -> None:
    assert origin_of(url) == origin


@pytest.mark.parametrize(
    ("origin", "safe"),
    [
        ("https://app.example.com", True),
        ("http://localhost:3000", True),
        ("http://app.localhost", True),
        ("http://127.0.0.1:8080", True),
        ("http://[::1]:8080", True),
        ("http://app.example.com", False),
        ("http://localhost.evil.test", False),
        ("http://127.0.0.1.evil.test", False),
        ("http://10.0.0.1", False),
    ],
)
def test_plain_http_is_safe_on_the_same_machine_alone(origin: str, safe: bool) -> None:  # noqa: FBT001 -- a table's cell
    assert is_origin(origin)
    assert is_safe(origin) is safe


NO_ORIGINS = [
    *("https://app.example.com/", "https://app.example.com:443", "HTTPS://app.example.com", "https://App.example.com"),
    *("app.example.com", "*", "null", "", "https://*.example.com", "http://app.example.com", "https://a@b.example"),
    *("javascript:alert(1)", "https://app.example.com/path", "https://app.example.com?x", " https://app.example.com"),
]


@pytest.mark.parametrize("origin", NO_ORIGINS)
async def test_a_project_lists_exact_origins_alone(desk: Desk, origin: str) -> None:
    answer = await desk.policy(allowedOrigins=[PAGE, origin, "http://localhost:3000"])
    assert answer.status_code == 422
    (issue,) = answer.json()["issues"]
    assert issue["name"] == "project.accessPolicy.allowedOrigins[1]"
    assert "accessPolicy" not in (await desk.house.call("GET", "")).json()


async def test_a_policy_is_replaced_as_a_whole(desk: Desk) -> None:
    first = await desk.policy(requireJwt=True, strictConnect=True, allowedOrigins=[PAGE, PAGE])
    assert first.json()["accessPolicy"] == {"requireJwt": True, "strictConnect": True, "allowedOrigins": [PAGE]}
    assert (await desk.house.call("GET", "")).json()["accessPolicy"] == first.json()["accessPolicy"]
    assert (await desk.policy(requireJwt=True)).json()["accessPolicy"] == {"requireJwt": True}
    assert "accessPolicy" not in (await desk.policy()).json()


@pytest.mark.parametrize("policy", [{"requireJWT": True}, {"requireJwt": "yes"}, {"allowedOrigins": PAGE}, 5, None])
async def test_a_policy_that_is_misspelt_is_refused(desk: Desk, policy: object) -> None:
    body = {"updateMask": ["accessPolicy"], "project": {"accessPolicy": policy}}
    assert (await desk.house.call("PATCH", "", json=body)).status_code == 400
