"""Each provider's declared data hang together, and have the published shape."""

import re
from collections.abc import Iterator

import httpx
import msgspec
import pytest
from msgspec import UNSET

from connectors.catalog import CATALOG
from connectors.grants import RESERVED_PARAMETERS
from connectors.headers import header_problem
from connectors.provider import CustomOpts, OAuth2Opts, Provider
from connectors.templates import placeholders
from tests.conftest import Published

PROVIDERS = [connector.provider for connector in CATALOG]
each = pytest.mark.parametrize("provider", PROVIDERS, ids=lambda provider: str(provider.name))

OPTIONS = {"oauth2": "oauth2_opts", "apiKey": "api_key_opts", "basic": "basic_opts", "custom": "custom_opts"}
FLOW_VALUES = {"callbackURL", "sessionId"}


def asked(provider: Provider) -> set[str]:
    """Name what is known of an account before anybody authenticates."""
    inputs = provider.metadata.input if provider.metadata is not UNSET else ()
    return {item.name for item in inputs}


def learnt(provider: Provider) -> set[str]:
    """Name what is known afterwards as well."""
    fields = UNSET if provider.oauth2_opts is UNSET else provider.oauth2_opts.token_metadata_fields.other_fields
    later = UNSET if provider.metadata is UNSET else provider.metadata.post_authentication
    return {field.name for field in fields or ()} | {item.name for item in later or ()}


def urls(provider: Provider) -> Iterator[str]:
    yield provider.base_url
    yield from (module.base_url for module in (provider.modules or {}).values())
    if provider.oauth2_opts is not UNSET:
        options = provider.oauth2_opts
        yield from (options.token_url, options.auth_url or "", options.issuer or "")
    if provider.custom_opts is not UNSET:
        yield provider.custom_opts.redirect_url or ""
        yield provider.custom_opts.token_request.url if provider.custom_opts.token_request else ""


@each
def test_a_provider_has_the_published_shape(provider: Provider, published: Published) -> None:
    shown = msgspec.json.decode(msgspec.json.encode(provider))
    assert published.errors("catalog", "ProviderInfo", shown) == []
    assert published.errors("api.bundled", "ProviderInfo", shown) == []
    assert None not in shown.values()


def test_names_are_unique_and_stay_one_segment_of_a_path() -> None:
    names = [provider.name for provider in PROVIDERS]
    assert len(set(names)) == len(names)
    assert [name for name in names if not re.fullmatch(r"[a-z][A-Za-z0-9]{1,40}", name)] == []


def test_every_scheme_of_the_protocol_is_there() -> None:
    shown = {(provider.auth_type, _detail(provider)) for provider in PROVIDERS}
    assert shown >= {
        ("none", ""),
        ("apiKey", "header"),
        ("apiKey", "query"),
        ("basic", ""),
        ("basic", "key"),
        ("custom", "values"),
        ("custom", "token"),
        ("custom", "steps"),
        ("oauth2", "authorizationCode"),
        ("oauth2", "authorizationCodePKCE"),
        ("oauth2", "clientCredentials"),
        ("oauth2", "password"),
    }


def _detail(provider: Provider) -> str:
    if provider.api_key_opts is not UNSET:
        return provider.api_key_opts.attachment_type
    if provider.oauth2_opts is not UNSET:
        return provider.oauth2_opts.grant_type
    if provider.basic_opts is not UNSET:
        return "key" if provider.basic_opts.api_key_as_basic else ""
    if provider.custom_opts is not UNSET:
        return (
            "steps" if provider.custom_opts.multi_step else "token" if provider.custom_opts.token_request else "values"
        )
    return ""


@each
def test_a_provider_has_the_options_of_its_scheme_and_no_others(provider: Provider) -> None:
    given = {name for name in OPTIONS.values() if getattr(provider, name) is not UNSET}
    assert given == ({OPTIONS[provider.auth_type]} if provider.auth_type in OPTIONS else set())
    assert provider.display_name
    assert provider.docs_url is not UNSET


@each
def test_a_key_has_its_place(provider: Provider) -> None:
    options = provider.api_key_opts
    if options is UNSET:
        return
    place = options.header if options.attachment_type == "header" else options.query
    assert place is not UNSET
    assert (options.header is UNSET) != (options.query is UNSET)


@each
def test_urls_are_whole_and_name_what_is_known_by_then(provider: Provider) -> None:
    before = asked(provider)
    for url in filter(None, urls(provider)):
        filled = re.sub(r"\{\{.*?\}\}", "x", url)
        assert httpx.URL(filled).host
        assert httpx.URL(filled).scheme == "https" or httpx.URL(filled).host == "127.0.0.1"
        assert url.strip() == url
    known_later = before | learnt(provider)
    modules = [module.base_url for module in (provider.modules or {}).values()]
    for url in (provider.base_url, *modules):
        assert set(placeholders(url)) <= known_later
    assert provider.default_module in {"", *(provider.modules or {})}
    if provider.auth_health_check is not UNSET:
        assert set(placeholders(provider.auth_health_check.url)) <= known_later


