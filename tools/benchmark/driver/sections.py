"""The sweeps. Each section is a list of rows; a row has a cell for each column, or a reason why there is none."""

import os
from dataclasses import dataclass, field

import machine
from columns import COLUMNS, MAIN_COLUMNS, pick
from measure import Crew, interleave, summarize

MEBIBYTE = 1 << 20


@dataclass
class Row:
    value: object  # where the row lies on the axis
    title: str
    cells: dict = field(default_factory=dict)
    missing: dict = field(default_factory=dict)


@dataclass
class Section:
    name: str
    title: str
    unit: str
    baselines: list  # the columns that ratios are formed to
    columns: list  # (name, title) in the order of the table
    rows: list = field(default_factory=list)
    notes: list = field(default_factory=list)


@dataclass
class Settings:
    """How much is measured."""

    programs: object
    scratch: str  # a folder for files of the benchmark, empty at first
    rounds: int
    batch: int
    quick: bool
    tell: object  # says what is being measured

    def some(self, few, many):
        return few if self.quick else many


SPAWN_BASELINES = ["vfork", "glibc"]


def titles(columns):
    return [(column.name, column.title) for column in columns]


def spawn_section(name, title, columns=COLUMNS):
    return Section(name, title, "µs", SPAWN_BASELINES, titles(columns))


PASSES = 5  # a section is gone through so many times, so that its rows take turns, too


@dataclass
class Case:
    """What a row measures: the lanes that a crew of workers is to run, and what the workers hold."""

    value: object
    title: str
    lanes: object
    holdings: dict = field(default_factory=dict)
    pool: dict = field(default_factory=dict)  # lanes by name, with the samples of all passes
    missing: dict = field(default_factory=dict)


def spawns(settings, kind="exec", file=None):
    """The usual lanes: each column spawns the child that does nothing."""
    return lambda crew: crew.lanes(kind, file or settings.programs.noop)


def run_case(settings, case, columns, rounds, seed):
    settings.tell(case.title)
    with Crew(settings.programs, columns, **case.holdings) as crew:
        lanes = case.lanes(crew)
        interleave(lanes, rounds, settings.batch, seed)
    case.missing.update(crew.missing)
    for lane in lanes:
        pooled = case.pool.setdefault(lane.name, lane)
        if pooled is not lane:
            pooled.samples += lane.samples
            pooled.failure = pooled.failure or lane.failure


def measure_rows(settings, columns, cases, baselines, passes=PASSES):
    passes = min(passes, settings.rounds)
    for number in range(passes):
        rounds = settings.rounds // passes + (number < settings.rounds % passes)
        for case in cases:
            run_case(settings, case, columns, rounds, number)
    rows = []
    for case in cases:
        cells, failed = summarize(case.pool.values(), baselines)
        rows.append(Row(case.value, case.title, cells, {**case.missing, **failed}))
    return rows


def descriptor_counts(settings):
    most = machine.most_descriptors()
    wanted = settings.some(
        [10, 1000], [3, 10, 30, 100, 300, 1000, 3000, 10_000, 30_000, 100_000, 300_000, 1_000_000]
    )
    return [count for count in wanted if count < most] + [most]


def descriptors(settings):
    section = spawn_section("descriptors", "Open descriptors in the parent")
    cases = [
        Case(count, f"{count:,} descriptors", spawns(settings), {"descriptors": count})
        for count in descriptor_counts(settings)
    ]
    section.rows = measure_rows(settings, COLUMNS, cases, SPAWN_BASELINES)
    section.notes.append(
        f"The hard limit is {machine.hard_descriptor_limit():,}, and the workers raise their own limit to it."
    )
    return section


