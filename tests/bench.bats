#!/usr/bin/env bats
# The benchmark runs, says what is missing, and leaves behind what other programs can read. No test looks at a time.
load helpers

# A folder with the programs of the benchmark, so that a test may take one away.
setup_file() {
    export BENCH_BUILD=$BATS_FILE_TMPDIR/build
    export AIRLOCK_BUILD=$BENCH_BUILD
    "$ROOT/tools/bench" --no-install --quick --rounds 1 --batch 1 descriptors >"$BATS_FILE_TMPDIR/first" 2>&1 || {
        cat "$BATS_FILE_TMPDIR/first"
        return 1
    }
}

bench() {
    timeout 200 "$ROOT/tools/bench" --no-build --quick --rounds 2 --batch 2 "$@"
}

json() {
    python3 -c 'import json, sys; report = json.load(open(sys.argv[1])); print(eval(sys.argv[2]))' "$@"
}

# Which column names the picture has lines for.
drawn() {
    python3 - "$1" <<'END'
import sys
import xml.etree.ElementTree

svg = "{http://www.w3.org/2000/svg}"
lines = xml.etree.ElementTree.parse(sys.argv[1]).getroot().iter(svg + "path")
print(*sorted({line.get("class").split()[1] for line in lines if line.get("class").startswith("line ")}))
END
}

@test "a sweep over descriptors ends with numbers for machines and a picture with every peer that is there" {
    cd "$BATS_TEST_TMPDIR"
    run bench --json numbers.json --svg-dir pictures descriptors
    [ "$status" -eq 0 ]
    [[ $output == *"airlock, library"*"airlock, preload"*"glibc posix_spawn"* ]]
    [ "$(json numbers.json 'len(report["sections"][0]["rows"]) >= 2')" = True ]
    wanted=$(json numbers.json '" ".join(sorted(set(report["sections"][0]["rows"][0]["cells"]) - {"airlock-all", "records"}))')
    [[ $wanted == *airlock*glibc*vfork* ]]
    [ "$(drawn pictures/descriptors.svg)" = "$wanted" ]
}

@test "every cell has a minimum, a median, a 99th percentile and its ratio to bare vfork" {
    cd "$BATS_TEST_TMPDIR"
    bench --json numbers.json --svg-dir . descriptors
    python3 - numbers.json <<'END'
import json
import sys

for row in json.load(open(sys.argv[1]))["sections"][0]["rows"]:
    for cell in row["cells"].values():
        assert 0 < cell["minimum"] <= cell["median"] <= cell["p99"], cell
        assert cell["ratios"]["vfork"] > 0, cell
END
}

@test "a peer that was not built is named as missing, and the others are measured" {
    cd "$BATS_TEST_TMPDIR"
    mkdir -p less/core less/tools less/shim
    cp "$BENCH_BUILD/core/libairlock.so.0" less/core/
    cp -r "$BENCH_BUILD/tools/benchmark" less/tools/
    cp "$BENCH_BUILD/shim/libairlock-preload.so" less/shim/
    rm -f less/tools/benchmark/bench-libuv
    AIRLOCK_BUILD=$PWD/less run bench --json numbers.json --svg-dir . descriptors
    [ "$status" -eq 0 ]
    [[ $output == *"missing column libuv: not built: needs libuv1-dev"* ]]
    [ "$(json numbers.json '"libuv" in report["sections"][0]["rows"][0]["cells"]')" = False ]
    [ "$(json numbers.json '"airlock" in report["sections"][0]["rows"][0]["cells"]')" = True ]
    [[ $(drawn descriptors.svg) != *libuv* ]]
}

