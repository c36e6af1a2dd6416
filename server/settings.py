"""The environment, read once into a frozen struct. Nothing else reads it.

ISTHMUS_DATABASE_URL      sqlite:///relative.db, sqlite:////absolute.db or postgresql://…  (.isthmus/isthmus.db)
ISTHMUS_PUBLIC_URL        the origin clients reach us by                          (http://127.0.0.1:8080)
ISTHMUS_PROVIDER_URLS     JSON object, provider name to base URL: a simulator or a self-hosted instance
ISTHMUS_ALLOWED_NETWORKS  comma-separated CIDR ranges that outbound calls may reach although they are not public
ISTHMUS_MASTER_KEYS       comma-separated id:base64(32 bytes); the first encrypts, all decrypt
ISTHMUS_MASTER_KEY_FILE   the same, one a line
"""

import ipaddress
from collections.abc import Mapping

import msgspec

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class SettingsError(Exception):
    """The environment holds a value we cannot use; the message names the variable and the mend."""


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """Everything the operator may decide."""

    database_url: str = "sqlite:///.isthmus/isthmus.db"
    public_url: str = "http://127.0.0.1:8080"
    provider_urls: Mapping[str, str] = msgspec.field(default_factory=dict)
    allowed_networks: tuple[Network, ...] = ()
    master_keys: tuple[str, ...] = ()
    """``id:base64`` each; empty means: make one beside the database."""
    master_key_file: str = ""


def from_environment(environment: Mapping[str, str]) -> Settings:
    """Read the settings. Raises `SettingsError` naming the first variable that cannot be used."""
    return Settings(
        database_url=environment.get("ISTHMUS_DATABASE_URL") or Settings().database_url,
        public_url=(environment.get("ISTHMUS_PUBLIC_URL") or Settings().public_url).rstrip("/"),
        provider_urls=_provider_urls(environment.get("ISTHMUS_PROVIDER_URLS", "")),
        allowed_networks=_networks(environment.get("ISTHMUS_ALLOWED_NETWORKS", "")),
        master_keys=_items(environment.get("ISTHMUS_MASTER_KEYS", "")),
        master_key_file=environment.get("ISTHMUS_MASTER_KEY_FILE", ""),
    )


def _items(text: str) -> tuple[str, ...]:
    return tuple(item.strip() for item in text.split(",") if item.strip())


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


def _networks(text: str) -> tuple[Network, ...]:
    try:
        return tuple(ipaddress.ip_network(item) for item in _items(text))
    except ValueError as error:
        raise SettingsError(f"ISTHMUS_ALLOWED_NETWORKS must list ranges such as 10.0.0.0/8: {error}") from error
