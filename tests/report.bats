#!/usr/bin/env bats
# shellcheck disable=SC2016  # Python and sed expand their own
# shellcheck disable=SC2154  # run sets them
# airlock report: what a log says in numbers, in every form, however long or broken it is.

load helpers.bash

bats_require_minimum_version 1.5.0

setup() {
    LOG=$BATS_TEST_TMPDIR/spawns.log
    # Debian's Python, which has Debian's modules.
    PYTHON=/usr/bin/python3
    cd "$BATS_TEST_TMPDIR" || return
}

report() {
    (become_clean timeout -k 5 "$LIMIT" env -u LD_PRELOAD LC_ALL=C.UTF-8 TZ=UTC "$AIRLOCK" report "$@")
}

# The nanoseconds of one spawn in JSON: its total, spread over the phases.
phases() {
    echo "\"ns\":{\"prepare\":$(($1 / 10)),\"clone\":$(($1 * 2 / 10)),\"setup\":$(($1 / 10)),\"exec\":$(($1 * 6 / 10)),\"total\":$1}"
}

# spawn MONO_US PID PROGRAM CALL PATH CHILD NS [MORE]: one record of a spawn that went well.
spawn() {
    echo "{\"v\":1,\"type\":\"spawn\",\"wall_us\":$((1700000000000000 + $1)),\"mono_us\":$1,\"pid\":$2,\"tid\":$2,\"ppid\":1,\"program\":\"$3\",\"object\":\"$3\",\"offset\":\"0x10\",\"call\":\"$4\",\"mode\":\"enforce\",\"path\":\"$5\",\"argv\":[\"$5\",\"-x\"],\"attributes\":[],\"primitive\":\"clone3\",\"cut\":true,\"shared_memory\":true,\"fetched\":0,\"child\":$6,$(phases "$7")${8:+,$8}}"
}

# failure MONO_US PID PROGRAM PATH STEP ERRNO
failure() {
    spawn "$1" "$2" "$3" posix_spawn "$4" 1 50000 | sed "s|\"child\":1,|\"error\":{\"step\":\"$5\",\"index\":0,\"errno\":\"$6\",\"text\":\"$5 $4: $6\"},|"
}

# ended MONO_US PID PROGRAM CALL CHILD STATUS NS
ended() {
    echo "{\"v\":1,\"type\":\"exit\",\"wall_us\":$((1700000000000000 + $1)),\"mono_us\":$1,\"pid\":$2,\"tid\":$2,\"ppid\":1,\"program\":\"$3\",\"call\":\"$4\",\"child\":$5,\"status\":\"$6\",\"wall_ns\":$7,\"user_us\":10,\"system_us\":20,\"max_rss_kb\":3000}"
}

# A small log whose every number is known.
make_log() {
    {
        spawn 1000000 50 /usr/bin/make posix_spawn /usr/bin/cc 60 100000
        spawn 1100000 50 /usr/bin/make posix_spawn /usr/bin/cc 61 200000 '"sealed":[{"fd":7,"what":"/srv/db"},{"fd":8,"what":"pipe:[11]"}]'
        spawn 1200000 60 /usr/lib/cc-real posix_spawnp as 62 300000 '"sealed":[{"fd":7,"what":"pipe:[12]"}]'
        spawn 1300000 50 /usr/bin/make system /bin/sh 63 400000 '"kept":[{"fd":9,"what":"pipe:[13]","rule":"variable MAKEFLAGS"}]'
        ended 1900000 50 /usr/bin/make system 63 "exited 3" 600000000
        failure 1950000 50 /usr/bin/make /usr/bin/gone exec ENOENT
        failure 1960000 50 /usr/bin/make /usr/bin/gone exec ENOENT
        failure 1970000 50 /usr/bin/make /srv/x action EACCES
    } >"$LOG"
}

# Prints a Python expression over `d`, the answer of --json.
ask() {
    report --json "$LOG" >answer.json
    "$PYTHON" -c 'import json, sys; d = json.load(open("answer.json")); print(eval(sys.argv[1]))' "$1"
}

@test "the totals are those of the log" {
    make_log
    [ "$(ask 'd["lines"]')" = "{'good': 8, 'bad': 0, 'unknown': 0}" ]
    [ "$(ask '[d["totals"][k] for k in ("spawns", "failed", "exits", "leaking", "sealed", "kept", "dropped")]')" = "[7, 3, 1, 2, 3, 1, 0]" ]
    [ "$(ask 'd["time"]["last_mono_us"] - d["time"]["first_mono_us"]')" = 970050 ]
}

