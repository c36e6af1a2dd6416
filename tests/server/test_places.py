"""Where an account lives, and where its tokens are had."""

from typing import Any

import httpx
import pytest
from msgspec import UNSET
from msgspec.structs import replace

from connectors.catalog import CATALOG
from connectors.connector import Connector
from connectors.memory.connector import MEMORY, Memory
from connectors.provider import CustomOpts, OAuth2Opts, Provider, TokenRequest
from connectors.sandbox.data import BASE_URL, SANDBOXES
from installations.errors import InvalidInput
from server.places import Endpoints, Places


class Declared(Memory):
    """The in-memory connector for a provider that says how tokens are had."""

    def __init__(self, **members: Any) -> None:
        self._declared = replace(MEMORY, base_url="https://api.example.com/v2", **members)

    @property
    def provider(self) -> Provider:
        return self._declared


OAUTH = OAuth2Opts(
    grant_type="authorizationCode",
    auth_url="https://login.example.com/{{.region}}/authorize",
    token_url="https://api.example.com/oauth/token/",
    issuer="https://api.example.com",
)
VALUES = {"workspace": "acme", "region": "eu"}


def places(*connectors: Connector, **moved: str) -> Places:
    return Places((*CATALOG, *connectors), provider_urls=moved)


def test_placeholders_of_endpoints_are_filled() -> None:
    found = places().endpoints("salesforce", VALUES)

    assert found == Endpoints(
        authorize="https://acme.my.salesforce.com/services/oauth2/authorize",
        token="https://acme.my.salesforce.com/services/oauth2/token",
        issuer=None,
    )


def test_endpoints_move_along_with_the_base_url_they_share_an_origin_with() -> None:
    found = places(Declared(oauth2_opts=OAUTH), memory="http://127.0.0.1:9/sim").endpoints("memory", VALUES)

    assert found == Endpoints(
        authorize="https://login.example.com/eu/authorize",
        token="http://127.0.0.1:9/oauth/token/",
        issuer="http://127.0.0.1:9",
    )


def test_entries_of_one_server_move_together() -> None:
    known = places(sandbox="http://127.0.0.1:9/crm")
    bases = {name: known.account(name).base_url for name in known.providers if name.startswith("sandbox")}

    assert bases.pop("sandboxOpen") == "http://127.0.0.1:9/crm/open"
    assert len(bases) == len(SANDBOXES) - 1
    assert set(bases.values()) == {"http://127.0.0.1:9/crm"}
    assert known.endpoints("sandboxSession", {}).token == "http://127.0.0.1:9/crm/session"
    assert known.account("hubspot").base_url == "https://api.hubapi.com"


def test_an_entry_with_a_url_of_its_own_moves_there() -> None:
    known = places(sandbox="http://127.0.0.1:9", sandboxOAuth="http://127.0.0.1:10")

    assert known.endpoints("sandboxOAuth", {}).issuer == "http://127.0.0.1:10"
    assert known.endpoints("sandboxOAuthCode", {}).issuer == "http://127.0.0.1:9"
    assert places().endpoints("sandboxOAuth", {}).issuer == BASE_URL


def test_endpoints_below_the_base_url_stay_below_it() -> None:
    found = places(salesforce="http://127.0.0.1:9/sim").endpoints("salesforce", VALUES)

    assert found.token == "http://127.0.0.1:9/sim/services/oauth2/token"


def test_a_missing_value_is_named() -> None:
    with pytest.raises(InvalidInput) as caught:
        places().endpoints("salesforce", {})

    assert [issue.path for issue in caught.value.issues] == ["providerMetadata.workspace"]


def test_a_value_cannot_move_the_token_endpoint_to_another_host() -> None:
    with pytest.raises(InvalidInput):
        places().endpoints("salesforce", {"workspace": "evil.example/x?"})


def test_a_token_request_has_a_token_endpoint_alone() -> None:
    options = CustomOpts(token_request=TokenRequest(url="https://api.example.com/auth/{{ .region }}"))

    found = places(Declared(custom_opts=options)).endpoints("memory", VALUES)

    assert found == Endpoints(authorize="", token="https://api.example.com/auth/eu", issuer=None)


def test_a_provider_without_tokens_says_so() -> None:
    with pytest.raises(InvalidInput, match="gives no tokens"):
        places(Declared(oauth2_opts=UNSET)).endpoints("memory", VALUES)


def test_every_endpoint_of_the_catalog_can_be_filled_in() -> None:
    known = places()
    for name, provider in known.providers.items():
        if provider.oauth2_opts is not UNSET:
            assert httpx.URL(known.endpoints(name, VALUES).token).host
