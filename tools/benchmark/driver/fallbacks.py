"""The ways that are left where a kernel, or a container's filter, lacks something: each beside the peers that close as
much, under the same filter."""

import os

import machine
from columns import pick
from sections import SPAWN_BASELINES, Case, measure_rows, spawn_section, spawns

OLD_KERNEL = "clone3=ENOSYS,close_range=ENOSYS,pidfd_open=ENOSYS,pidfd_getfd=ENOSYS"
LACKS = [  # what is lacking, what the child is given, and the rules of the filter
    ("nothing is lacking", "exec", ""),
    ("no clone3", "exec", "clone3=ENOSYS"),
    ("neither clone3 nor clone", "exec", "clone3=ENOSYS,clone=EPERM"),
    ("no close_range", "exec", "close_range=ENOSYS"),
    ("Linux 5.2: no clone3, close_range or pidfds", "exec", OLD_KERNEL),
    ("a pipe, and no pidfd_getfd", "pipe", "pidfd_getfd=ENOSYS"),
]
MANY = 19_900  # without close_range each of them takes some microseconds
CLOSING_PEERS = ("hardened", "cpython")


def best_peer(row):
    cells = {name: row.cells[name]["median"] for name in CLOSING_PEERS if name in row.cells}
    return min(cells, key=cells.get, default=None)


def note_best_peers(section):
    names = dict(section.columns)
    for row in section.rows:
        peer = best_peer(row)
        if peer is None or not {"airlock", "preload"} <= row.cells.keys():
            continue
        library, preload = (row.cells[name]["median"] / row.cells[peer]["median"] for name in ("airlock", "preload"))
        section.notes.append(
            f"{row.title}: the library takes {library:.3f} of {names[peer]}, the preload {preload:.3f}."
        )


def fallbacks(settings):
    columns = pick("vfork", "airlock", "preload", "glibc", *CLOSING_PEERS)
    section = spawn_section("fallbacks", "Where a system call is refused", columns)
    if not os.path.exists(settings.programs.deny):
        section.notes.append(f"No rows: not built: {os.path.basename(settings.programs.deny)}, which refuses them.")
        return section
    counts = settings.some([10], [10, min(MANY, machine.most_descriptors())])
    cases = [
        Case(count, f"{title}, {count:,} descriptors", spawns(settings, kind), {"descriptors": count, "rules": rules})
        for title, kind, rules in settings.some(LACKS[3:4], LACKS)
        for count in counts
    ]
    section.rows = measure_rows(settings, columns, cases, SPAWN_BASELINES)
    note_best_peers(section)
    return section