@test "failures are counted by step and errno, with an example" {
    make_log
    [ "$(ask '[(r["step"], r["errno"], r["count"], r["example"]) for r in d["failures"]["rows"]]')" = \
        "[('exec', 'ENOENT', 2, 'exec /usr/bin/gone: ENOENT'), ('action', 'EACCES', 1, 'action /srv/x: EACCES')]" ]
}

@test "leaks say who hands what to whom and how often, whatever the number of a pipe" {
    make_log
    spawn 2000000 50 /usr/bin/make posix_spawn /usr/bin/cc 70 100000 '"sealed":[{"fd":8,"what":"pipe:[99]"}]' >>"$LOG"
    [ "$(ask '[(r["from"], r["to"], r["what"], r["count"]) for r in d["leaks"]["rows"]]')" = \
        "[('/usr/bin/make', '/usr/bin/cc', 'pipe', 2), ('/usr/bin/make', '/usr/bin/cc', '/srv/db', 1), ('/usr/lib/cc-real', 'as', 'pipe', 1)]" ]
}

@test "connections of one socket are one leak: the peer does not count, the own address does" {
    for peer in 5001 5002; do
        spawn "1$peer" 50 /usr/sbin/server posix_spawn /bin/cgi "$peer" 100000 "\"sealed\":[{\"fd\":7,\"what\":\"socket:[$peer] tcp 127.0.0.1:80 <- 127.0.0.1:$peer\"}]"
    done >"$LOG"
    [ "$(ask '[(r["what"], r["count"]) for r in d["leaks"]["rows"]]')" = "[('socket tcp 127.0.0.1:80 <- *', 2)]" ]
}

@test "connections to one server are one leak: the own end, which Linux chose, does not count" {
    for port in 40001 40002; do
        spawn "1$port" 50 /usr/sbin/server posix_spawn /bin/cgi "$port" 100000 "\"sealed\":[{\"fd\":7,\"what\":\"socket:[$port] tcp [::1]:$port <- [::1]:5432\"}]"
    done >"$LOG"
    [ "$(ask '[(r["what"], r["count"]) for r in d["leaks"]["rows"]]')" = "[('socket tcp * <- [::1]:5432', 2)]" ]
}

@test "percentiles lie within a thirty-second of the true ones" {
    for ((i = 1; i <= 1000; i++)); do
        spawn "$((1000000 + i))" 50 /usr/bin/make posix_spawn /bin/true "$((1000 + i))" "$((i * 1000))"
    done >"$LOG"
    [ "$(ask 'all(abs(d["ns"]["total"][name] - true) <= true / 32 + 1 for name, true in (("p50", 501000), ("p95", 951000), ("p99", 991000)))')" = True ]
    [ "$(ask '[d["ns"]["total"][k] for k in ("count", "min", "max", "mean")]')" = "[1000, 1000, 1000000, 500500]" ]
    [ "$(ask 'sum(n for start, end, n in d["ns"]["exec"]["buckets"])')" = 1000 ]
}

@test "the slowest come first, and are the true ones of a log that is longer than the list" {
    for ((i = 1; i <= 500; i++)); do
        spawn "$((1000000 + i))" 50 /usr/bin/make posix_spawn /bin/true "$((1000 + i))" "$((i * 7919 % 501 * 1000))"
    done >"$LOG"
    [ "$(ask '[s["ns"][4] // 1000 for s in d["slowest"]] == list(range(500, 400, -1))')" = True ]
}

@test "what a child became is told: the path that was executed, and the program that then spawned" {
    make_log
    [ "$(ask '[(r["path"], r["program"], r["count"]) for r in d["becomings"]["rows"]]')" = "[('/usr/bin/cc', '/usr/lib/cc-real', 1)]" ]
}

@test "the summary for people has every part, and no colours in a file" {
    make_log
    run -0 report "$LOG"
    for text in "         7  spawns" "         3  failed" "exec        ENOENT          e.g. exec /usr/bin/gone: ENOENT" \
        "/usr/bin/make → /usr/bin/cc  /srv/db as 7" "/usr/bin/make → /bin/sh  pipe  variable MAKEFLAGS" \
        "posix_spawn  /usr/bin/make at 0x10" "exited 3" "p50      p95      p99" "400 us  make[50] system  -x"; do
        [[ $output == *"$text"* ]] || { echo "no '$text' in:" && echo "$output" && return 1; }
    done
    [[ $output != *$'\e'* ]]
}

