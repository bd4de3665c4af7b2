"""What airlock's own parts cost: reading what a child is told, writing a record, and standing in front of the calls that
it watches. Each is the difference between two preloads, or between one and none, that take turns in the same run."""

import subprocess
from dataclasses import dataclass, field

from columns import pick
from measure import Crew, interleave, summarize
from sections import Row, Section, titles
from workers import Worker, WorkerError

TURNS = 4  # for each round: the differences are small
WATCHED = ("fcntl", "dup2", "dup3", "ioctl")
CALLS = 100  # for each spawn of a batch
USUAL = [
    ("NAME", "a value of a usual length"),
    ("DIRECTORY", "/usr/local/share/a/usual/path"),
    ("LEVEL", "42"),
    ("SOCKET", "/run/user/1000/bus"),
    ("ENABLED", "yes"),
]


def usual_environment(count):
    """Variables of the usual sorts. Four more are a worker's own."""
    forms = [USUAL[i % len(USUAL)] for i in range(count - 4)]
    return {f"BENCH_{i:03}_{name}": value for i, (name, value) in enumerate(forms)}


def write_silent_policy(programs):
    """Every convention off."""
    names = subprocess.run([programs.airlock, "policy", "conventions"], capture_output=True, text=True, check=True)
    with open(programs.silent_policy, "w", encoding="ascii") as policy:
        policy.writelines(f"convention {line.split()[0]} off\n" for line in names.stdout.splitlines())


def compare_lanes(settings, section, title, lanes, missing):
    """A row; the lanes share a processor, for a neighbour that one of them alone has would be all of the difference."""
    interleave(lanes, settings.rounds * TURNS, settings.batch, one_processor=True)
    cells, failed = summarize(lanes, section.baselines)
    section.rows.append(Row(title, title, cells, {**missing, **failed}))


def note_difference(section, what, above, below, scale, unit, part="median"):
    for row in section.rows:
        if above in row.cells and below in row.cells:
            difference = (row.cells[above][part] - row.cells[below][part]) * scale
            section.notes.append(f"{row.title}: {what} takes {difference:.2f} {unit}.")


def spawn_row(settings, section, columns, title, environment=None):
    settings.tell(title)
    with Crew(settings.programs, columns, descriptors=10, environment=environment) as crew:
        compare_lanes(settings, section, title, crew.lanes("exec", settings.programs.noop), crew.missing)


def conventions(settings, counts=None):
    columns = pick("silent", "preload")
    title = "Reading what a child is told, with 10 descriptors"
    section = Section("conventions", title, "µs", ["silent"], titles(columns))
    if settings.programs.why_missing(columns[0]) is None:
        write_silent_policy(settings.programs)
    for count in counts or settings.some([60], [10, 60, 200]):
        spawn_row(settings, section, columns, f"{count} variables", usual_environment(count))
    note_difference(section, "reading them", "preload", "silent", 1e-3, "µs")
    return section


def floor(settings):
    """A spawn with the cut, with nothing around it."""
    columns = pick("vfork", "cut", "cut-calls", "airlock")
    section = Section("floor", "What the kernel takes for the cut", "µs", ["vfork"], titles(columns))
    for count in settings.some([10, 1000], [10, 64, 65, 1000]):
        title = f"{count:,} descriptors"
        settings.tell(title)
        with Crew(settings.programs, columns, descriptors=count) as crew:
            compare_lanes(settings, section, title, crew.lanes("exec", settings.programs.noop), crew.missing)
    for row in section.rows:
        ratios = {name: cell["ratios"]["vfork"] for name, cell in row.cells.items()}
        if {"cut", "cut-calls", "airlock"} <= ratios.keys():
            section.notes.append(
                f"{row.title}: of a bare vfork + exec the bare cut takes {ratios['cut']:.3f}, with the calls that are "
                f"needed {ratios['cut-calls']:.3f}, the library {ratios['airlock']:.3f}."
            )
    return section


def note_floor(section, settings):
    with Crew(settings.programs, pick("glibc")) as crew:
        for worker in crew.workers.values():
            times = [int(worker.ask("append", settings.programs.record_file, 100)[0]) / 100 for _ in range(20)]
            section.notes.append(
                f"Opening a file, appending 500 bytes to it and closing it takes {min(times) * 1e-3:.2f} µs by itself, over and over."
            )


def records(settings):
    columns = pick("preload", "records", "listed", "spawned", "appended")
    section = Section("records", "A record of each spawn", "µs", ["preload"], titles(columns))
    spawn_row(settings, section, columns, "10 descriptors")
    note_difference(section, "a record", "records", "preload", 1e-3, "µs")
    note_difference(section, "opening a file, appending to it and closing it after a spawn", "appended", "spawned", 1e-3, "µs")
    note_difference(section, "a record that lists the descriptors", "listed", "preload", 1e-3, "µs")
    note_floor(section, settings)
    return section


@dataclass
class CallLane:
    """One watched function, called many times in a way that is of no interest; its samples are nanoseconds a call."""

    name: str
    worker: Worker
    call: str
    way: str
    samples: list = field(default_factory=list)
    failure: str = ""

    def run_batch(self, size):
        try:
            count = size * CALLS
            self.samples.append(int(self.worker.ask("calls", self.call, self.way, count)[0]) / count)
        except WorkerError as error:
            self.failure = str(error)


def calls(settings):
    """Both ways are taken in the preloaded process: two processes differ by more than a wrapper costs. Differences are
    those of the minima: whatever disturbs a call of the same few steps only adds to it."""
    columns = pick("glibc", "preload")
    section = Section("calls", "A call that is watched, but of no interest", "ns", ["glibc"], titles(columns))
    with Crew(settings.programs, pick("preload")) as crew:
        for call in WATCHED:
            settings.tell(call)
            lanes = [
                CallLane(name, crew.workers[column.worker], call, way)
                for column in crew.columns
                for name, way in (("glibc", "libc"), (column.name, "bound"))
            ]
            compare_lanes(settings, section, call, lanes, crew.missing)
    note_difference(section, "the wrapper", "preload", "glibc", 1, "ns", "minimum")
    return section
