"""What a preloaded library costs programs that were never told of it: the start of a process, and a whole build."""

import os
import random
import resource
import subprocess
import threading
import time
from dataclasses import dataclass

from columns import pick
from measure import Lane, interleave, median, percentile, summarize
from sections import Row, Section
from workers import Worker, WorkerError

TARGETS, FEW_TARGETS = 200, 20
LOAD_TURNS = 2  # for each round: the differences are small
MAKE_LIMIT = 120  # seconds
NONE, TRIVIAL = ("none", "no preload"), ("trivial", "a preload that does nothing")
LOAD_COLUMNS = [
    NONE,
    TRIVIAL,
    ("bare", "airlock, preload, no variable"),
    ("preload", "airlock, preload, AIRLOCK_MODE"),
    ("keep", "airlock, preload, AIRLOCK_KEEP"),
]
MAKE_COLUMNS = [NONE, TRIVIAL, ("preload", "airlock, preload"), ("records", "airlock, preload, records")]


def preloads(settings, columns):
    """The environment of each of these columns, and the reasons of those that are missing."""
    programs = settings.programs
    plain = programs.environment(pick("vfork")[0])
    environments = {"none": plain}
    missing = {}
    if os.path.exists(programs.trivial):
        environments["trivial"] = {**plain, "LD_PRELOAD": programs.trivial}
    else:
        missing["trivial"] = f"not built: {os.path.basename(programs.trivial)}"
    own = {
        "bare": {**plain, "LD_PRELOAD": programs.preload},
        "preload": programs.environment(pick("preload")[0]),
        "keep": {**plain, "LD_PRELOAD": programs.preload, "AIRLOCK_KEEP": "7"},
        "records": programs.environment(pick("records")[0]),
    }
    reason = programs.why_missing(pick("preload")[0])
    for name in [name for name, _ in columns if name in own]:
        if reason:
            missing[name] = reason
        else:
            environments[name] = own[name]
    return environments, missing


def load(settings):
    """The worker starts the program by bare vfork and exec, so that only the start itself differs."""
    section = Section("load", "Start and end of /bin/true", "µs", ["none", "trivial"], LOAD_COLUMNS)
    environments, missing = preloads(settings, LOAD_COLUMNS)
    settings.tell(section.title)
    workers = {}
    try:
        for name, environment in environments.items():
            workers[name] = Worker(settings.programs.command(pick("vfork")[0]), environment)
        lanes = [Lane(name, worker, "vfork", "exec", "/bin/true") for name, worker in workers.items()]
        interleave(lanes, settings.rounds * LOAD_TURNS, settings.batch, one_processor=True)
        cells, failed = summarize(lanes, section.baselines)
        section.rows.append(Row(1, "/bin/true", cells, {**missing, **failed}))
    except WorkerError as error:
        section.notes.append(str(error))
    finally:
        for worker in workers.values():
            worker.close()
    return section


@dataclass
class Build:
    """What each of the targets is: a name, a recipe, and the file that it is made from."""

    title: str
    source: str
    text: str
    recipe: str


BUILDS = [
    Build("sed", "template", "This is @NAME@.\n", "@sed 's/@NAME@/{goal}/' template >{goal}"),
    Build("cc -c", "source.c", "int main(void) { return 0; }\n", "@cc -c -o {goal} source.c"),
]


def write_makefile(folder, build, targets):
    os.makedirs(folder, exist_ok=True)
    goals = [f"goal-{i}" for i in range(targets)]
    with open(os.path.join(folder, "Makefile"), "w", encoding="ascii") as makefile:
        makefile.write("all: " + " ".join(goals) + "\n")
        for goal in goals:
            makefile.write(f"{goal}: {build.source}\n\t{build.recipe.format(goal=goal)}\n")
    with open(os.path.join(folder, build.source), "w", encoding="ascii") as source:
        source.write(build.text)


def run_make(folder, environment):
    """Not subprocess.run with its time limit, which polls: the time would be a multiple of 50 ms."""
    make = subprocess.Popen(["make", "-s", "-r"], cwd=folder, env=environment, stdin=subprocess.DEVNULL)
    limit = threading.Timer(MAKE_LIMIT, make.kill)
    limit.start()
    try:
        return make.wait()
    finally:
        limit.cancel()


def processor_time():
    """Nanoseconds that children, and theirs, have used so far."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return int((usage.ru_utime + usage.ru_stime) * 1e9)


def time_make(folder, environment, targets):
    """Nanoseconds on the clock and of the processor for a build from nothing."""
    for entry in os.listdir(folder):
        if entry.startswith("goal-"):
            os.unlink(os.path.join(folder, entry))
    used = processor_time()
    begin = time.monotonic_ns()
    status = run_make(folder, environment)
    elapsed = time.monotonic_ns() - begin
    used = processor_time() - used
    built = sum(entry.startswith("goal-") for entry in os.listdir(folder))
    if status != 0 or built != targets:
        raise WorkerError(f"make ended with status {status} after {built} targets")
    return elapsed, used


def summarize_builds(samples):
    """A build takes long enough for the machine to change: its ratio is formed within each turn."""
    return {
        name: {
            "minimum": min(times),
            "median": median(times),
            "p99": percentile(times, 0.99),
            "samples": len(times),
            "ratios": {"none": median([time / base for time, base in zip(times, samples["none"])])},
        }
        for name, times in samples.items()
    }


def build_rows(settings, build, environments, runs):
    """One row by the clock and one by the processor's time, which other programs on the machine disturb less."""
    targets = settings.some(FEW_TARGETS, TARGETS)
    title = f"{targets} targets, {build.title}"
    settings.tell(f"make, {title}")
    folder = os.path.join(settings.scratch, f"make-{build.source}")
    write_makefile(folder, build, targets)
    clock = {name: [] for name in environments}
    processor = {name: [] for name in environments}
    for turn in range(runs + 1):
        for name in random.Random(turn).sample(list(environments), len(environments)):
            elapsed, used = time_make(folder, environments[name], targets)
            if turn > 0:  # the first one reads everything into memory
                clock[name].append(elapsed)
                processor[name].append(used)
    return [
        Row(build.title, title, summarize_builds(clock)),
        Row(build.title, f"{title}, processor time", summarize_builds(processor)),
    ]


def make(settings, few=3, many=15):
    """few runs of the build with a compiler, which takes longer, and many of the other."""
    section = Section("make", "make with many targets", "ms", ["none"], MAKE_COLUMNS)
    environments, missing = preloads(settings, MAKE_COLUMNS)
    plan = [(BUILDS[0], settings.some(3, many))]
    if not settings.quick:
        plan.append((BUILDS[1], few))
    for build, runs in plan:
        try:
            section.rows += build_rows(settings, build, environments, runs)
        except (OSError, WorkerError) as error:
            section.notes.append(f"No row for {build.title}: {error}")
    for row in section.rows:
        row.missing = missing
    return section