@test "--top says how many rows a list has, and what is left out is counted" {
    make_log
    run -0 report --top 1 "$LOG"
    [[ $output == *"Failures"*"2  exec"*"1  in 1 more"* ]]
    [[ $output != *EACCES* ]]
}

@test "broken lines are counted, and the good ones between them are reported" {
    make_log
    {
        head -n 3 "$LOG"
        echo 'no record'
        echo # an empty line is none, good or bad
        sed -n 4p "$LOG" | cut -c 1-200
        head -c 3000000 /dev/zero
        echo
        printf '[%.0s' {1..5000}
        echo
        echo '{"v":1,"type":"spawn","pid":"fifty"}'
        echo '{"v":1,"type":"spawn","wall_us":1,"mono_us":1,"pid":1,"tid":1,"ppid":1,"program":"/x","call":"system"}'
        sed -n 4p "$LOG" | tr -d '\n' # two on one line are none
        sed -n 4,8p "$LOG"
        sed -n 1p "$LOG" | cut -c 1-100 | tr -d '\n' # the disk was full
    } >broken.log
    mv broken.log "$LOG"
    [ "$(ask 'd["lines"]')" = "{'good': 7, 'bad': 8, 'unknown': 0}" ]
    [ "$(ask 'd["totals"]["spawns"]')" = 6 ]
    run -0 report "$LOG"
    [[ $output == *"8  lines that are no records, or cut off"* ]]
}

@test "a last line without a newline counts when it is whole" {
    make_log
    truncate -s -1 "$LOG"
    [ "$(ask 'd["lines"]')" = "{'good': 8, 'bad': 0, 'unknown': 0}" ]
}

@test "records of a later version or an unknown type are counted apart, unknown members are passed over" {
    make_log
    {
        echo '{"v":2,"type":"spawn","pid":7}'
        echo '{"v":1,"type":"fork","pid":7}'
        spawn 3000000 50 /usr/bin/make posix_spawn /usr/bin/cc 90 100000 '"later":{"pid":[1,{"v":2}],"x":null},"more":[[]]'
    } >>"$LOG"
    [ "$(ask 'd["lines"], d["totals"]["spawns"]')" = "({'good': 9, 'bad': 0, 'unknown': 2}, 8)" ]
}

@test "records that the library lost are told of" {
    make_log
    spawn 3000000 50 /usr/bin/make posix_spawn /usr/bin/cc 90 100000 '"dropped":41' >>"$LOG"
    run -0 report "$LOG"
    [[ $output == *"41  records lost"* ]]
}

@test "several logs are one report, and '-' is standard input" {
    make_log
    [ "$(ask 'd["totals"]["spawns"]')" = 7 ]
    cp "$LOG" copy.log
    run -0 report --json "$LOG" - copy.log < <(cat copy.log)
    [[ $output == *'"spawns":21,'* ]]
}

@test "an empty log is no error" {
    : >"$LOG"
    run -0 report "$LOG"
    [[ $output == *"no records"* ]]
    [ "$(ask 'd["totals"]["spawns"], d["ns"]["total"]["p50"]')" = "(0, 0)" ]
}

@test "no byte of a log reaches the terminal as a control character" {
    spawn 1000000 50 '/x\u001b[31m\u000a\u0000\u009b' posix_spawn '/bin/\u001aff\u0007' 60 100000 '"sealed":[{"fd":3,"what":"/tmp/\u001b]0;x\u0007"}]' >"$LOG"
    run -0 report "$LOG"
    [[ $output == *'/bin/\xff\x07'* && $output == *'/x\x1b[31m\n\x00'* ]]
    run -1 grep -qP '[\x00-\x09\x0b-\x1f\x7f]|\xc2\x9b' <<<"$output"
}

