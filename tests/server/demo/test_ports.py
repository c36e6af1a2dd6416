"""Demos beside each other: who is first has the port that people remember, whoever comes later another one."""

import socket
from urllib.parse import urlsplit

from connectors.sandbox import server as sandbox
from server.demo.ports import ANY, HOST, listening, served


def test_a_port_is_held_from_the_moment_it_is_chosen() -> None:
    with listening(ANY) as first:
        preferred = first.getsockname()[1]
        with listening(preferred) as second, socket.create_connection((HOST, preferred)):
            assert second.getsockname()[1] != preferred
            first.accept()[0].close()


async def test_what_cannot_be_served_at_its_port_is_served_at_another() -> None:
    with listening(ANY) as first:
        taken = first.getsockname()[1]
        async with served(lambda port: sandbox.serve(host=HOST, port=port), preferred=taken) as url:
            assert urlsplit(url).port not in {taken, ANY}
