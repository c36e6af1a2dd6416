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
"""

import ipaddress
import re
from collections.abc import Mapping

import msgspec

from connectors.secret import Veiled
from server.rates import Rate, parse_rate

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


def from_environment(environment: Mapping[str, str]) -> Settings:
    """Read the settings. Raises `SettingsError` naming the first variable that cannot be used."""
    return Settings(
        database_url=environment.get("ISTHMUS_DATABASE_URL") or Settings().database_url,
        public_url=(environment.get("ISTHMUS_PUBLIC_URL") or Settings().public_url).rstrip("/"),
        provider_urls=_provider_urls(environment.get("ISTHMUS_PROVIDER_URLS", "")),
        allowed_networks=_networks(environment, "ISTHMUS_ALLOWED_NETWORKS"),
        master_keys=_items(environment.get("ISTHMUS_MASTER_KEYS", "")),
        master_key_file=environment.get("ISTHMUS_MASTER_KEY_FILE", ""),
        trusted_proxies=_networks(environment, "ISTHMUS_TRUSTED_PROXIES"),
        key_rate=_rate(environment, "ISTHMUS_KEY_RATE", Settings().key_rate),
        browser_rate=_rate(environment, "ISTHMUS_BROWSER_RATE", Settings().browser_rate),
        failure_rate=_rate(environment, "ISTHMUS_FAILURE_RATE", Settings().failure_rate),
        connection_rate=_rate(environment, "ISTHMUS_CONNECTION_RATE", Settings().connection_rate),
        proxy_host=_host(environment.get("ISTHMUS_PROXY_HOST", "")),
    )


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
