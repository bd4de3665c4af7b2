"""The goals of the project, each measured as a ratio within one run."""

from dataclasses import dataclass

import machine
from columns import pick
from costs import calls, conventions, records
from measure import Crew, interleave, median
from preloading import load, make
from sections import MEBIBYTE, shell_lanes
from workers import WorkerError

MANY = 19_900


@dataclass
class Goal:
    title: str
    limit: float | None  # None: no goal, but what one has to be seen beside
    measured: float = None
    missing: str = ""
    at_least: bool = False

    @property
    def bound(self):
        if self.limit is None:
            return "beside it"
        return f"{'at least' if self.at_least else 'at most'} {self.limit:g}"

    @property
    def met(self):
        if self.limit is None:
            return None
        return self.measured is not None and (
            self.measured >= self.limit if self.at_least else self.measured <= self.limit
        )


def compare(goals, medians, missing):
    """goals: (goal, name of the numerator, name of the denominator)."""
    for goal, above, below in goals:
        if above in medians and below in medians:
            goal.measured = medians[above] / medians[below]
        else:
            goal.missing = missing.get(above) or missing.get(below) or "not measured"
    return [goal for goal, _, _ in goals]


def run(settings, lanes, rounds, one_processor=False):
    interleave(lanes, rounds, settings.batch, one_processor=one_processor)
    medians = {lane.name: median(lane.samples) for lane in lanes if not lane.failure}
    return medians, {lane.name: lane.failure for lane in lanes if lane.failure}


def spawn_goals(settings, count, library, preload):
    """Beside them, what the kernel takes for the cut alone: less is not to be had."""
    settings.tell(f"goals: {count:,} descriptors")
    columns = pick("vfork", "airlock", "glibc", "preload", "cut", "cut-calls")
    with Crew(settings.programs, columns, descriptors=count) as crew:
        lanes = crew.lanes("exec", settings.programs.noop)
        medians, missing = run(settings, lanes, settings.rounds, one_processor=True)
    goals = [
        (Goal(f"library ÷ bare vfork + exec, {count:,} descriptors", library), "airlock", "vfork"),
        (Goal(f"... the cut alone, {count:,} descriptors", None), "cut", "vfork"),
        (Goal("... the cut, and the system calls that are needed", None), "cut-calls", "vfork"),
        (Goal(f"preloaded posix_spawn ÷ glibc's, {count:,} descriptors", preload), "preload", "glibc"),
    ]
    return compare(goals, medians, {**crew.missing, **missing})


def pipe_goal(settings, count):
    settings.tell(f"goals: a pipe, {count:,} descriptors")
    with Crew(settings.programs, pick("glibc", "preload"), descriptors=count) as crew:
        medians, missing = run(settings, crew.lanes("pipe", settings.programs.noop), settings.rounds)
    goal = Goal(f"preloaded posix_spawn with a pipe ÷ glibc's, {count:,} descriptors", 0.08)
    return compare([(goal, "preload", "glibc")], medians, {**crew.missing, **missing})


def popen_goal(settings, count):
    settings.tell(f"goals: popen, {count:,} descriptors")
    with Crew(settings.programs, pick("glibc", "preload"), descriptors=count) as crew:
        medians, missing = run(settings, shell_lanes("popen")(crew), settings.rounds)
    goal = Goal(f'preloaded popen(":") + pclose ÷ glibc\'s, {count:,} descriptors', 0.35)
    return compare([(goal, "preload", "glibc")], medians, {**crew.missing, **missing})


def thread_goal(settings, count):
    settings.tell(f"goals: {count} threads")
    with Crew(settings.programs, pick("glibc", "preload")) as crew:
        medians, missing = run(settings, crew.thread_lanes(settings.programs.noop, count), settings.rounds)
    goal = Goal(f"{count} threads, spawns per second of the preload ÷ glibc's", 1.0, at_least=True)
    return compare([(goal, "preload", "glibc")], medians, {**crew.missing, **missing})


