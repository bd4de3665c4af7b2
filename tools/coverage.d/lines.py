#!/usr/bin/env python3
"""What tools/coverage says about lines: how many of each file ran, which did not, and whether each of those has a reason.

A line is known by its file, its function and its text, so that edits elsewhere do not move it. Where a function has the
same line twice, it needs a reason for each that does not run. What runs now and then, when threads meet, has a reason
that begins with "by chance:", and may have run.
"""
import collections
import glob
import json
import os
import re
import subprocess
import sys

FOLDERS = ("core", "shim")
BY_CHANCE = "by chance: "


def words(text):
    return " ".join(text.split())


def read_accepted(path):
    """One (file, function, text) for each entry, with its reason. Ends the program where the form is wrong."""
    entries = []
    with open(path, encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            line = line.rstrip("\n")
            if not line or line.startswith("#"):
                continue
            fields = line.split("\t")
            if len(fields) != 4 or not all(field.strip() for field in fields):
                sys.exit(f"{path}:{number}: not a file, a function, a line and a reason with tabs between them")
            entries.append((fields[0], fields[1], words(fields[2]), fields[3]))
    return entries


def read_source(root, name):
    with open(os.path.join(root, name), encoding="utf-8") as file:
        return [words(line) for line in file]


def check(root, accepted):
    """Whether every entry names a line of the sources; needs no build."""
    wrong = []
    entries = read_accepted(accepted)
    wanted = collections.Counter((name, text) for name, _, text, _ in entries)
    for name, function, text, _ in entries:
        try:
            source = read_source(root, name)
        except OSError:
            wrong.append(f"{name}: no such file")
            continue
        if not any(re.search(rf"\b{re.escape(function)}\(", line) for line in source):
            wrong.append(f"{name}: no such function: {function}")
        elif source.count(text) < wanted[name, text]:
            wrong.append(f"{name}: {function}: there is no such line, or not so often: {text}")
    for line in dict.fromkeys(wrong):
        print(line)
    print(f"{len(entries)} reasons, {len(wrong)} for lines that do not exist")
    return 1 if wrong else 0


def read_counts(root, data):
    """{file: {line number: [times, function]}}, summed over all programs and libraries that contain the line."""
    files = collections.defaultdict(dict)
    objects = sorted(glob.glob(os.path.join(glob.escape(data), "*.gcda")))
    if not objects:
        sys.exit(f"there are no counters in {data}")
    for start in range(0, len(objects), 50):
        command = ["gcov", "--json-format", "--stdout", *objects[start:start + 50]]
        output = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, cwd=data).stdout
        for part in filter(None, output.splitlines()):
            report = json.loads(part)
            for file in report["files"]:
                path = os.path.realpath(os.path.join(report["current_working_directory"], file["file"]))
                name = os.path.relpath(path, root)
                if os.path.dirname(name) not in FOLDERS:
                    continue
                for line in file["lines"]:
                    entry = files[name].setdefault(line["line_number"], [0, line.get("function_name", "")])
                    entry[0] += line["count"]
    return files


def table(files):
    """The rows of the page, and the totals."""
    rows = ["| file | lines | covered | not |", "|---|---|---|---|"]
    total = covered = 0
    for name in sorted(files):
        ran = sum(1 for times, _ in files[name].values() if times > 0)
        rows.append(f"| {name} | {len(files[name])} | {ran} | {len(files[name]) - ran} |")
        total += len(files[name])
        covered += ran
    return rows, total, covered


def report(root, accepted, data, page):
    files = read_counts(root, data)
    rows, total, covered = table(files)
    missed = []
    for name in sorted(files):
        source = read_source(root, name)
        for number in sorted(files[name]):
            times, function = files[name][number]
            if times == 0:
                missed.append((name, function, source[number - 1], number))
    reasons = collections.defaultdict(list)
    for name, function, text, reason in read_accepted(accepted):
        reasons[name, function, text].append(reason)
    explained, unexplained = [], []
    for name, function, text, number in missed:
        if reasons[name, function, text]:
            explained.append((name, function, text, reasons[name, function, text].pop(0)))
        else:
            unexplained.append((name, function, text, number))
    summary = f"{covered} of {total} lines covered ({100 * covered / total:.1f} %), {len(explained)} with a reason"
    with open(page, "w", encoding="utf-8") as file:
        print(*rows, "", f"{summary}.", sep="\n", file=file)
    print(*rows, "", sep="\n")
    for name, function, text, reason in explained:
        print(f"accepted: {name}: {function}: {text}\n          {reason}")
    for name, function, text, number in unexplained:
        print(f"not covered: {name}:{number}\n{name}\t{function}\t{text}\t")
    stale = [key for key, left in reasons.items() for reason in left if not reason.startswith(BY_CHANCE)]
    for name, function, text in stale:
        print(f"a reason, but the line ran or is gone: {name}: {function}: {text}")
    print(f"{summary}, {len(unexplained)} without, {len(stale)} reasons for other lines")
    return 1 if unexplained or stale else 0


def main():
    if sys.argv[1:2] == ["check"]:
        return check(*sys.argv[2:])
    return report(*sys.argv[2:])


sys.exit(main())