@test "the parts of airlock's own cost are measured one by one, each beside what it is compared with" {
    cd "$BATS_TEST_TMPDIR"
    run bench --json numbers.json fallbacks floor conventions records calls load make
    [ "$status" -eq 0 ] || { echo "$output" && return 1; }
    [[ $output == *"of a bare vfork + exec the bare cut takes "*", the library "* ]]
    [[ $output == *"after a spawn takes "* ]]
    [[ $output == *"no close_range, 10 descriptors: the library takes "*", the preload "* ]]
    [[ $output == *"variables: reading them takes "*"descriptors: a record takes "*"closing it takes "*"fcntl: the wrapper takes "* ]]
    python3 - numbers.json <<'END'
import json
import sys

expected = {
    "conventions": ({"silent", "preload"}, {"60 variables"}),
    "fallbacks": ({"vfork", "airlock", "preload", "glibc", "hardened", "cpython"}, {"no close_range, 10 descriptors"}),
    "floor": ({"vfork", "cut", "cut-calls", "airlock"}, {"10 descriptors", "1,000 descriptors"}),
    "records": ({"preload", "records", "listed", "spawned", "appended"}, {"10 descriptors"}),
    "calls": ({"glibc", "preload"}, {"fcntl", "dup2", "dup3", "ioctl"}),
    "load": ({"none", "trivial", "bare", "preload", "keep"}, {"/bin/true"}),
    "make": ({"none", "trivial", "preload", "records"}, {"20 targets, sed", "20 targets, sed, processor time"}),
}
for section in json.load(open(sys.argv[1]))["sections"]:
    columns, rows = expected.pop(section["name"])
    assert {row["title"] for row in section["rows"]} == rows, section["rows"]
    for row in section["rows"]:
        assert set(row["cells"]) == columns, row
        for cell in row["cells"].values():
            assert all(baseline in cell["ratios"] for baseline in section["baselines"]), row
assert not expected, expected
END
}

@test "every goal is measured, or says why not" {
    cd "$BATS_TEST_TMPDIR"
    run bench --goals --json numbers.json
    [ "$status" -eq 0 ] || { echo "$output" && return 1; }
    python3 - numbers.json <<'END'
import json
import sys

goals = json.load(open(sys.argv[1]))["goals"]
for goal in goals:
    assert (goal["measured"] is None) == (goal["missing"] != ""), goal
measured = [goal["title"] for goal in goals if goal["measured"] is not None]
for wanted in ("the cut alone, 1,000 descriptors", "closing it after a spawn", "convention off, 10 descriptors, 60 variables", "a record", "wrapper of fcntl", "wrapper of dup2",
               "wrapper of dup3", "wrapper of ioctl", "no variable ÷", "AIRLOCK_MODE ÷", "AIRLOCK_KEEP ÷",
               "make, 20 targets, sed: enforce and records ÷"):
    assert sum(wanted in title for title in measured) == 1, (wanted, measured)
END
}

@test "the stress with scripts counts every column's spawns: none of airlock's finds its script busy, none fails otherwise" {
    cd "$BATS_TEST_TMPDIR"
    bench --json numbers.json busy
    python3 - numbers.json <<'END'
import json
import sys

rows = json.load(open(sys.argv[1]))["sections"][0]["rows"]
assert {(row["name"], row["descriptors"]) for row in rows} == {("exec", 10), ("exec", 100), ("pipe", 10), ("pipe", 300)}
for row in rows:
    for column in ("airlock", "preload", "glibc"):
        count = row["counts"][column]
        assert count["spawns"] > 0 and count["otherwise"] == 0, (row["name"], column, count)
        assert column == "glibc" or count["text_busy"] == 0, (row["name"], column, count)
END
}

@test "with few descriptors allowed the sweep ends at what is allowed" {
    cd "$BATS_TEST_TMPDIR"
    run bash -c 'ulimit -n 600; exec "$@"' limited "$ROOT/tools/bench" --no-build --quick --rounds 1 --batch 1 \
        --json numbers.json --svg-dir . descriptors
    [ "$status" -eq 0 ]
    [ "$(json numbers.json '[row["value"] for row in report["sections"][0]["rows"]]')" = "[10, 500]" ]
}

@test "a section that does not exist is refused, and the sections are named" {
    run bench colours
    [ "$status" -eq 2 ]
    [[ $output == *"no such section: colours"*descriptors*memory* ]]
}
