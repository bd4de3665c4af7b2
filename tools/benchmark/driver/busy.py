"""The correctness part: the stress of golang/go#22315. Threads write a script, close it and execute it; ETXTBSY means
that a child of another thread still held the writing descriptor."""

import os
from dataclasses import dataclass, field

from columns import MAIN_COLUMNS
from measure import Crew
from workers import WorkerError

THREADS = 8


@dataclass
class Count:
    title: str
    spawns: int = 0
    text_busy: int = 0
    otherwise: int = 0
    missing: str = ""


@dataclass
class Stress:
    name: str = "busy"
    title: str = f"Scripts that {THREADS} threads write, close and execute: spawns that fail with ETXTBSY"
    rows: list = field(default_factory=list)


@dataclass
class Kind:
    """One way to spawn, and how many descriptors are open already. The kernel copies a table in units of 64 numbers,
    and a pipe has to be brought into the child; in either case other threads' files must not come with it."""

    name: str
    descriptors: int
    counts: dict = field(default_factory=dict)

    @property
    def title(self):
        what = "a pipe for the output" if self.name == "pipe" else "no pipe"
        return f"{what}, {self.descriptors} open"


def count_failures(crew, column, settings, kind, spawns):
    folder = os.path.join(settings.scratch, "busy")
    os.makedirs(folder, exist_ok=True)
    worker = crew.workers[column.worker]
    try:
        answer = worker.ask("busy", column.peer, kind, settings.programs.noop, folder, THREADS, spawns)
    except WorkerError as error:
        return Count(column.title, missing=str(error))
    return Count(column.title, spawns, int(answer[0]), int(answer[1]))


def busy(settings):
    """One column after the other: two at once would slow each other, and nothing is timed here. The workers are new for
    each kind, for the first spawns of a process may take another path than the later ones."""
    kinds = [Kind("exec", 10), Kind("exec", 100), Kind("pipe", 10), Kind("pipe", 300)]
    for kind in kinds:
        with Crew(settings.programs, MAIN_COLUMNS, descriptors=kind.descriptors) as crew:
            for column in MAIN_COLUMNS:
                settings.tell(f"ETXTBSY, {kind.title}, {column.title}")
                if column.name in crew.missing:
                    kind.counts[column.name] = Count(column.title, missing=crew.missing[column.name])
                else:
                    spawns = settings.some(500, 20_000)
                    kind.counts[column.name] = count_failures(crew, column, settings, kind.name, spawns)
    return Stress(rows=kinds)
