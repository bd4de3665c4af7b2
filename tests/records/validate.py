"""validate.py SCHEMA LOG: checks every line of a log against the schema, more strictly than a reader should.

Prints one line for each mistake, and "N spawns, N exits" when there is none. Besides what the schema says, the members
have to be known and in the documented order, and a line has no spaces that JSON does not need."""

import json
import sys

import jsonschema

schema = json.load(open(sys.argv[1]))
jsonschema.Draft202012Validator.check_schema(schema)
kinds = {name: {**schema["$defs"][name], "$defs": schema["$defs"]} for name in ("spawn", "exit")}
validators = {name: jsonschema.Draft202012Validator(kind) for name, kind in kinds.items()}
counts = {"spawn": 0, "exit": 0}
mistakes = 0


def mistake(number, text):
    global mistakes
    mistakes += 1
    print(f"line {number}: {text[:300]}")


def check(number, line):
    record = json.loads(line.decode())
    kind = record.get("type")
    if kind not in kinds:
        return mistake(number, f"type {kind!r}")
    counts[kind] += 1
    for error in validators[kind].iter_errors(record):
        mistake(number, f"{'/'.join(map(str, error.path))}: {error.message}")
    known = list(kinds[kind]["properties"])
    unknown = [name for name in record if name not in known]
    if unknown:
        return mistake(number, f"unknown members: {unknown}")
    if list(record) != sorted(record, key=known.index):
        mistake(number, f"members in another order: {list(record)}")
    if len(json.dumps(record, separators=(",", ":"), ensure_ascii=False).encode()) > len(line):
        mistake(number, "the line is shorter than its JSON")


for number, line in enumerate(open(sys.argv[2], "rb"), 1):
    try:
        if not line.endswith(b"\n"):
            mistake(number, "no newline at its end")
        check(number, line.rstrip(b"\n"))
    except ValueError as error:
        mistake(number, f"no JSON in UTF-8: {error}")
if mistakes:
    sys.exit(1)
print(f"{counts['spawn']} spawns, {counts['exit']} exits")
