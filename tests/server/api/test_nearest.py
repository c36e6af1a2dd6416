import pytest

from server.api.nearest import nearest_path
from tests.server.house import House

ROUTES = (
    "/healthz",
    "/ui/{name}",
    "/v1/oauth-connect",
    "/v1/projects",
    "/v1/projects/{p}",
    "/v1/projects/{p}/connections:generate",
    "/v1/projects/{p}/installations",
    "/v1/projects/{p}/integrations",
    "/v1/projects/{p}/integrations/{i}/installations/{n}:edit",
    "/v1/projects/{p}/integrations/{i}/objects/{o}",
)
MEANT = [
    ("/v1/project/acme", "/v1/projects/acme"),
    ("/projects/acme", "/v1/projects/acme"),
    ("/reads/v1/projects/acme", "/v1/projects/acme"),
    ("/v2/projects/acme", "/v1/projects/acme"),
    ("/v1//projects/acme//", "/v1/projects/acme"),
    ("/v1/projects/acme/instalations", "/v1/projects/acme/installations"),
    ("/v1/projects/acme/connections:generat", "/v1/projects/acme/connections:generate"),
    ("/v1/projects/acme/integrations/x/object/con%2Ftacts", "/v1/projects/acme/integrations/x/objects/con%2Ftacts"),
    ("/v1/projects/acme/integrations/x/installations/y:edt", ROUTES[-2].format(p="acme", i="x", n="y")),
    ("/health", "/healthz"),
    ("/", None),
    ("", None),
    ("/ui/gone.js", None),
    ("/v1/projects/acme/nothing/like/it", None),
    ("/v1/project/acme/integration", None),
    ("/" + "a/" * 5000, None),
]


@pytest.mark.parametrize(("path", "meant"), MEANT, ids=[path[:60] for path, _ in MEANT])
def test_an_address_that_is_none_has_the_nearest_route_named(path: str, meant: str | None) -> None:
    assert nearest_path(path, ROUTES) == meant


async def test_unknown_addresses_and_refused_methods_say_what_there_is(house: House) -> None:
    for path, remedy in (
        ("/v1/project/acme", "Did you mean /v1/projects/acme?"),
        ("/api/v1/projects/acme/connections:generat", "Did you mean /v1/projects/acme/connections:generate?"),
        ("/wp-login.php", "GET /openapi.json lists every route."),
        ("/ui/gone.js", "GET /openapi.json lists every route."),
    ):
        answer = await house.client.get(path)
        assert (answer.status_code, answer.json()["remedy"]) == (404, remedy)
    for method, path, methods in (
        ("DELETE", "", ["GET", "PATCH"]),
        ("GET", "/integrations/x/objects/contacts", ["POST"]),
        ("PUT", "/operations", ["GET"]),
    ):
        answer = await house.call(method, path)
        assert answer.status_code == 405
        assert {*answer.headers["allow"].split(", ")} - {"OPTIONS"} == {*methods}
        assert answer.json()["detail"].endswith(f"use {' or '.join(methods)}.")
