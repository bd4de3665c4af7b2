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
    counts: dict = field(default_factory=dict)


def count_failures(crew, column, settings, spawns):
    folder = os.path.join(settings.scratch, "busy")
    os.makedirs(folder, exist_ok=True)
    worker = crew.workers[column.worker]
    try:
        answer = worker.ask("busy", column.peer, settings.programs.noop, folder, THREADS, spawns)
    except WorkerError as error:
        return Count(column.title, missing=str(error))
    return Count(column.title, spawns, int(answer[0]), int(answer[1]))


def busy(settings, spawns=None, columns=None):
    """One column after the other: two at once would slow each other, and nothing is timed here."""
    stress = Stress()
    columns = columns or MAIN_COLUMNS
    spawns = spawns or settings.some(1000, 20_000)
    with Crew(settings.programs, columns) as crew:
        for column in columns:
            if column.name in crew.missing:
                stress.counts[column.name] = Count(column.title, missing=crew.missing[column.name])
                continue
            settings.tell(f"ETXTBSY, {column.title}")
            stress.counts[column.name] = count_failures(crew, column, settings, spawns)
    return stress