def waves(settings, size):
    """Groups of columns whose workers fit into memory at the same time. The baselines are in each of them."""
    present = [column for column in MAIN_COLUMNS if settings.programs.why_missing(column) is None]
    keys = list(dict.fromkeys(column.worker for column in present))
    at_once = int(machine.free_memory() // size)
    home = pick("vfork")[0].worker
    if at_once < 1 or home not in keys:
        return []
    others = [key for key in keys if key != home]
    step = max(1, at_once - 1)
    if at_once == 1:
        others = []
    groups = [others[i : i + step] for i in range(0, len(others), step)] or [[]]
    result = []
    for number, group in enumerate(groups):
        baselines = [column for column in present if column.worker == home]
        if number > 0:
            baselines = [column for column in baselines if column.name in SPAWN_BASELINES]
        result.append(baselines + [column for column in present if column.worker in group])
    return result


def merge_wave(row, wave):
    """The baselines of later waves serve the ratios of their own wave alone."""
    for name, cell in wave.cells.items():
        row.cells.setdefault(name, cell)
    row.missing.update(wave.missing)


def memory_title(size):
    if size < 1000 * MEBIBYTE:
        return f"{size // MEBIBYTE} MiB resident"
    return f"{size // MEBIBYTE // 1024} GiB resident"


def memory(settings):
    section = spawn_section("memory", "Resident memory of the parent, in 4 KiB pages", MAIN_COLUMNS)
    sizes = settings.some([10, 1024], [10, 100, 1024, 2048, 4096, 8192])
    for size in (size * MEBIBYTE for size in sizes):
        row = Row(size, memory_title(size))
        groups = waves(settings, size)
        for group in groups:
            case = Case(size, row.title, spawns(settings), {"memory": size})
            merge_wave(row, measure_rows(settings, group, [case], SPAWN_BASELINES, passes=1)[0])
        if not groups:
            section.notes.append(f"No row for {row.title}: {machine.free_memory() // MEBIBYTE} MiB are free.")
            continue
        for column in MAIN_COLUMNS:
            if column.name not in row.cells and column.name not in row.missing:
                reason = settings.programs.why_missing(column) or "not enough free memory beside the baseline"
                row.missing[column.name] = reason
        section.rows.append(row)
        if len(groups) > 1:
            section.notes.append(
                f"{row.title}: in {len(groups)} groups, for lack of memory; each has its own baseline for its ratios."
            )
    return section


def threads(settings):
    section = spawn_section("threads", "Threads that spawn at once")
    section.unit = "spawns/s"
    cases = [
        Case(
            count,
            f"{count} threads" if count > 1 else "1 thread",
            lambda crew, count=count: crew.thread_lanes(settings.programs.noop, count),
        )
        for count in settings.some([1, 8], [1, 2, 4, 8])
    ]
    section.rows = measure_rows(settings, COLUMNS, cases, SPAWN_BASELINES)
    return section


def environment(settings):
    section = spawn_section("environment", "Variables in the environment")
    cases = []
    for count in settings.some([10, 2000], [10, 100, 500, 2000]):
        # A worker has up to five of its own.
        extra = {f"BENCH_{i:04}": "a value of a usual length" for i in range(count - 5)}
        cases.append(Case(count, f"{count:,} variables", spawns(settings), {"environment": extra}))
    section.rows = measure_rows(settings, COLUMNS, cases, SPAWN_BASELINES)
    return section


def path(settings):
    section = spawn_section("path", "Folders of PATH that are searched in vain")
    empty = []
    for i in range(30):
        empty.append(os.path.join(settings.scratch, f"empty-{i}"))
        os.makedirs(empty[-1], exist_ok=True)
    folder, name = os.path.split(settings.programs.noop)
    cases = []
    for count in settings.some([0, 30], [0, 3, 10, 30]):
        extra = {"PATH": ":".join(empty[:count] + [folder])}
        cases.append(Case(count, f"{count} misses", spawns(settings, "search", name), {"environment": extra}))
    section.rows = measure_rows(settings, COLUMNS, cases, SPAWN_BASELINES)
    return section


def few_counts():
    most = machine.most_descriptors()
    return [count for count in (10, 1000) if count < most] + [most]


def pipe(settings):
    section = spawn_section("pipe", "One pipe for the child's output, made while so many descriptors are open")
    cases = [
        Case(count, f"a pipe, {count:,} descriptors", spawns(settings, "pipe"), {"descriptors": count})
        for count in few_counts()
    ]
    section.rows = measure_rows(settings, COLUMNS, cases, SPAWN_BASELINES)
    return section


def shell_lanes(call):
    """The same call of libc, once as it is and once taken over by the preload."""

    def lanes(crew):
        result = crew.lanes("exec", "-")
        for lane in result:
            lane.peer = call
        return result

    return lanes


def shell(settings):
    columns = pick("glibc", "preload")
    section = Section("shell", 'system(":") and popen(":")', "µs", ["glibc"], titles(columns))
    cases = [
        Case(count, f"{call}, {count:,} descriptors", shell_lanes(call), {"descriptors": count})
        for call in ("system", "popen")
        for count in few_counts()
    ]
    section.rows = measure_rows(settings, columns, cases, section.baselines)
    return section
