"""Interleaving and statistics. Every lane gets a small batch in turn, so that a drift of the machine hits all alike."""

import contextlib
import math
import os
import random
from dataclasses import dataclass, field

from workers import Worker, WorkerError

SLICE_NS = 40_000_000  # a batch of a slow lane gets shorter, so that the turns stay short
LANE_NS = 4_000_000_000  # a lane that has run for this long, and has enough samples, leaves the rest to the others
ENOUGH = 10


@dataclass
class Lane:
    """One column of one row while it is being measured."""

    name: str
    worker: Worker
    peer: str
    kind: str
    file: str
    samples: list = field(default_factory=list)
    failure: str = ""

    def run_batch(self, size):
        if len(self.samples) >= ENOUGH and sum(self.samples) > LANE_NS:
            return
        if self.samples:
            size = max(1, min(size, int(SLICE_NS / median(self.samples))))
        try:
            answer = self.worker.ask("spawn", self.peer, self.kind, self.file, size)
            self.samples.extend(int(word) for word in answer)
        except WorkerError as error:
            self.failure = str(error)


@dataclass
class ThreadLane:
    """The same for many threads at once; its samples are spawns per second."""

    name: str
    worker: Worker
    peer: str
    file: str
    threads: int
    samples: list = field(default_factory=list)
    failure: str = ""

    def run_batch(self, size):
        count = max(1, 4 * size // self.threads)
        try:
            elapsed = int(self.worker.ask("threads", self.peer, self.file, self.threads, count)[0])
            self.samples.append(count * self.threads * 1e9 / elapsed)
        except WorkerError as error:
            self.failure = str(error)


def interleave(lanes, rounds, batch, seed=0, one_processor=False):
    """Runs all lanes in turn, in another order each round. With one_processor the lanes of a round share a processor,
    and the rounds go through all: for comparisons between two processes, of which one may have a busy neighbour."""
    order = random.Random(seed)
    processors = sorted(os.sched_getaffinity(0))
    for number in range(rounds):
        turn = [lane for lane in lanes if not lane.failure]
        order.shuffle(turn)
        for lane in turn:
            if one_processor:
                lane.worker.stay_on(processors[number % len(processors)])
            lane.run_batch(batch)


def percentile(samples, share):
    ordered = sorted(samples)
    return ordered[min(len(ordered) - 1, math.ceil(share * len(ordered)) - 1)]


def median(samples):
    ordered = sorted(samples)
    middle = len(ordered) // 2
    return ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2


def summarize(lanes, baselines):
    """Cells by name with their ratios to the baselines, and the reasons of those that failed."""
    cells = {}
    missing = {lane.name: lane.failure for lane in lanes if lane.failure}
    for lane in lanes:
        if not lane.failure:
            cells[lane.name] = {
                "minimum": min(lane.samples),
                "median": median(lane.samples),
                "p99": percentile(lane.samples, 0.99),
                "samples": len(lane.samples),
            }
    add_ratios(cells, baselines)
    return cells, missing


def add_ratios(cells, baselines):
    for cell in cells.values():
        cell["ratios"] = {name: cell["median"] / cells[name]["median"] for name in baselines if name in cells}


class Crew:
    """The workers of one row: one for each process that its columns need, holding what the row asks for."""

    def __init__(self, programs, columns, descriptors=10, memory=0, environment=None, rules=""):
        self.workers = {}
        self.missing = {}
        self.stack = contextlib.ExitStack()
        failures = {}
        for column in columns:
            reason = programs.why_missing(column) or failures.get(column.worker)
            if reason is None and column.worker not in self.workers:
                try:
                    worker = Worker(programs.command(column, rules), programs.environment(column, environment))
                    self.stack.callback(worker.close)
                    worker.ask("descriptors", descriptors)
                    worker.ask("memory", memory)
                    self.workers[column.worker] = worker
                except WorkerError as error:
                    reason = failures[column.worker] = str(error)
            if reason is not None:
                self.missing[column.name] = reason
        self.columns = [column for column in columns if column.name not in self.missing]

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.stack.close()

    def lanes(self, kind, file):
        return [Lane(column.name, self.workers[column.worker], column.peer, kind, file) for column in self.columns]

    def thread_lanes(self, file, threads):
        return [
            ThreadLane(column.name, self.workers[column.worker], column.peer, file, threads)
            for column in self.columns
        ]
