"""A process that has Isthmus in its memory already and forks it on demand.

Two hundred kills are two hundred starts, and importing everything costs a second of CPU each time. What is forked here
runs the same command in a process of its own: it is killed, stopped and ended like any other. Run as
``python -m tests.chaos.nursery DESCRIPTOR``; the descriptor is a socket that orders come through.
"""

import array
import ctypes
import json
import os
import random
import select
import signal
import socket
import sys
import traceback
from contextlib import suppress
from typing import Any, NoReturn

import server.app
import server.cli
import server.wiring
from server.commands import database, projects, serving

LARGEST_ORDER = 65_536
DESCRIPTORS = 2
"""Standard output and standard error come with each order."""
_SET_DEATH_SIGNAL = 1
"""``PR_SET_PDEATHSIG``, https://man7.org/linux/man-pages/man2/PR_SET_PDEATHSIG.2const.html."""
PARTS = (server.app, server.cli, server.wiring, database, projects, serving)
"""What a child finds in its memory."""


def die_with_parent() -> None:
    """Have the kernel kill this process when its parent dies, however that dies."""
    ctypes.CDLL(None).prctl(_SET_DEATH_SIGNAL, signal.SIGKILL)


def main(descriptor: int) -> None:
    """Take orders until whoever gave them is gone, then end every child."""
    orders = socket.socket(fileno=descriptor)
    woken, waker = socket.socketpair()
    for side in (woken, waker):
        side.settimeout(0)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(waker.fileno(), warn_on_full_buffer=False)
    children: set[int] = set()
    while True:
        ready, _, _ = select.select([orders, woken], [], [])
        if woken in ready:
            with suppress(BlockingIOError):
                woken.recv(LARGEST_ORDER)
            _reap(children, orders)
        if orders in ready and not _take(orders, children):
            break
    for child in children:
        os.kill(child, signal.SIGKILL)


def _take(orders: socket.socket, children: set[int]) -> bool:
    """Fork what is ordered; tells whether there may be more orders."""
    size = socket.CMSG_SPACE(DESCRIPTORS * array.array("i").itemsize)
    message, files, _, _ = socket.recv_fds(orders, LARGEST_ORDER, size)
    if not message:
        return False
    child = os.fork()
    if child == 0:
        _become(json.loads(message), files)
    children.add(child)
    for file in files:
        os.close(file)
    _tell(orders, {"born": child})
    return True


def _become(order: dict[str, Any], files: list[int]) -> NoReturn:
    code = 1
    try:
        die_with_parent()
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        random.seed()
        for standard, file in zip((1, 2), files, strict=True):
            os.dup2(file, standard)
        os.closerange(3, 64)
        os.chdir(order["folder"])
        os.environ.clear()
        os.environ.update(order["environment"])
        code = _run(order["arguments"])
    except BaseException:  # noqa: BLE001 -- the rim of a process
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _run(arguments: list[str]) -> int:
    try:
        server.cli.main(arguments)
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    return 0


def _reap(children: set[int], orders: socket.socket) -> None:
    while children:
        child, status = os.waitpid(-1, os.WNOHANG)
        if child == 0:
            return
        children.discard(child)
        _tell(orders, {"ended": child, "code": os.waitstatus_to_exitcode(status)})


def _tell(orders: socket.socket, news: dict[str, int]) -> None:
    with suppress(OSError):  # whoever gave orders may be gone
        orders.send(json.dumps(news).encode())


if __name__ == "__main__":
    main(int(sys.argv[1]))