@each
def test_inputs_can_be_asked_for(provider: Provider) -> None:
    inputs = provider.metadata.input if provider.metadata is not UNSET else ()
    assert len({item.name for item in inputs}) == len(inputs)
    for item in inputs:
        assert re.fullmatch(r"\w{1,60}", item.name)
        assert item.display_name


OAUTHS = [provider for provider in PROVIDERS if provider.oauth2_opts is not UNSET]


@pytest.mark.parametrize("provider", OAUTHS, ids=lambda provider: str(provider.name))
def test_oauth_has_what_its_grant_needs(provider: Provider) -> None:
    options = provider.oauth2_opts
    assert options is not UNSET
    web = options.grant_type in ("authorizationCode", "authorizationCodePKCE")
    assert web == (options.auth_url is not UNSET)
    for url in (options.token_url, options.auth_url or "", options.issuer or ""):
        assert set(placeholders(url)) <= asked(provider)
    if options.explicit_workspace_required:
        assert "workspace" in asked(provider)
    assert options.audience is UNSET or options.grant_type == "clientCredentials"
    assert not RESERVED_PARAMETERS & set(options.auth_url_params or ())
    assert options.keep_alive_interval_hours is UNSET or options.keep_alive_interval_hours > 0
    _check_facts(options)


def _check_facts(options: OAuth2Opts) -> None:
    fields = options.token_metadata_fields
    for field in fields.other_fields or ():
        assert re.fullmatch(r"\w+(\.\w+)*", field.path)
        if field.capture is not UNSET:
            named = re.compile(re.sub(r"\(\?<(?=[A-Za-z_])", "(?P<", field.capture)).groupindex
            assert list(named) == ["result"]
            assert field.capture.startswith("^")
            assert field.capture.endswith("$")


CUSTOMS = [provider for provider in PROVIDERS if provider.custom_opts is not UNSET]


@pytest.mark.parametrize("provider", CUSTOMS, ids=lambda provider: str(provider.name))
def test_custom_templates_name_only_what_somebody_gives(provider: Provider) -> None:
    options = provider.custom_opts
    assert options is not UNSET
    given = {item.name for item in options.inputs or ()}
    brought = set(options.callback_params or ())
    assert not given & brought
    assert not {"token", *FLOW_VALUES} & (given | brought)
    carried = [*(options.headers or ()), *(options.query_params or ())]
    assert carried
    assert header_problem([(item.name.encode(), b"x") for item in options.headers or ()]) is None
    tokens = set() if options.token_request is UNSET else {"token"}
    assert {name for item in carried for name in placeholders(item.value_template)} <= given | brought | tokens
    _check_token_request(provider, options, known=given | brought)
    _check_steps(provider, options)
    _check_choices(options)


def _check_token_request(provider: Provider, options: CustomOpts, *, known: set[str]) -> None:
    if options.token_request is UNSET:
        return
    request = options.token_request
    templates = [request.url, *(item.value_template for item in request.headers), *request.body.values()]
    assert {name for template in templates for name in placeholders(template)} <= known | asked(provider)
    assert any("token" in placeholders(item.value_template) for item in options.headers or options.query_params or ())


def _check_steps(provider: Provider, options: CustomOpts) -> None:
    steps = options.multi_step is True
    assert steps == (options.redirect_url is not UNSET) == (options.callback_params is not UNSET)
    if steps:
        named = set(placeholders(options.redirect_url or ""))
        assert named >= FLOW_VALUES
        assert named <= FLOW_VALUES | asked(provider)


def _check_choices(options: CustomOpts) -> None:
    for item in options.inputs or ():
        choices = item.options or ()
        assert (item.field_type == "fieldTypeSelect") == bool(choices)
        assert len({choice.value for choice in choices}) == len(choices)


def test_salesforce_learns_where_the_account_lives_and_nothing_else() -> None:
    (salesforce,) = (provider for provider in PROVIDERS if provider.name == "salesforce")
    assert salesforce.oauth2_opts is not UNSET
    (field,) = salesforce.oauth2_opts.token_metadata_fields.other_fields or ()
    capture = re.compile((field.capture or "").replace("(?<", "(?P<"))
    told = {
        "https://acme.my.salesforce.com": "acme",
        "https://acme.my.salesforce.com/": "acme",
        "https://acme--dev.sandbox.my.salesforce.com": "acme--dev.sandbox",
        "https://acme-dev-ed.develop.my.salesforce.com": "acme-dev-ed.develop",
        "https://na1.salesforce.com": None,
        "http://acme.my.salesforce.com": None,
        "https://acme.my.salesforce.com.evil.test": None,
        "https://evil.test/?.my.salesforce.com": None,
        "https://evil.test#.my.salesforce.com": None,
        "https://user@acme.my.salesforce.com": None,
        "https://.my.salesforce.com": None,
        "https://acme..my.salesforce.com": None,
        "https://acme.my.salesforce.com:8443": None,
    }
    assert {url: found["result"] if (found := capture.search(url)) else None for url in told} == told