def memory_goal(settings, name, title):
    """The small and the large process take turns, too."""
    small, large = 10 * MEBIBYTE, 8192 * MEBIBYTE
    goal = Goal(f"{title}: at 8 GiB resident ÷ at 10 MiB", 1.1)
    settings.tell(f"goals: {title} at 8 GiB")
    if settings.quick:
        goal.missing = "left out of a quick run"
        return [goal]
    if machine.free_memory() < large:
        goal.missing = f"{machine.free_memory() // MEBIBYTE} MiB are free"
        return [goal]
    with (
        Crew(settings.programs, pick(name), memory=small) as before,
        Crew(settings.programs, pick(name), memory=large) as after,
    ):
        lanes = before.lanes("exec", settings.programs.noop) + after.lanes("exec", settings.programs.noop)
        if len(lanes) == 2:
            lanes[0].name, lanes[1].name = "small", "large"
        medians, missing = run(settings, lanes, settings.rounds, one_processor=True)
        missing["large"] = missing.get("large") or (before.missing | after.missing).get(name)
    return compare([(goal, "large", "small")], medians, missing)


def ratio_goal(row, title, limit, above, below):
    """The ratio that a row of a section gives."""
    goal = Goal(title, limit)
    if above in row.cells and below in row.cells[above]["ratios"]:
        goal.measured = row.cells[above]["ratios"][below]
    else:
        goal.missing = row.missing.get(above) or row.missing.get(below) or "not measured"
    return goal


def difference_goal(row, title, limit, above, below, scale=1.0, part="median"):
    """What a row of a section gives, less what it gives without the part in question."""
    goal = Goal(title, limit)
    if above in row.cells and below in row.cells:
        goal.measured = (row.cells[above][part] - row.cells[below][part]) * scale
    else:
        goal.missing = row.missing.get(above) or row.missing.get(below) or "not measured"
    return goal


def part_goals(settings):
    goals = []
    for row in conventions(settings, [60]).rows:
        title = f"enforce ÷ with every convention off, 10 descriptors, {row.title}"
        goals.append(ratio_goal(row, title, 1.03, "preload", "silent"))
    for row in records(settings).rows:
        goals.append(difference_goal(row, "a record, µs", 8, "records", "preload", 1e-3))
        title = "... opening a file, appending to it and closing it after a spawn, µs"
        goals.append(difference_goal(row, title, None, "appended", "spawned", 1e-3))
    for row in calls(settings).rows:
        title = f"ns that the wrapper of {row.title} adds to a call of no interest"
        goals.append(difference_goal(row, title, 5, "preload", "glibc", part="minimum"))
    return goals


def load_goals(settings):
    section = load(settings)
    goals = []
    for row in section.rows:
        for name, title in (("bare", "no variable"), ("preload", "AIRLOCK_MODE"), ("keep", "AIRLOCK_KEEP")):
            title = f"start of {row.title}: preload, {title} ÷ a preload that does nothing"
            goals.append(ratio_goal(row, title, 1.25, name, "trivial"))
    return goals + [Goal("start of a program", 1.25, missing=note) for note in section.notes]


def make_goals(settings):
    section = make(settings, few=5, many=25)
    goals = []
    for row in section.rows:
        for name, title, limit in (
            ("preload", "enforce", 1.08),
            ("records", "enforce and records", 1.10),
            ("trivial", "a preload that does nothing", 1.05),
        ):
            goals.append(ratio_goal(row, f"make, {row.title}: {title} ÷ without", limit, name, "none"))
    return goals + [Goal("make", 1.08, missing=note) for note in section.notes]


def measure_goals(settings):
    many = min(MANY, machine.most_descriptors())
    goals = spawn_goals(settings, 10, 1.05, 0.90)
    goals += spawn_goals(settings, 1000, 0.65, 0.55)
    goals += spawn_goals(settings, many, 0.07, 0.07)
    goals += pipe_goal(settings, many)
    goals += popen_goal(settings, many)
    goals += thread_goal(settings, 8)
    try:
        goals += memory_goal(settings, "airlock", "library")
        goals += memory_goal(settings, "preload", "preloaded posix_spawn")
    except WorkerError as error:
        goals.append(Goal("at 8 GiB resident ÷ at 10 MiB", 1.1, missing=str(error)))
    return goals + part_goals(settings) + load_goals(settings) + make_goals(settings)
