"""What can be done with a provider, as far as manifests and configs depend on it. Who can do it is not known here."""

from collections.abc import Mapping

import msgspec


class Capabilities(msgspec.Struct, frozen=True, kw_only=True):
    """What a connector can do."""

    read: bool = False
    write: bool = False
    delete: bool = False
    subscribe: bool = False
    proxy: bool = False


class ProviderFacts(msgspec.Struct, frozen=True, kw_only=True):
    """One provider of the catalog."""

    name: str
    support: Capabilities
    modules: Mapping[str, Capabilities] = msgspec.field(default_factory=dict)
    """By module name. What a module can do outranks what the provider can."""

    def within(self, module: str) -> Capabilities:
        """Tell what can be done in a module; an empty or unknown name is the provider as a whole."""
        return self.modules.get(module, self.support)
