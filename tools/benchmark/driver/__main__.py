"""tools/bench's driver: reads the options, measures, and reports as tables, JSON and SVG."""

import argparse
import dataclasses
import json
import os
import sys
import tempfile
import time

import curves
import machine
import sections
import table
from busy import busy
from columns import COLUMNS, Programs
from costs import calls, conventions, floor, records
from fallbacks import fallbacks
from goals import measure_goals
from preloading import load, make

SECTIONS = {
    "descriptors": sections.descriptors,
    "memory": sections.memory,
    "threads": sections.threads,
    "environment": sections.environment,
    "path": sections.path,
    "pipe": sections.pipe,
    "shell": sections.shell,
    "fallbacks": fallbacks,
    "floor": floor,
    "conventions": conventions,
    "records": records,
    "calls": calls,
    "load": load,
    "make": make,
    "busy": busy,
}
CURVES = {"descriptors": curves.draw_descriptors, "memory": curves.draw_memory}

DESCRIPTION = """Measures how long it takes to start a child, with airlock and with its peers, side by side and in turn.
Prints tables with the ratios to a bare vfork + exec, and writes the numbers as JSON and two curves as SVG."""

EPILOG = """sections: descriptors (open in the parent), memory (resident), threads (that spawn at once), environment
(variables), path (misses), pipe (one, for the output), shell (system and popen), fallbacks (where
system calls are refused), floor (what the kernel takes for the cut), conventions (reading what a child is told), records
(writing one), calls (those that are watched), load (the start of a preloaded program), make (a build), busy (ETXTBSY, the
correctness part). What this machine lacks is said and left out. All of it takes about twelve minutes."""


def parse_options(arguments):
    parser = argparse.ArgumentParser(prog="tools/bench", description=DESCRIPTION, epilog=EPILOG)
    parser.add_argument("sections", nargs="*", metavar="SECTION", help="which to run (default: all)")
    parser.add_argument("--quick", action="store_true", help="fewer rows and runs; less than a minute")
    parser.add_argument("--goals", action="store_true", help="measure the project's goals and say which are met")
    parser.add_argument("--rounds", type=int, metavar="N", help="turns of each column (default: 25, quick: 4)")
    parser.add_argument("--batch", type=int, metavar="N", help="spawns in a turn (default: 20, quick: 10)")
    parser.add_argument("--json", metavar="FILE", help="where the numbers go (default: build/bench/bench.json)")
    parser.add_argument("--svg-dir", metavar="DIR", help="where the curves go (default: build/bench)")
    parser.add_argument("--no-install", action="store_true", help="install nothing; missing peers are left out")
    parser.add_argument("--no-build", action="store_true", help="neither install nor build; use what is there")
    parser.add_argument("--build", default="build", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    unknown = [name for name in options.sections if name not in SECTIONS]
    if unknown:
        parser.error(f"no such section: {unknown[0]} (there are {', '.join(SECTIONS)})")
    options.rounds = options.rounds or (4 if options.quick else 25)
    options.batch = options.batch or (10 if options.quick else 20)
    if options.rounds < 1 or not 1 <= options.batch <= 1000:
        parser.error("--rounds takes a number from 1 on, --batch one from 1 to 1000")
    return options


def tell(text):
    """What is going on, for whoever waits at a terminal."""
    if sys.stderr.isatty():
        print(f"\r\033[K{text} ...", end="", file=sys.stderr, flush=True)


def hush():
    if sys.stderr.isatty():
        print("\r\033[K", end="", file=sys.stderr, flush=True)


def write_file(path, text):
    os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    print(f"wrote {os.path.relpath(path)}")


def run_sections(settings, names):
    results = []
    for name in names:
        result = SECTIONS[name](settings)
        hush()
        print(table.stress_text(result) if name == "busy" else table.section_text(result), flush=True)
        results.append(result)
    return results


def run_goals(settings):
    goals = measure_goals(settings)
    hush()
    print(table.goals_text(goals), flush=True)
    return [{**dataclasses.asdict(goal), "met": goal.met} for goal in goals]


def report_missing(programs):
    missing = {column.name: programs.why_missing(column) for column in COLUMNS}
    missing = {name: reason for name, reason in missing.items() if reason is not None}
    for name, reason in missing.items():
        print(f"missing column {name}: {reason}")
    return missing


def write_results(options, report, results):
    folder = os.path.join(options.build, "bench")
    print()
    write_file(options.json or os.path.join(folder, "bench.json"), json.dumps(report, indent=1) + "\n")
    for result in results:
        picture = CURVES[result.name](result) if result.name in CURVES else None
        if picture is not None:
            write_file(os.path.join(options.svg_dir or folder, f"{result.name}.svg"), picture)


def measure(options, programs, scratch):
    settings = sections.Settings(programs, scratch, options.rounds, options.batch, options.quick, tell)
    names = options.sections or ([] if options.goals else list(SECTIONS))
    results = run_sections(settings, names)
    return results, run_goals(settings) if options.goals else []


def main():
    options = parse_options(sys.argv[1:])
    with tempfile.TemporaryDirectory(prefix="airlock-bench-") as scratch:
        programs = Programs(options.build, scratch)
        if not os.path.exists(programs.noop) or programs.why_missing(COLUMNS[0]):
            sys.exit(f"tools/bench: nothing is built in {options.build}")
        facts = machine.facts()
        print(table.machine_text(facts))
        missing = report_missing(programs)
        results, goals = measure(options, programs, scratch)
    report = {
        "machine": facts,
        "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "rounds": options.rounds,
        "batch": options.batch,
        "missing": missing,
        "sections": [dataclasses.asdict(result) for result in results],
        "goals": goals,
    }
    write_results(options, report, results)


main()
