"""Runs the demo: a sandbox CRM and a server in one process, the story, and then both until interrupted."""

import asyncio
import secrets
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from ipaddress import ip_network

import msgspec
import uvicorn

from connectors.catalog import CATALOG
from connectors.gateway import Gateway
from connectors.sandbox import server as sandbox
from headless.client import Client
from server.app import build_app
from server.demo.story import Tell, tell_story
from server.demo.telling import heading
from server.founding import found_or_enter_project
from server.services import Services
from server.settings import Settings
from server.store.opening import open_store
from server.wiring import build_services

PROJECT = "demo"
PORT = 8080
HOST = "127.0.0.1"


async def run_demo(settings: Settings, *, keep_serving: bool, tell: Tell) -> None:
    """Tell the first write; then serve until cancelled, if asked to. Ports that are taken are replaced by free ones."""
    async with sandbox.serve(host=HOST, port=_free(sandbox.DEFAULT_PORT)) as sandbox_url:
        own = msgspec.structs.replace(
            settings,
            provider_urls={**settings.provider_urls, "sandbox": sandbox_url},
            allowed_networks=(*settings.allowed_networks, ip_network(f"{HOST}/32")),
        )
        async with _serving(own, port=_free(PORT)) as (services, url):
            store, clock, new_id = services.store, services.clock, services.new_id
            founded = await found_or_enter_project(store, name=PROJECT, clock=clock, new_id=new_id)
            api_key = founded.api_key
            tell(f"Isthmus serves {url}, the sandbox CRM serves {sandbox_url}, the data is in {own.database_url}.")
            group_ref = f"customer-{secrets.token_hex(3)}"
            async with Client(url, api_key=api_key, project=PROJECT) as client:
                await tell_story(client, sandbox_url=sandbox_url, group_ref=group_ref, tell=tell)
            tell(heading("Now try it yourself"))
            tell(_invitation(url, sandbox_url, api_key, group_ref))
            if keep_serving:
                tell("\nServing until you press Ctrl+C.")
                await asyncio.Event().wait()


def _free(preferred: int) -> int:
    """Answer the preferred port, or 0 for one of the kernel's choosing."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, preferred))
        except OSError:
            return 0
    return preferred


@asynccontextmanager
async def _serving(settings: Settings, *, port: int) -> AsyncIterator[tuple[Services, str]]:
    transport = Gateway(allowed_networks=settings.allowed_networks).transport()
    services = build_services(settings, store=open_store(settings), connectors=CATALOG, transport=transport)
    server = _server(services, port=port)
    task = asyncio.create_task(server.serve())
    try:
        while not server.started:
            if task.done():
                await task
                raise RuntimeError("the server did not start")
            await asyncio.sleep(0.01)
        bound = server.servers[0].sockets[0].getsockname()[1]
        yield services, f"http://{HOST}:{bound}"
    finally:
        server.should_exit = True
        await task
        await transport.aclose()


def _server(services: Services, *, port: int) -> uvicorn.Server:
    return uvicorn.Server(uvicorn.Config(build_app(services), host=HOST, port=port, log_level="warning", lifespan="on"))


def _invitation(url: str, sandbox_url: str, api_key: str, group_ref: str) -> str:
    return f"""\
  export ISTHMUS_URL={url}
  export ISTHMUS_API_KEY={api_key}
  curl $ISTHMUS_URL/v1/projects/{PROJECT}/integrations/demo-crm/objects/contacts:explain \\
    -H "X-Api-Key: $ISTHMUS_API_KEY" -H "Content-Type: application/json" \\
    -d '{{"groupRef": "{group_ref}", "type": "create", "record": {{"email": "b@c.test", "stage": "new"}}}}'

  The API        {url}/v1
  Its document   {url}/openapi.json
  Sandbox CRM    {sandbox_url}/
  What it got    {sandbox_url}/_sandbox/requests"""
