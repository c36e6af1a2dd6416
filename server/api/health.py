"""Whether the process lives, and whether it can serve."""

from litestar import get

from server.api.provided import FromApp
from server.store.contract import Unavailable


@get("/healthz")
async def live() -> dict[str, str]:
    """Say that the process answers."""
    return {"status": "live"}


@get("/readyz")
async def ready(services: FromApp) -> dict[str, str]:
    """Say that the database takes writes and that this process is not about to stop. Raises `Unavailable`."""
    if services.worker.stopping:
        raise Unavailable("This process is about to stop.")
    await services.store.ready()
    return {"status": "ready"}
