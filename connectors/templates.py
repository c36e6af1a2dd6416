"""What a template of a provider's data may hold: ``{{ .name }}`` placeholders, and the values that replace them."""

import re
from collections.abc import Mapping
from urllib.parse import quote

from connectors.secret import Secret

_PLACEHOLDER = re.compile(r"\{\{\s*\.(\w+)\s*\}\}")


class TemplateError(Exception):
    """A template needs values that are not there; ``names`` has them. The message holds no value."""

    def __init__(self, names: list[str]) -> None:
        self.names = names
        super().__init__(f"no value is known for {', '.join(names)}")


def placeholders(template: str) -> list[str]:
    """List the names a template needs, each once."""
    return list(dict.fromkeys(_PLACEHOLDER.findall(template)))


def fill_secret(template: str, values: Mapping[str, Secret]) -> Secret:
    """Replace the placeholders by secrets, which makes one. Raises `TemplateError` with every missing name."""
    missing = [name for name in placeholders(template) if name not in values]
    if missing:
        raise TemplateError(missing)
    return Secret(_PLACEHOLDER.sub(lambda found: values[found[1]].reveal(), template))


def fill_url(template: str, values: Mapping[str, str]) -> str:
    """Replace the placeholders of a URL; a value is quoted, so it stays one segment of a path or one parameter.

    For pages that a browser goes to. What decides a host is filled by `server/accounts.py`, which checks it.
    Raises `TemplateError` with every missing name.
    """
    missing = [name for name in placeholders(template) if name not in values]
    if missing:
        raise TemplateError(missing)
    return _PLACEHOLDER.sub(lambda found: quote(values[found[1]], safe=""), template)