@test "the trace events have a slice for each spawn, its phases inside, and the commands" {
    make_log
    run -0 report --trace events.json "$LOG"
    [ -z "$output" ]
    run -0 "$PYTHON" - <<'END'
import json
events = json.load(open("events.json"))["traceEvents"]
slices = [e for e in events if e["ph"] == "X"]
by = lambda category: [e for e in slices if e["cat"] == category]
print(len(by("spawn")), len(by("failed")), len(by("phase")), len(by("command")))
first = by("spawn")[0]
print(first["name"], first["pid"], first["ts"], first["dur"], first["args"]["child"])
print(by("command")[0]["dur"], by("command")[0]["args"]["status"])
inside = [p for p in by("phase") if first["ts"] <= p["ts"] and p["ts"] + p["dur"] <= first["ts"] + first["dur"] + .001]
print([p["name"] for p in inside])
names = sorted({(e["pid"], e["args"]["name"]) for e in events if e["name"] == "process_name"})
print(names)
print({e["pid"] for e in slices} - {pid for pid, name in names} or "every track has a name")
ends, over = {}, 0
for e in sorted(slices, key=lambda e: (e["ts"], -e["dur"])):
    around, end = ends.setdefault(e["tid"], []), e["ts"] + e["dur"]
    while around and around[-1] <= e["ts"] + .001:
        around.pop()
    over += bool(around) and end > around[-1] + .001
    around.append(end)
print(over, "slices end after the one around them")
END
    assert_lines "4 3 28 1" "cc 50 1000000.0 100.0 60" "600000.0 exited 3" "['prepare', 'clone', 'setup', 'exec']" \
        "[(50, 'make'), (60, 'cc-real'), (63, 'sh')]" "every track has a name" \
        "0 slices end after the one around them"
}

@test "the metrics are OpenMetrics, and their numbers are those of the log" {
    make_log
    spawn 3000000 50 '/opt/\u0022a\\b\u000a\u001aff' posix_spawn /usr/bin/cc 90 100000 >>"$LOG"
    run -0 report --metrics spawns.prom "$LOG"
    [ "$(tail -n 1 spawns.prom)" = "# EOF" ]
    run -0 "$PYTHON" - <<'END'
from prometheus_client.openmetrics.parser import text_string_to_metric_families
samples = {(s.name, tuple(sorted(s.labels.items()))): s.value
           for family in text_string_to_metric_families(open("spawns.prom").read()) for s in family.samples}
get = lambda name, **labels: float("%g" % samples[("airlock_" + name, tuple(sorted(labels.items())))])
print(get("spawns_total", program="/usr/bin/make", call="posix_spawn", result="failed"),
      get("spawns_total", program="/opt/\"a\\b\n\\xff", call="posix_spawn", result="ok"))
print(get("spawn_failures_total", step="exec", errno="ENOENT"), get("sealed_descriptors_total"))
total = lambda name, **labels: get("spawn_duration_seconds_" + name, phase="total", **labels)
print(total("count"), round(total("sum"), 6), total("bucket", le="0.00025"), total("bucket", le="+Inf"))
print(get("command_duration_seconds_count"))
END
    assert_lines "3.0 1.0" "2.0 3.0" "8.0 0.00125 6.0 8.0" "1.0"
}

@test "the older text format of Prometheus reads the metrics, too" {
    make_log
    report --metrics spawns.prom "$LOG"
    run -0 "$PYTHON" - <<'END'
from prometheus_client.parser import text_string_to_metric_families
print(sum(s.value for family in text_string_to_metric_families(open("spawns.prom").read()) for s in family.samples
          if s.name == "airlock_spawns_total"))
END
    [ "$output" = 7.0 ]
}

@test "the graph is one that Graphviz draws, with an edge for each pair and what a path became" {
    make_log
    spawn 3000000 50 '/opt/\u0022a\\b\u000a' posix_spawn '/x -> y' 90 100000 >>"$LOG"
    report --dot spawns.dot "$LOG"
    run -0 --separate-stderr dot -Tplain spawns.dot
    [ -z "$stderr" ]
    [ "$(grep -c '^edge' <<<"$output")" -eq 7 ]
    grep -qF '"/usr/bin/make" -> "/usr/bin/cc" [label="2"' spawns.dot
    grep -qF '"/usr/bin/cc" -> "/usr/lib/cc-real" [style=dashed' spawns.dot
}

@test "a file is replaced as a whole and with the usual mode; a device is written to" {
    make_log
    echo old >spawns.prom
    exec 5<spawns.prom
    umask 027
    report --metrics spawns.prom "$LOG"
    [ "$(cat <&5)" = old ]
    exec 5<&-
    [ "$(stat -c %a spawns.prom)" = 640 ]
    [ "$(find . -type f | sort | xargs)" = "./spawns.log ./spawns.prom" ]
    run -0 report --metrics /dev/null "$LOG"
    [ -c /dev/null ]
    run -0 report --dot - "$LOG"
    [[ ${lines[0]} == "digraph spawns {" ]]
}

