import pytest

from server.door.address import parse_address, proxied_path, unescape
from server.door.refusals import BadRequest
from server.settings import SettingsError, from_environment

OBJECTS = "/v1/projects/p/integrations/i/objects"

ROUTES = [
    # (what was sent, host, service, the path to route by)
    ("/v1/projects", "localhost:8080", "any", "/v1/projects"),
    ("/v1/projects", "api.example.com", "api", "/v1/projects"),
    ("/v1/projects", "READ.example.com", "read", "/v1/projects"),
    ("/v1/projects", "reader.example.com", "any", "/v1/projects"),
    ("/write/v1/projects", "localhost", "write", "/v1/projects"),
    ("/search/v1/projects", "api.example.com", "search", "/v1/projects"),
    ("/read/v2/projects", "localhost", "any", "/read/v2/projects"),
    ("/v1/projects/p/connections:generate", "", "any", "/v1/projects/p/connections/:generate"),
    ("/v1/projects/p/connections%3Agenerate", "", "any", "/v1/projects/p/connections/:generate"),
    ("/v1/projects/p/connections%3agenerate", "", "any", "/v1/projects/p/connections/:generate"),
    ("/v1/projects/p/connections/c:oauth-update", "", "any", "/v1/projects/p/connections/c/:oauth-update"),
    ("/v1/projects/p/connections/c:unknown", "", "any", "/v1/projects/p/connections/c:unknown"),
    ("/v1/projects/p/integrations:batch", "", "any", "/v1/projects/p/integrations/:batch"),
    (f"{OBJECTS}/contacts", "", "any", f"{OBJECTS}/contacts"),
    (f"{OBJECTS}/cms%2Fv3%2Fx", "", "any", f"{OBJECTS}/cms%2Fv3%2Fx"),
    (f"{OBJECTS}/cms/v3/x", "", "any", f"{OBJECTS}/cms%2Fv3%2Fx"),
    (f"{OBJECTS}/cms/v3/x/metadata", "", "any", f"{OBJECTS}/cms%2Fv3%2Fx/metadata"),
    (f"{OBJECTS}/metadata", "", "any", f"{OBJECTS}/metadata"),
    (f"{OBJECTS}/cms/v3/x:explain", "", "any", f"{OBJECTS}/cms%2Fv3%2Fx/:explain"),
    (f"{OBJECTS}/job.appointments", "", "any", f"{OBJECTS}/job.appointments"),
    (f"{OBJECTS}/two%20words", "", "any", f"{OBJECTS}/two words"),
    (f"{OBJECTS}/50%25", "", "any", f"{OBJECTS}/50%25"),
    (f"{OBJECTS}/a%252Fb", "", "any", f"{OBJECTS}/a%252Fb"),
    (
        "/v1/projects/p/providers/hubspot/objects/a/b/metadata",
        *("", "any", "/v1/projects/p/providers/hubspot/objects/a%2Fb/metadata"),
    ),
]


@pytest.mark.parametrize(("sent", "host", "service", "path"), ROUTES)
def test_an_address_says_service_and_route(sent: str, host: str, service: str, path: str) -> None:
    address = parse_address(sent.encode(), host=host.encode())
    assert (address.service, address.path) == (service, path)


@pytest.mark.parametrize("name", ["cms/v3/x", "50%", "a%2Fb", "%25", "plain", "ünï cödé"])
def test_a_name_comes_out_of_the_route_as_it_was_meant(name: str) -> None:
    quoted = "".join(f"%{byte:02X}" for byte in name.encode())
    path = parse_address(f"{OBJECTS}/{quoted}".encode()).path
    assert unescape(path.rpartition("/")[2]) == name


@pytest.mark.parametrize(
    "sent", ["/v1/%00", "/v1/%ff", "/v1/%0a", "/v1/%1b", "/v1/" + "%41" * 2000, "/v1/" + "a" * 2000]
)
def test_what_no_name_can_hold_is_refused(sent: str) -> None:
    with pytest.raises(BadRequest):
        parse_address(sent.encode())


def test_bytes_beyond_ascii_must_be_escaped() -> None:
    with pytest.raises(BadRequest):
        parse_address("/v1/ü".encode())


CALLED = {b"x-amp-proxy-version": b"1"}
CALLS = [
    # path, host, whether the header is there, and what follows the provider's base URL
    ("/v1/things", "", True, "/v1/things"),
    ("/", "", True, "/"),
    ("/v1/things", "", False, None),
    ("/proxy/things", "", False, "/things"),
    ("/proxy/a%2Fb//c", "", True, "/a%2Fb//c"),
    ("/proxy", "", False, ""),
    ("/proxy/", "", False, "/"),
    ("/proxy//evil.test", "", False, "//evil.test"),
    ("/proxyish", "", False, None),
    ("/proxyish", "", True, "/proxyish"),
    ("/%70roxy/a", "", False, None),
    ("/things", "proxy.example.com", False, "/things"),
    ("/proxy/things", "PROXY.example.com:443", False, "/proxy/things"),
    ("/things", "calls.example.com", False, "/things"),
    ("/things", "calls.example.com:8443", False, "/things"),
    ("/things", "xcalls.example.com", False, None),
    ("/things", "proxyexample.com", False, None),
    ("/proxy/things", "api.example.com", False, "/things"),
]


@pytest.mark.parametrize(("path", "host", "marked", "rest"), CALLS)
def test_a_call_through_the_proxy_is_known_and_its_path_kept(
    path: str, host: str, rest: str | None, *, marked: bool
) -> None:
    headers = {b"host": host.encode()} | (CALLED if marked else {})
    found = proxied_path(path.encode(), headers=headers, own_host="calls.example.com")
    assert found == (None if rest is None else rest.encode())


@pytest.mark.parametrize("name", ["https://a.test", "a.test:443", "a.test/", "a b", "*.test", "."])
def test_a_host_of_the_proxy_is_a_name_alone(name: str) -> None:
    assert from_environment({"ISTHMUS_PROXY_HOST": " Calls.example.com "}).proxy_host == "calls.example.com"
    with pytest.raises(SettingsError, match="ISTHMUS_PROXY_HOST"):
        from_environment({"ISTHMUS_PROXY_HOST": name})
