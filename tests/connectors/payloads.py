"""What must never be dialled, a stub in place of DNS, and a spy at the connect.

The spy is an audit hook of the interpreter: it sees every connect of the process, whoever makes it, and while it
watches it lets none through but to loopback. So no payload is ever dialled, not even by mistake.
"""

import ipaddress
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from aiohttp.abc import AbstractResolver, ResolveResult

PUBLIC = "93.184.216.34"
"""An address that may be dialled, for which the spy stands in."""

_dialled: list[str] = []
_watching: list[bool] = []


def _spy(event: str, arguments: tuple[Any, ...]) -> None:
    if event != "socket.connect" or not _watching or not isinstance(arguments[1], tuple):
        return
    address = str(arguments[1][0])
    _dialled.append(address)
    if not ipaddress.ip_address(address).is_loopback:
        raise ConnectionRefusedError(f"the spy stopped {address}")


sys.addaudithook(_spy)


@contextmanager
def watching() -> Iterator[list[str]]:
    """Watch every connect; the list of addresses that were dialled grows as they are."""
    _dialled.clear()
    _watching.append(True)
    try:
        yield _dialled
    finally:
        _watching.clear()


class Names(AbstractResolver):
    """Answers any name by the given addresses; each resolution by the next list, the last one again and again."""

    def __init__(self, *lists: list[str]) -> None:
        self.lists = list(lists)
        self.asked: list[str] = []

    async def resolve(
        self,
        host: str,
        port: int = 0,
        family: socket.AddressFamily = socket.AF_UNSPEC,  # noqa: ARG002 -- the interface
    ) -> list[ResolveResult]:
        self.asked.append(host)
        answers = self.lists.pop(0) if len(self.lists) > 1 else self.lists[0]
        return [
            ResolveResult(
                hostname=host,
                host=answer,
                port=port,
                family=socket.AF_INET6 if ":" in answer else socket.AF_INET,
                proto=0,
                flags=socket.AI_NUMERICHOST,
            )
            for answer in answers
        ]

    async def close(self) -> None:
        return None


ADDRESSES = [
    "0.0.0.0",
    "0.1.2.3",
    "10.0.0.1",
    "10.255.255.255",
    "100.64.0.1",
    "100.100.100.200",
    "100.127.255.254",
    "127.0.0.1",
    "127.1.2.3",
    "127.255.255.255",
    "168.63.129.16",
    "169.254.0.1",
    "169.254.169.254",
    "169.254.170.2",
    "169.254.169.253",
    "172.16.0.1",
    "172.31.255.254",
    "192.0.0.1",
    "192.0.0.192",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.0.1",
    "192.168.255.255",
    "198.18.0.1",
    "198.19.255.255",
    "198.51.100.7",
    "203.0.113.9",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:169.254.169.254",
    "::ffff:0:127.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::1",
    "100::1",
    "2001::1",
    "2001:0:4136:e378:8000:63bf:3fff:fdd2",
    "2001:2::1",
    "2001:10::1",
    "2001:20::1",
    "2001:db8::1",
    "2002:7f00:1::",
    "2002:a9fe:a9fe::",
    "2002:c0a8:1::",
    "3fff::1",
    "4000::1",
    "5f00::1",
    "fc00::1",
    "fd00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fe80::a9fe:a9fe",
    "fec0::1",
    "ff02::1",
    "ff0e::1",
]

LITERALS = [
    "http://127.0.0.1/",
    "https://127.0.0.1/",
    "https://127.1/",
    "https://127.0.1/",
    "https://2130706433/",
    "https://0x7f000001/",
    "https://0x7f.0.0.1/",
    "https://0177.0.0.1/",
    "https://017700000001/",
    "https://0/",
    "https://00/",
    "https://127.0.0.1./",
    "https://127.0.0.01/",
    "https://0127.0.0.1/",
    "https://[::1]/",
    "https://[::]/",
    "https://[::ffff:127.0.0.1]/",
    "https://[::ffff:7f00:1]/",
    "https://[::ffff:a9fe:a9fe]/",
    "https://[0:0:0:0:0:0:0:1]/",
    "https://[::127.0.0.1]/",
    "https://[64:ff9b::7f00:1]/",
    "https://[2002:7f00:1::]/",
    "https://[fe80::1]/",
    "https://[fd00:ec2::254]/",
    "https://169.254.169.254/latest/meta-data/",
    "http://169.254.169.254/",
    "https://0xa9fea9fe/",
    "https://2852039166/",
    "https://169.254.43518/",
    "https://0251.0376.0251.0376/",
    "https://100.100.100.200/",
    "https://168.63.129.16/",
    "https://192.168.1.1/",
    "https://10.0.0.1:8443/",
    "https://user@127.0.0.1/",
    "https://user:pass@provider.test/",
    "https://provider.test@127.0.0.1/",
    "https://127.0.0.1#@provider.test/",
    "https://127.0.0.1?@provider.test/",
    "https://255.255.255.255/",
    "https://1.1.1.256/",
    "https://1.2.3.4.5/",
    "https://1.2.3/",
    "https://99999999999/",
    "http://93.184.216.34/",
    "https://93.184.216.34:22/",
    "https://93.184.216.34:25/",
    "https://93.184.216.34:80/",
    "ftp://provider.test/",
    "file:///etc/passwd",
    "gopher://127.0.0.1/",
    "dict://127.0.0.1:11211/",
    "ws://provider.test/",
    "//provider.test/",
    "https:///path",
    "https://./",
    "https://../",
    "https://.provider.test/",
    "https://provider..test/",
    "https://-a.test/",
    "https://a-.test/",
    "https://provider.test./",
    "https://pro%76ider.test/",
    "https://127。0。0。1/",
    "https://①②⑦.⓪.⓪.①/",
    "https://127.0.0.1/",
    "https://provider.test\\@127.0.0.1/",
    "https://127.0.0.1\\@provider.test/",
    "https://localhost%00.test/",
    "https://localhost/",
    "https://LOCALHOST/",
    "https://localhost.localdomain/",
    "https://metadata.google.internal/",
    "https://127.0.0.1.provider.test/",
    "https://provider.test:443@127.0.0.1/",
    "https://provider.test%2f@127.0.0.1/",
    "https://127.0.0.1:443\\.provider.test/",
    "https://[::1%25lo]/",
    "https://[fe80::1%25eth0]/",
    "https://[v1.fe80::a+en1]/",
    "https://0x7f.1/",
    "https://0300.0250.0.1/",
    "https://0:443/",
    "https://\u2474\u2475.test/",
    "https://\uff11\uff12\uff17.\uff10.\uff10.\uff11/",
    "https://127\uff0e0\uff0e0\uff0e1/",
    "https://127\u00b7\u3002\u3002.1/",
    "javascript:alert(1)",
    "data:text/plain,x",
    "unix:///var/run/docker.sock",
    "http+unix://%2fvar%2frun%2fdocker.sock/",
]
