"""The columns of the tables: each peer, the program that speaks for it, and why it may be missing."""

import os
import sys
from dataclasses import dataclass


@dataclass(frozen=True)
class Column:
    name: str
    title: str
    program: str = "bench-native"
    peer: str = ""
    preload: bool = False
    records: bool = False  # the preload writes a record of each spawn
    listed: bool = False  # ... that lists the descriptors
    conventions: bool = True  # the preload reads what a child is told
    variant: bool = False  # of the column before it; left out where that one says enough
    appends: bool = False  # is told where a line may be appended
    needs: str = ""  # what to install where the program was not built

    @property
    def worker(self):
        """Columns with the same value share a process."""
        return (self.program, self.preload, self.records, self.listed, self.conventions, self.appends)


COLUMNS = [
    Column("vfork", "vfork + exec, bare", peer="vfork"),
    Column("airlock", "airlock, library", peer="airlock"),
    Column("airlock-all", "airlock, library, all signals", peer="airlock-all", variant=True),
    Column("preload", "airlock, preload", peer="glibc", preload=True),
    Column("records", "airlock, preload, records", peer="glibc", preload=True, records=True, variant=True),
    Column("glibc", "glibc posix_spawn", peer="glibc"),
    Column("hardened", "glibc, closefrom + SETSIGDEF", peer="hardened"),
    Column("fork", "fork + exec", peer="fork"),
    Column("rust", "Rust Command", program="bench-rust", peer="rust", needs="rustc"),
    Column("cpython", "CPython _posixsubprocess", program="cpython.py", peer="cpython"),
    Column("libuv", "libuv uv_spawn", program="bench-libuv", peer="libuv", needs="libuv1-dev"),
    Column("glib", "GLib g_spawn_async", program="bench-glib", peer="glib", needs="libglib2.0-dev"),
]

# Of the sections that take airlock's own cost apart.
PARTS = [
    Column("cut", "the cut, bare", peer="cut"),
    Column("cut-calls", "..., and the system calls that are needed", peer="cut-calls"),
    Column("spawned", "vfork + exec, bare", peer="vfork", appends=True),
    Column("appended", "..., and a line appended to a file", peer="append", appends=True),
    Column("silent", "airlock, preload, no conventions", peer="glibc", preload=True, conventions=False),
    Column("listed", "..., and their descriptors", peer="glibc", preload=True, records=True, listed=True),
]

MAIN_COLUMNS = [column for column in COLUMNS if not column.variant]
BY_NAME = {column.name: column for column in COLUMNS + PARTS}


def pick(*names):
    return [BY_NAME[name] for name in names]


class Programs:
    """Where the programs of the benchmark are."""

    def __init__(self, build, scratch):
        self.folder = folder = os.path.join(build, "tools", "benchmark")
        self.preload = os.path.join(build, "shim", "libairlock-preload.so")
        self.airlock = os.path.join(build, "tools", "airlock")
        self.record_file = os.path.join(scratch, "records")
        self.silent_policy = os.path.join(scratch, "no-conventions")  # costs.py writes it
        self.deny = os.path.join(build, "tests", "probes", "deny")
        self.noop = os.path.join(folder, "bench-noop")
        self.trivial = os.path.join(folder, "libbench-trivial.so")

    def command(self, column, rules=""):
        """With rules, under a filter that refuses system calls (tests/probes/deny.c)."""
        return ([self.deny, rules] if rules else []) + self.own_command(column)

    def own_command(self, column):
        if column.program == "cpython.py":
            python = "/usr/bin/python3" if os.access("/usr/bin/python3", os.X_OK) else sys.executable
            peers = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "peers")
            return [python, "-S", "-B", os.path.join(peers, column.program)]
        return [os.path.join(self.folder, column.program)]

    def why_missing(self, column):
        """None, or a reason."""
        if column.preload and not os.path.exists(self.preload):
            return f"not built: {os.path.basename(self.preload)}"
        if not column.conventions and not os.path.exists(self.airlock):
            return f"not built: {os.path.basename(self.airlock)}"
        if os.path.exists(self.command(column)[-1]):
            return None
        return f"not built: needs {column.needs}" if column.needs else f"not built: {column.program}"

    def environment(self, column, extra=None):
        """The environment of a worker: small and the same everywhere, so that its size is known."""
        environment = {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"}
        if column.preload:
            environment["LD_PRELOAD"] = self.preload
            environment["AIRLOCK_MODE"] = "enforce"
        if column.records:
            environment["AIRLOCK_LOG"] = self.record_file
        if column.listed:
            environment["AIRLOCK_LOG_FDS"] = "1"
        if column.appends:
            environment["BENCH_APPEND"] = self.record_file
        if not column.conventions:
            environment["AIRLOCK_POLICY"] = self.silent_policy
        environment.update(extra or {})
        return environment
