"""The environment, read once into a frozen struct. Nothing else reads it.

ISTHMUS_DATABASE_URL      sqlite:///relative.db, sqlite:////absolute.db or postgresql://…  (.isthmus/isthmus.db)
ISTHMUS_PUBLIC_URL        the origin browsers reach us by      (http://127.0.0.1 with the port of isthmus serve)
ISTHMUS_PROVIDER_URLS     JSON object, provider name to base URL: a simulator or a self-hosted instance
ISTHMUS_ALLOWED_NETWORKS  comma-separated CIDR ranges that outbound calls may reach although they are not public
ISTHMUS_MASTER_KEYS       comma-separated id:base64(32 bytes); the first encrypts, all decrypt
ISTHMUS_MASTER_KEY_FILE   the same, one a line
ISTHMUS_TRUSTED_PROXIES   comma-separated CIDR ranges of proxies whose X-Forwarded-For is believed (none)
ISTHMUS_KEY_RATE          how often one full API key may call: 100/s, 20/m, 50/s burst 200 … (unlimited)
ISTHMUS_BROWSER_RATE      the same for frontend keys and tokens, by address and group (50/s burst 200)
ISTHMUS_FAILURE_RATE      how often one address may fail to authenticate (20/m)
ISTHMUS_CONNECTION_RATE   how often one connection may be called, by writes and by the proxy (unlimited)
ISTHMUS_PROXY_HOST        the host name that is the proxy's alone, besides any that begins with proxy.  (none)
ISTHMUS_CONNECTION_CONCURRENCY  how many asynchronous writes of one connection are under way at once (4)
ISTHMUS_WORKER_CONCURRENCY      the same for one process (64)
ISTHMUS_RETENTION_DAYS    for how long finished operations are kept (30)
ISTHMUS_PAYLOAD_DAYS      for how long what they carried is kept (7)
ISTHMUS_SCHEMA_CHECK_HOURS  how often installations are compared with their accounts; 0 is never (24)
"""

import difflib
import ipaddress
import re
from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit

import msgspec

from connectors.secret import Veiled
from server.connecting.origins import is_safe, origin_of
from server.rates import Rate, parse_rate

METADATA = ipaddress.IPv4Address("169.254.169.254")
_PREFIX = "ISTHMUS_"
_OF_CLIENTS = ("URL", "API_KEY")
"""Read by commands that call a server."""
_HOST_NAME = re.compile(r"[a-z0-9-]+(?:\.[a-z0-9-]+)*")
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class SettingsError(Exception):
    """The environment holds a value we cannot use; the message names the variable and the mend."""


class Settings(Veiled, frozen=True, kw_only=True):
    """Everything the operator may decide. The master keys are here, and a database URL may hold a password."""

    database_url: str = "sqlite:///.isthmus/isthmus.db"
    public_url: str = "http://127.0.0.1:8080"
    provider_urls: Mapping[str, str] = msgspec.field(default_factory=dict)
    allowed_networks: tuple[Network, ...] = ()
    master_keys: tuple[str, ...] = ()
    """``id:base64`` each; empty means: make one beside the database."""
    master_key_file: str = ""
    trusted_proxies: tuple[Network, ...] = ()
    key_rate: Rate | None = None
    """Rates hold for one process each; ``None`` is unlimited."""
    browser_rate: Rate | None = Rate(count=50, seconds=1, burst=200)
    failure_rate: Rate | None = Rate(count=20, seconds=60, burst=20)
    connection_rate: Rate | None = None
    proxy_host: str = ""
    connection_concurrency: int = 4
    worker_concurrency: int = 64
    retention_days: int = 30
    payload_days: int = 7
    schema_check_hours: int = 24


_VARIABLES = tuple(field.name.upper() for field in msgspec.structs.fields(Settings))


def from_environment(environment: Mapping[str, str]) -> Settings:
    """Read the settings. Raises `SettingsError` naming the first variable that cannot be used, or is misspelt."""
    _require_spelling(environment)
    return Settings(
        database_url=environment.get("ISTHMUS_DATABASE_URL") or Settings().database_url,
        public_url=_public_url(environment.get("ISTHMUS_PUBLIC_URL") or Settings().public_url),
        provider_urls=_provider_urls(environment.get("ISTHMUS_PROVIDER_URLS", "")),
        allowed_networks=_networks(environment, "ISTHMUS_ALLOWED_NETWORKS"),
        master_keys=_items(environment.get("ISTHMUS_MASTER_KEYS", "")),
        master_key_file=environment.get("ISTHMUS_MASTER_KEY_FILE", ""),
        trusted_proxies=_proxies(environment),
        key_rate=_rate(environment, "ISTHMUS_KEY_RATE", Settings().key_rate),
        browser_rate=_rate(environment, "ISTHMUS_BROWSER_RATE", Settings().browser_rate),
        failure_rate=_rate(environment, "ISTHMUS_FAILURE_RATE", Settings().failure_rate),
        connection_rate=_rate(environment, "ISTHMUS_CONNECTION_RATE", Settings().connection_rate),
        proxy_host=_host(environment.get("ISTHMUS_PROXY_HOST", "")),
        connection_concurrency=_number(environment, "ISTHMUS_CONNECTION_CONCURRENCY", most=1000),
        worker_concurrency=_number(environment, "ISTHMUS_WORKER_CONCURRENCY", most=10_000),
        retention_days=_number(environment, "ISTHMUS_RETENTION_DAYS", most=3650),
        payload_days=_number(environment, "ISTHMUS_PAYLOAD_DAYS", most=3650),
        schema_check_hours=_number(environment, "ISTHMUS_SCHEMA_CHECK_HOURS", least=0, most=8760),
    )


