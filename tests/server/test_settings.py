"""What the environment may say, and what an operator is told who says it wrongly."""

import pytest

from server.settings import SettingsError, doubts, from_environment


@pytest.mark.parametrize(
    ("text", "origin"),
    [
        ("https://isthmus.example.com", "https://isthmus.example.com"),
        ("https://isthmus.example.com/", "https://isthmus.example.com"),
        (" https://Isthmus.Example.com:443/ ", "https://isthmus.example.com"),
        ("https://isthmus.example.com:8443", "https://isthmus.example.com:8443"),
        ("http://localhost:8080", "http://localhost:8080"),
        ("http://[::1]:8080", "http://[::1]:8080"),
    ],
)
def test_the_public_url_is_spelt_as_browsers_spell_it(text: str, origin: str) -> None:
    assert from_environment({"ISTHMUS_PUBLIC_URL": text}).public_url == origin


@pytest.mark.parametrize(
    "text",
    [
        *("isthmus.example.com", "localhost:8080", "//isthmus.example.com", "ftp://isthmus.example.com", "https://"),
        *("https://isthmus.example.com/path", "https://isthmus.example.com?a=b", "https://isthmus.example.com/#a"),
        *("https://user:password@isthmus.example.com", "https://isthmus.example.com:port", "https://is thmus"),
    ],
)
def test_what_is_no_origin_cannot_be_the_public_url(text: str) -> None:
    """Every link, redirect URI, cookie and message is made of it."""
    with pytest.raises(SettingsError, match="ISTHMUS_PUBLIC_URL must be an origin"):
        from_environment({"ISTHMUS_PUBLIC_URL": text})


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("ISTHMUS_MASTER_KEY", "ISTHMUS_MASTER_KEYS"),
        ("ISTHMUS_PUBLC_URL", "ISTHMUS_PUBLIC_URL"),
        ("ISTHMUS_TRUSTED_PROXY", "ISTHMUS_TRUSTED_PROXIES"),
        ("ISTHMUS_ALLOWED_NETWORK", "ISTHMUS_ALLOWED_NETWORKS"),
        ("ISTHMUS_DATABASE", "ISTHMUS_DATABASE_URL"),
    ],
)
def test_a_setting_that_is_misspelt_is_not_passed_over(name: str, meant: str) -> None:
    with pytest.raises(SettingsError, match=f"{name} is not read by anything; do you mean {meant}"):
        from_environment({name: "x"})


def test_other_variables_are_nobodys_business() -> None:
    others = ("ISTHMUS_URL", "ISTHMUS_API_KEY", "ISTHMUS_SNAPSHOT", "ISTHMUS_FUZZ", "ISTHMUS_HOME", "PUBLC_URL", "PATH")
    from_environment(dict.fromkeys(others, "x"))


@pytest.mark.parametrize("networks", ["0.0.0.0/0", "10.0.0.0/8,::/0"])
def test_not_everybody_is_a_proxy_of_ours(networks: str) -> None:
    with pytest.raises(SettingsError, match="ISTHMUS_TRUSTED_PROXIES must name your proxies"):
        from_environment({"ISTHMUS_TRUSTED_PROXIES": networks})


@pytest.mark.parametrize(
    "url", ["http://", "http://u:secret@127.0.0.1", "https://crm.test/?a=b", "https://crm.test/#a"]
)
def test_a_provider_s_address_is_one_and_nothing_of_it_is_quoted(url: str) -> None:
    with pytest.raises(SettingsError, match="must have a host") as caught:
        from_environment({"ISTHMUS_PROVIDER_URLS": f'{{"sandbox": "{url}"}}'})
    assert "secret" not in str(caught.value)


HTTPS, PROXY = {"ISTHMUS_PUBLIC_URL": "https://isthmus.example.com"}, {"ISTHMUS_TRUSTED_PROXIES": "10.0.0.0/8"}


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({}, []),
        ({"ISTHMUS_PUBLIC_URL": "http://127.0.0.1:8080"}, []),
        (HTTPS | PROXY, []),
        (HTTPS, ["ISTHMUS_TRUSTED_PROXIES names none"]),
        ({"ISTHMUS_PUBLIC_URL": "http://isthmus.example.com"}, ["plain http"]),
        ({"ISTHMUS_ALLOWED_NETWORKS": "10.0.0.0/8,127.0.0.0/8"}, []),
        ({"ISTHMUS_ALLOWED_NETWORKS": "169.254.0.0/16"}, ["169.254.169.254"]),
        ({"ISTHMUS_ALLOWED_NETWORKS": "0.0.0.0/0,::/0"}, ["169.254.169.254"]),
        ({"ISTHMUS_PAYLOAD_DAYS": "30"}, []),
        ({"ISTHMUS_PAYLOAD_DAYS": "31"}, ["forgotten whole after ISTHMUS_RETENTION_DAYS, 30"]),
    ],
)
def test_what_the_operator_may_not_have_meant_is_said(environment: dict[str, str], said: list[str]) -> None:
    told = list(doubts(from_environment(environment)))
    assert len(told) == len(said)
    assert all(words in sentence for words, sentence in zip(said, told, strict=True))


def test_the_bounds_of_the_worker_are_whole_numbers() -> None:
    given = {"ISTHMUS_CONNECTION_CONCURRENCY": "2", "ISTHMUS_RETENTION_DAYS": " 90 ", "ISTHMUS_PAYLOAD_DAYS": ""}
    settings = from_environment(given)
    assert (settings.connection_concurrency, settings.worker_concurrency) == (2, 64)
    assert (settings.retention_days, settings.payload_days) == (90, 7)


@pytest.mark.parametrize("text", ["0", "-1", "1.5", "many", "10001", "\u0662"])
def test_a_bound_that_is_none_is_refused_by_its_name(text: str) -> None:
    with pytest.raises(SettingsError, match="ISTHMUS_WORKER_CONCURRENCY must be a whole number from 1 to 10000"):
        from_environment({"ISTHMUS_WORKER_CONCURRENCY": text})


def test_schema_checks_may_be_switched_off() -> None:
    assert from_environment({}).schema_check_hours == 24
    assert from_environment({"ISTHMUS_SCHEMA_CHECK_HOURS": "0"}).schema_check_hours == 0
    with pytest.raises(SettingsError, match="ISTHMUS_SCHEMA_CHECK_HOURS must be a whole number from 0 to 8760"):
        from_environment({"ISTHMUS_SCHEMA_CHECK_HOURS": "8761"})
