"""A disk that needs its time: the same benchmark again, where every sync takes a millisecond longer.

A few lines of C stand between every program and ``fsync`` and ``fdatasync``: the server, PostgreSQL and the baseline
alike. The disks of virtual machines often answer a sync from memory, so that what shares syncs seems to gain nothing;
cloud volumes take 0.5 to 5 ms. Needs a C compiler and the GNU loader or musl's.
"""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

MICROSECONDS = 1_000
NAME = "ISTHMUS_BENCH_SYNC_MICROSECONDS"
SECONDS = 180
"""How long one benchmark may take so."""
SOURCE = """
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <time.h>

static struct timespec rest;

__attribute__((constructor)) static void read_rest(void) {
    const char *text = getenv("%s");
    long microseconds = text ? atol(text) : 0;
    rest.tv_sec = microseconds / 1000000;
    rest.tv_nsec = microseconds %% 1000000 * 1000;
}

static int slowly(const char *name, int file) {
    int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, name);
    int result = real(file), error = errno;
    nanosleep(&rest, NULL);
    errno = error;
    return result;
}

int fsync(int file) { return slowly("fsync", file); }
int fdatasync(int file) { return slowly("fdatasync", file); }
"""


def again(module: str, *arguments: str) -> None:
    """Run a benchmark's command again under slower syncs; say so where there is no compiler."""
    compiler = shutil.which("cc")
    if compiler is None:
        print("  not tried with slower syncs: there is no C compiler (cc)")
        return
    with tempfile.TemporaryDirectory() as folder:
        # PostgreSQL may run as another user.
        Path(folder).chmod(0o755)
        library = _built(compiler, Path(folder))
        print(f"  the same with syncs that take {MICROSECONDS / 1000:g} ms longer, for all:", flush=True)
        environment = {**os.environ, "LD_PRELOAD": str(library), NAME: str(MICROSECONDS)}
        with subprocess.Popen([sys.executable, "-m", module, *arguments], env=environment) as running:  # noqa: S603 -- our own command line
            try:
                status = running.wait(SECONDS)
            except subprocess.TimeoutExpired:
                running.send_signal(signal.SIGINT)  # it ends its servers, too
                status = running.wait()
        if status:
            raise SystemExit(status)


def is_slower() -> bool:
    """Tell whether this process is such a run."""
    return NAME in os.environ


def _built(compiler: str, folder: Path) -> Path:
    source, library = folder / "slower.c", folder / "slower.so"
    source.write_text(SOURCE % NAME, "ascii")
    subprocess.run(  # noqa: S603 -- the system's compiler, on the text above
        [compiler, "-shared", "-fPIC", "-O2", "-o", library, source, "-ldl"], check=True, timeout=60
    )
    library.chmod(0o755)
    return library
