"""Runs the demo: a sandbox CRM and a server in one process, the story, and then both until interrupted."""

import asyncio
import secrets
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from ipaddress import ip_network

import msgspec

from connectors.sandbox import server as sandbox
from headless.client import Client
from server.demo.story import Tell, tell_story
from server.demo.telling import heading
from server.serving import serve
from server.settings import Settings
from server.setup import create_key, create_project
from server.store.contract import Taken

PROJECT = "demo"
PORT = 8080
HOST = "127.0.0.1"


async def run_demo(settings: Settings, *, keep_serving: bool, tell: Tell) -> None:
    """Tell the first write; then serve until interrupted, if asked to. A taken port is replaced by a free one."""
    async with sandbox.serve(host=HOST, port=await _free(sandbox.DEFAULT_PORT)) as sandbox_url:
        own = msgspec.structs.replace(
            settings,
            provider_urls={**settings.provider_urls, "sandbox": sandbox_url},
            allowed_networks=(*settings.allowed_networks, ip_network(f"{HOST}/32")),
        )
        api_key = await _key(own)
        async with _serving(own, keep=keep_serving) as url:
            tell(f"Isthmus is at {url}, the sandbox CRM at {sandbox_url}, the data in {_place(own)}.")
            group_ref = f"customer-{secrets.token_hex(3)}"
            async with Client(url, api_key=api_key, project=PROJECT) as client:
                await tell_story(client, sandbox_url=sandbox_url, group_ref=group_ref, tell=tell)
            tell(heading("Now try it yourself"))
            tell(_invitation(url, sandbox_url, api_key, group_ref))
            if keep_serving:
                tell("\nServing until you press Ctrl+C.")


def _place(settings: Settings) -> str:
    """Say where the data is, without the password that may stand there."""
    scheme, separator, rest = settings.database_url.partition("://")
    return f"{scheme}{separator}{rest.rpartition('@')[2]}"


async def _key(settings: Settings) -> str:
    try:
        made = await create_project(settings, name=PROJECT)
    except Taken:
        made = await create_key(settings, project=PROJECT, label="made by isthmus demo", scope="full")
    return made.api_key


async def _free(preferred: int) -> int:
    """Answer the preferred port, or 0 for one of the kernel's choosing."""
    try:
        probe = await asyncio.get_running_loop().create_server(asyncio.Protocol, HOST, preferred)
    except OSError:
        return 0
    probe.close()
    await probe.wait_closed()
    return preferred


@asynccontextmanager
async def _serving(settings: Settings, *, keep: bool) -> AsyncIterator[str]:
    """Serve in a task of its own; leaving the context waits for its end, or with ``keep`` unset brings it about."""
    started: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    task = asyncio.create_task(serve(settings, host=HOST, port=await _free(PORT), announce=started.set_result))
    task.add_done_callback(lambda _: started.done() or started.cancel())
    try:
        url = await started
    except asyncio.CancelledError:
        await task
        raise
    told = False
    try:
        yield url
        told = True
    finally:
        if not (keep and told):
            # The server stops as it does for an operator: it finishes what is under way.
            signal.raise_signal(signal.SIGINT)
        await task


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
