"""Runs the demo: a sandbox CRM, a server and a product's page in one process; the story, then all until interrupted."""

import asyncio
import secrets
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from ipaddress import ip_network

import msgspec

from connectors.sandbox import server as sandbox
from connectors.sandbox.access import DEMO_KEY
from connectors.sandbox.data import DEFAULT_PORT
from headless.client import Client
from server.connecting.asking import redirect_uri
from server.demo import page
from server.demo.consent import PROVIDER, consent_link
from server.demo.page import serve_page
from server.demo.ports import HOST, Door, listening, served
from server.demo.story import CONSUMER, Tell, tell_story
from server.demo.telling import heading
from server.serving import serve
from server.settings import Settings
from server.setup import NewProject, create_key, create_project
from server.store.contract import Taken

PROJECT = "demo"
PORT = 8080


async def run_demo(settings: Settings, *, keep_serving: bool, tell: Tell) -> None:
    """Tell the first write; then serve until interrupted, if asked to. A taken port is replaced by a free one."""
    with listening(PORT) as door:
        async with served(lambda port: sandbox.serve(host=HOST, port=port), preferred=DEFAULT_PORT) as sandbox_url:
            await _show(settings, door=door, sandbox_url=sandbox_url, keep_serving=keep_serving, tell=tell)


async def _show(settings: Settings, *, door: Door, sandbox_url: str, keep_serving: bool, tell: Tell) -> None:
    own = msgspec.structs.replace(
        settings,
        public_url=f"http://{HOST}:{door.getsockname()[1]}",
        provider_urls={**settings.provider_urls, "sandbox": sandbox_url},
        allowed_networks=(*settings.allowed_networks, ip_network(f"{HOST}/32")),
    )
    project = await _project(own)
    group_ref, newcomer = (f"customer-{secrets.token_hex(4)}" for _ in range(2))
    async with (
        Client(own.public_url, api_key=project.api_key, project=PROJECT) as client,
        served(
            lambda port: serve_page(
                client, server=own.public_url, project=PROJECT, customers=(group_ref, newcomer), port=port
            ),
            preferred=page.DEFAULT_PORT,
        ) as page_url,
        _serving(own, door=door, keep=keep_serving) as url,
    ):
        tell(f"Isthmus is at {url}, the sandbox CRM at {sandbox_url}, the data in {_place(own)}.")
        await tell_story(client, sandbox_url=sandbox_url, group_ref=group_ref, tell=tell)
        link = await consent_link(
            client,
            sandbox_url=sandbox_url,
            redirect_uri=redirect_uri(own.public_url, project.project_id, PROVIDER),
            group_ref=group_ref,
            consumer_ref=CONSUMER,
        )
        tell(heading("Now try it yourself"))
        tell(_pages(page_url, group_ref=group_ref, newcomer=newcomer))
        tell(_invitation(url, sandbox_url, project.api_key, group_ref, link=link))
        if keep_serving:
            tell("\nServing until you press Ctrl+C.")


def _place(settings: Settings) -> str:
    """Say where the data is, without the password that may stand there."""
    scheme, separator, rest = settings.database_url.partition("://")
    return f"{scheme}{separator}{rest.rpartition('@')[2]}"


async def _project(settings: Settings) -> NewProject:
    try:
        return await create_project(settings, name=PROJECT.title())
    except Taken:
        return await create_key(settings, project=PROJECT, label="made by isthmus demo", scope="full")


@asynccontextmanager
async def _serving(settings: Settings, *, door: Door, keep: bool) -> AsyncIterator[str]:
    """Serve in a task of its own; leaving the context waits for its end, or with ``keep`` unset brings it about."""
    started: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    port = door.getsockname()[1]
    task = asyncio.create_task(serve(settings, host=HOST, port=port, announce=started.set_result, listening=door))
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


def _pages(page_url: str, *, group_ref: str, newcomer: str) -> str:
    return f"""\
  Open this in a browser: what this customer sees in your product, with the rules from above. Change one, look at
  the preview, and save; the command below then tells the difference.
  {page_url}{group_ref}
  The same for a customer who has yet to connect; the API key is {DEMO_KEY}.
  {page_url}{newcomer}
"""


def _invitation(url: str, sandbox_url: str, api_key: str, group_ref: str, *, link: str) -> str:
    return f"""\
  export ISTHMUS_URL={url}
  export ISTHMUS_API_KEY={api_key}
  curl $ISTHMUS_URL/v1/projects/{PROJECT}/integrations/demo-crm/objects/contacts:explain \\
    -H "X-Api-Key: $ISTHMUS_API_KEY" -H "Content-Type: application/json" \\
    -d '{{"groupRef": "{group_ref}", "type": "create", "record": {{"email": "b@c.test", "stage": "new"}}}}'

  Connect this customer by OAuth, in a browser; the link works once, for ten minutes:
  {link}
  Another link:
  curl $ISTHMUS_URL/v1/oauth-connect -H "X-Api-Key: $ISTHMUS_API_KEY" -H "Content-Type: application/json" \\
    -d '{{"projectIdOrName": "{PROJECT}", "provider": "{PROVIDER}",
         "groupRef": "{group_ref}", "consumerRef": "{CONSUMER}"}}'

  The API        {url}/v1
  Its document   {url}/openapi.json
  Sandbox CRM    {sandbox_url}/
  What it got    {sandbox_url}/_sandbox/requests"""
