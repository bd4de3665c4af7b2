#!/usr/bin/env bats
# shellcheck disable=SC2086  # words
# Records on their way through a collector: tools/rsyslog.conf, as it stands but for its paths.

load helpers.bash

bats_require_minimum_version 1.5.0

setup() {
    command -v rsyslogd >/dev/null || [ -x /usr/sbin/rsyslogd ] || skip "needs rsyslogd"
    PYTHON=/usr/bin/python3
    WORK=$BATS_TEST_TMPDIR
}

teardown() {
    [ -z "${COLLECTORS:-}" ] || kill $COLLECTORS 2>/dev/null || true
}

# write_config NAME RECEIVING SED…: a main configuration as Debian's begins, and the one under test, changed by sed.
write_config() {
    local name=$1 receiving=$2
    shift 2
    mkdir -p "$WORK/$name"
    sed -e "s|/run/airlock|$WORK/$name|; s|/var/log/airlock|$WORK/$name|" "$@" "$ROOT/tools/rsyslog.conf" >"$WORK/$name/airlock.conf"
    cat >"$WORK/$name/rsyslog.conf" <<END
module(load="imuxsock" SysSock.Use="off")
global(workDirectory="$WORK/$name")
include(file="$WORK/$name/airlock.conf")
$receiving
END
    PATH=$PATH:/usr/sbin rsyslogd -N1 -f "$WORK/$name/rsyslog.conf" -i "$WORK/$name/pid"
}

collect() {
    PATH=$PATH:/usr/sbin timeout -k 5 "$LIMIT" rsyslogd -n -f "$WORK/$1/rsyslog.conf" -i "$WORK/$1/pid" 3>&- &
    COLLECTORS="${COLLECTORS:-} $!"
    for _ in {1..200}; do
        [ -S "$WORK/$1/spawns.sock" ] && return
        sleep 0.1
    done
    echo "the collector made no socket" && return 1
}

# A sender that finds nobody there waits half a minute before it tries again.
wait_for_port() {
    local _
    for _ in {1..200}; do
        (exec 4<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null && return
        sleep 0.1
    done
    echo "nobody listens on port $1" && return 1
}

wait_for_lines() {
    local _
    for _ in {1..200}; do
        [ -e "$1" ] && [ "$(wc -l <"$1")" -ge "$2" ] && return
        sleep 0.1
    done
    wc -l "$1"
    return 1
}

# The socket has room for some ten datagrams, which a collector that is still starting does not take: a first line has
# been stored when this returns.
warm_up() {
    "$PYTHON" -c 'import socket, sys; socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).sendto(b"{}", sys.argv[1])' "$WORK/$1/spawns.sock"
    wait_for_lines "$WORK/$1/spawns.jsonl" 1
}

@test "rsyslog stores each record whole and unchanged" {
    write_config one ""
    collect one
    warm_up one
    enforced env AIRLOCK_LOG="unix:$WORK/one/spawns.sock" AIRLOCK_LOG_FDS=1 "$PYTHON" "$ROOT/tests/records/many.py"
    wait_for_lines "$WORK/one/spawns.jsonl" 16
    # One byte of every sort: what a syslog parser would drop, escape or take for the end.
    enforced env AIRLOCK_LOG="unix:$WORK/one/spawns.sock" "$PYTHON" -c '
import os
os.waitpid(os.posix_spawn(b"/bin/true", [b"<13>Nov 24 true", bytes(range(1, 256))], {}), 0)'
    wait_for_lines "$WORK/one/spawns.jsonl" 17
    tail -n +2 "$WORK/one/spawns.jsonl" >"$WORK/records"
    run -0 "$PYTHON" "$ROOT/tests/records/validate.py" "$ROOT/tools/record.schema.json" "$WORK/records"
    [ "$output" = "12 spawns, 4 exits" ]
    run -0 "$PYTHON" - "$WORK/records" <<'END'
import json, re, sys
argument = json.loads(open(sys.argv[1]).readlines()[-1])["argv"][1]
print(re.sub(rb"\x1a([0-9a-f]{2})", lambda m: bytes.fromhex(m[1].decode()), argument.encode()) == bytes(range(1, 256)))
END
    [ "$output" = True ]
}

@test "rsyslog takes a parallel build's records and loses none that airlock could send" {
    write_config one ""
    collect one
    warm_up one
    # What the socket had no room for is told of by the next record, so each ends with one when there is room again.
    enforced env AIRLOCK_LOG="unix:$WORK/one/spawns.sock" sh -c '
        for i in 1 2 3 4; do
            lua5.4 -e "for i = 1, 198 do os.execute(\"true\") end os.execute(\"sleep 1\") os.execute(\"true\")" &
        done
        wait'
    # Nothing else may be missing.
    sleep 1
    run -0 "$PYTHON" - "$WORK/one/spawns.jsonl" <<'END'
import json, sys
records = [json.loads(line) for line in open(sys.argv[1])][1:]
print(1590 <= len(records) + sum(record.get("dropped", 0) for record in records) <= 1600, len({r["pid"] for r in records}))
END
    [ "$output" = "True 4" ]
}

@test "rsyslog hands the records on to a central host, in the way that its comments show" {
    port=$("$PYTHON" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
    write_config central "module(load=\"imptcp\")
input(type=\"imptcp\" address=\"127.0.0.1\" port=\"$port\" ruleset=\"airlock\")"
    write_config host "" -e 's/^    # action/    action/; s/^    #  /   /' -e "s/logs.example.org/127.0.0.1/; s/10514/$port/"
    grep -q '^    action(type="omfwd" target="127.0.0.1"' "$WORK/host/airlock.conf"
    collect central
    wait_for_port "$port"
    collect host
    warm_up host
    enforced env AIRLOCK_LOG="unix:$WORK/host/spawns.sock" AIRLOCK_LOG_FDS=1 "$PYTHON" "$ROOT/tests/records/many.py"
    wait_for_lines "$WORK/central/spawns.jsonl" 16
    cmp "$WORK/host/spawns.jsonl" "$WORK/central/spawns.jsonl"
}