def doubts(settings: Settings) -> Iterator[str]:
    """List what the operator may not have meant: settings that work, and protect less than is expected of them."""
    if not is_safe(settings.public_url):
        yield (
            "ISTHMUS_PUBLIC_URL is plain http on another machine: whoever is on the way reads keys and tokens, and can "
            "pose as a customer's browser. Put a proxy with TLS in front and give its https:// address."
        )
    if settings.public_url.startswith("https://") and not settings.trusted_proxies:
        yield (
            "ISTHMUS_PUBLIC_URL is https, so a proxy stands in front, but ISTHMUS_TRUSTED_PROXIES names none: all "
            "callers have the proxy's address, and share its rates. Name the proxy's network there."
        )
    if any(METADATA in network for network in settings.allowed_networks):
        yield (
            f"ISTHMUS_ALLOWED_NETWORKS holds {METADATA}, where clouds hand out the machine's own credentials: whoever "
            "may name a provider's workspace might have them read. Name no more than the networks of your providers."
        )
    if settings.payload_days > settings.retention_days:
        yield (
            f"ISTHMUS_PAYLOAD_DAYS is {settings.payload_days}, but operations are forgotten whole after "
            f"ISTHMUS_RETENTION_DAYS, {settings.retention_days}: what they carried goes with them."
        )


def _require_spelling(environment: Mapping[str, str]) -> None:
    """Raises `SettingsError` for a variable that is nearly one of ours: a setting that is not read protects nothing."""
    for name in environment:
        given = name.removeprefix(_PREFIX)
        if given == name or given in _VARIABLES or given in _OF_CLIENTS:
            continue
        if near := difflib.get_close_matches(given, _VARIABLES, n=1, cutoff=0.8):
            raise SettingsError(f"{name} is not read by anything; do you mean {_PREFIX}{near[0]}?")


def _public_url(text: str) -> str:
    """Read an origin, and spell it as browsers do: pages compare it letter by letter."""
    origin = origin_of(text.strip().rstrip("/"))
    if origin is None or urlsplit(text.strip().rstrip("/"))[2:] != ("", "", ""):
        raise SettingsError(
            f"ISTHMUS_PUBLIC_URL must be an origin such as https://isthmus.example.com, without a path, not {text!r}"
        )
    return origin


def _proxies(environment: Mapping[str, str]) -> tuple[Network, ...]:
    networks = _networks(environment, "ISTHMUS_TRUSTED_PROXIES")
    if any(not network.prefixlen for network in networks):
        raise SettingsError(
            "ISTHMUS_TRUSTED_PROXIES must name your proxies, not everybody: each caller could choose an address then."
        )
    return networks


def _items(text: str) -> tuple[str, ...]:
    return tuple(item.strip() for item in text.split(",") if item.strip())


def _host(text: str) -> str:
    name = text.strip().lower()
    if name and not _HOST_NAME.fullmatch(name):
        raise SettingsError(f"ISTHMUS_PROXY_HOST must be a host name without scheme, port or path, not {text!r}")
    return name


def _provider_urls(text: str) -> dict[str, str]:
    try:
        urls = msgspec.json.decode(text, type=dict[str, str]) if text.strip() else {}
    except msgspec.DecodeError as error:
        raise SettingsError(
            f"ISTHMUS_PROVIDER_URLS must be a JSON object of provider names to URLs: {error}"
        ) from error
    for name, url in urls.items():
        if not url.startswith(("http://", "https://")):
            raise SettingsError(f"ISTHMUS_PROVIDER_URLS[{name!r}] must start with http:// or https://, not {url!r}")
        if origin_of(url) is None or urlsplit(url)[3:] != ("", ""):
            # Not quoted: it may hold a password.
            raise SettingsError(
                f"ISTHMUS_PROVIDER_URLS[{name!r}] must have a host, and no user name, query or fragment"
            )
    return {name: url.rstrip("/") for name, url in urls.items()}


def _networks(environment: Mapping[str, str], variable: str) -> tuple[Network, ...]:
    try:
        return tuple(ipaddress.ip_network(item) for item in _items(environment.get(variable, "")))
    except ValueError as error:
        raise SettingsError(f"{variable} must list ranges such as 10.0.0.0/8: {error}") from error


def _rate(environment: Mapping[str, str], variable: str, default: Rate | None) -> Rate | None:
    text = environment.get(variable, "")
    try:
        return parse_rate(text) if text.strip() else default
    except ValueError as error:
        raise SettingsError(f"{variable}: {error}") from error


def _number(environment: Mapping[str, str], variable: str, *, least: int = 1, most: int) -> int:
    text = environment.get(variable, "").strip()
    if not text:
        default: int = getattr(Settings(), variable.removeprefix(_PREFIX).lower())
        return default
    if not text.isascii() or not text.isdigit() or not least <= int(text) <= most:
        raise SettingsError(f"{variable} must be a whole number from {least} to {most}, not {text!r}")
    return int(text)