@test "a report that cannot be written is an error, and the old file stays" {
    make_log
    run -125 report --html "$BATS_TEST_TMPDIR/missing/page.html" "$LOG"
    [[ $output == "airlock: '$BATS_TEST_TMPDIR/missing/page.html' cannot be written: No such file or directory" ]]
    run -125 report --metrics /dev/full "$LOG"
    [[ $output == "airlock: '/dev/full' cannot be written: No space left on device" ]]
    full() { report "$LOG" >/dev/full; }
    run -125 full
    [[ $output == "airlock: standard output: No space left on device" ]]
    echo old >spawns.prom
    run -125 report --metrics spawns.prom "$LOG" missing.log
    [ "$(cat spawns.prom)" = old ]
}

@test "a log that cannot be read is named" {
    run -125 report missing.log
    [ "$output" = "airlock: the log 'missing.log' cannot be read: No such file or directory" ]
    run -125 report "$BATS_TEST_TMPDIR"
    [ "$output" = "airlock: the log '$BATS_TEST_TMPDIR' cannot be read: Is a directory" ]
}

@test "a wrong option or value is named together with the accepted ones" {
    for arguments in "--yaml x" "--html" "--top" "--top 0 x" "--top ten x" "--json=1 x"; do
        # shellcheck disable=SC2086  # words
        run -125 --separate-stderr report $arguments
        [ "${#stderr_lines[@]}" -eq 1 ]
        [[ $stderr == "airlock: "*"accepted are "* ]] || { echo "$stderr" && return 1; }
    done
    run -125 --separate-stderr report
    [[ $stderr == "airlock: report: no log given; usage: airlock report "* ]]
}

@test "a long log is read in memory that it does not fill, and nothing of it is missing" {
    "$PYTHON" "$ROOT/tests/records/sample.py" 100000 >"$LOG" 2>totals
    bounded() {
        # Address space, most of which is never touched; the log is 40 MB, a reader that keeps it needs many times that.
        (ulimit -v $((100 * 1024)) && report --json "$LOG" >answer.json)
    }
    run -0 bounded
    run -0 "$PYTHON" -c 'import json; t = json.load(open("answer.json"))["totals"]; print("spawns=%(spawns)d exits=%(exits)d failed=%(failed)d leaks=%(leaking)d" % t)'
    [ "$output" = "$(cat totals)" ]
}

@test "what is frequent is counted exactly, however many different paths a log has" {
    "$PYTHON" - >"$LOG" <<'END'
for number in range(60000):
    path = "/bin/frequent" if number % 3 == 0 else "/tmp/job-%d" % number
    print('{"v":1,"type":"spawn","wall_us":1,"mono_us":%d,"pid":9,"tid":9,"ppid":1,"program":"/x","call":"popen",'
          '"mode":"enforce","path":"%s","ns":{"total":5}}' % (number + 1, path))
END
    [ "$(ask '(lambda p: (p["rows"][0]["path"], p["rows"][0]["count"], sum(r["count"] for r in p["rows"]) + p["other"]))(d["programs"])')" = \
        "('/bin/frequent', 20000, 60000)" ]
}

@test "a terminal gets a progress bar on standard error, which is gone at the end" {
    command -v script >/dev/null || skip "needs script"
    "$PYTHON" "$ROOT/tests/records/sample.py" 20000 >"$LOG" 2>/dev/null
    printf -v line '%q ' timeout -k 5 "$LIMIT" env -u LD_PRELOAD "$AIRLOCK" report --dot out.dot "$LOG"
    run -0 script -qec "$line" /dev/null </dev/null
    [[ $output == *" records"*$'\r\e[K' ]]
    run -0 --separate-stderr report --dot out.dot "$LOG"
    [ -z "$stderr" ]
}

@test "a report of real records agrees with them" {
    enforced env AIRLOCK_LOG="$LOG" AIRLOCK_LOG_FDS=1 "$PYTHON" "$ROOT/tests/records/many.py"
    [ "$(ask 'd["lines"], [d["totals"][k] for k in ("spawns", "failed", "exits")]')" = \
        "({'good': 15, 'bad': 0, 'unknown': 0}, [11, 3, 4])" ]
    [ "$(ask '[r["status"] for r in d["statuses"]["rows"]]')" = "['exited 0', 'exited 3', 'exited 5', 'killed by SIGKILL']" ]
}
