"""The provider catalog over HTTP; it needs no credential, because it is the same for everybody."""

from litestar import get
from litestar.params import FromPath

from connectors.provider import Provider
from installations.errors import Issue, NotFound
from server.address import unescape
from server.api.provided import FromApp


@get("/v1/providers")
async def list_providers(services: FromApp) -> dict[str, Provider]:
    """List every provider by name, and how customers are connected to it."""
    return services.accounts.providers


@get("/v1/providers/{provider:str}")
async def get_provider(services: FromApp, provider: FromPath[str]) -> Provider:
    """Show a provider, and how customers are connected to it. Raises `NotFound`."""
    name = unescape(provider)
    found = services.accounts.providers.get(name)
    if found is None:
        message = f"there is no provider {name!r}"
        issue = Issue(path="path.provider", message=message, code="unknown-provider", remedy="See GET /v1/providers.")
        raise NotFound([issue])
    return found
