#!/usr/bin/env bats
# shellcheck disable=SC2016  # the programs that the tests start expand their own variables
# Records: each is one line that says what the schema says, whatever somebody passes as an argument.

load helpers.bash

bats_require_minimum_version 1.5.0

setup() {
    LOG=$BATS_TEST_TMPDIR/spawns.log
    # Debian's Python, which has Debian's modules.
    PYTHON=/usr/bin/python3
}

# Runs CMD with the library and a log that has all there is.
recorded() {
    enforced env AIRLOCK_LOG="$LOG" AIRLOCK_LOG_FDS=1 "$@"
}

validate() {
    "$PYTHON" "$ROOT/tests/records/validate.py" "$ROOT/tools/record.schema.json" "${1:-$LOG}"
}

# Prints a Python expression over `records`, the records of the log, decoded.
ask() {
    "$PYTHON" - "$LOG" "$1" <<'END'
import json, re, sys
records = [json.loads(line) for line in open(sys.argv[1], "rb")]
def raw(text):
    return re.sub(rb"\x1a([0-9a-f]{2})", lambda match: bytes.fromhex(match[1].decode()), text.encode())
print(eval(sys.argv[2]))
END
}

@test "the records of every sort of spawn are what the schema says" {
    recorded "$PYTHON" "$ROOT/tests/records/many.py"
    run -0 validate
    [ "$output" = "11 spawns, 4 exits" ]
}

@test "a signal that system ignores for its caller is not told as one that the program ignores" {
    recorded env --default-signal=PIPE,XFSZ lua5.4 -e 'os.execute("true")'
    [ "$(ask 'records[0].get("signals_reset", [])')" = "[]" ]
    rm "$LOG"
    recorded env --ignore-signal=QUIT,PIPE --default-signal=XFSZ lua5.4 -e 'os.execute("true")'
    [ "$(ask 'records[0]["signals_reset"]')" = "['SIGPIPE']" ]
    rm "$LOG"
    AIRLOCK_SIGNALS=all recorded env --ignore-signal=QUIT --default-signal=PIPE,XFSZ lua5.4 -e 'os.execute("true")'
    [ "$(ask 'records[0]["signals_reset"]')" = "['SIGQUIT']" ]
}

@test "the records of audit mode are what the schema says" {
    AIRLOCK_MODE=audit recorded "$PYTHON" "$ROOT/tests/records/many.py"
    run -0 validate
    [ "$output" = "11 spawns, 4 exits" ]
    [ "$(ask '{record["mode"] for record in records if record["type"] == "spawn"}')" = "{'audit'}" ]
}

@test "the schema refuses what is no record" {
    recorded lua5.4 -e 'held = io.open("/etc/passwd") os.execute("true")'
    for change in 's/"pid":[0-9]*,//' 's/"v":1/"v":2/' 's/"call":"[a-z]*"/"call":"fork"/' 's/"fd":[0-9]*/"fd":1/' \
        's/exited 0/gone/' 's/"ppid"/"extra":1,"ppid"/'; do
        sed "$change" "$LOG" >"$LOG.changed"
        run -1 validate "$LOG.changed"
    done
}

@test "the manual describes every member that the schema knows, and no other" {
    members=$("$PYTHON" -c '
import json, sys
kinds = json.load(open(sys.argv[1]))["$defs"]
known = {name for kind in ("spawn", "exit") for name in kinds[kind]["properties"]}
print("\n".join(sorted(known)))' "$ROOT/tools/record.schema.json")
    described=$(sed -nE 's/^\.It Va (.*)$/\1/p; s/^\.Va ([a-z]+_cut) ,$/\1/p' "$ROOT/tools/man/airlock-record.5" |
        sed 's/ , /\n/g' | sort -u)
    diff -u <(echo "$members") <(echo "$described")
}

@test "the manual is accepted by the formatter without a warning" {
    command -v man >/dev/null || skip "needs man"
    run -0 --separate-stderr plain man --warnings -E UTF-8 -l -Tutf8 "$ROOT/tools/man/airlock-record.5"
    [ -z "$stderr" ]
    [[ $output == *"AIRLOCK-RECORD(5)"* ]]
}

@test "an argument of any bytes is read back byte for byte" {
    # Every byte but NUL, and then the escape itself, quotes, a lone continuation and an overlong form.
    recorded "$PYTHON" -c '
import os
argument = bytes(range(1, 256)) + b"\x1a41\x1a\"\\\n" + "\u00e9\u20ac\U0001f600\u001a".encode() + b"\x80\xc0\xaf\xed\xa0\x80"
os.waitpid(os.posix_spawn(b"/bin/true", [b"true", argument], {}), 0)'
    run -0 validate
    [ "$(ask 'raw(records[0]["argv"][1]) == bytes(range(1, 256)) + b"\x1a41\x1a\"\\\n" + "\u00e9\u20ac\U0001f600\u001a".encode() + b"\x80\xc0\xaf\xed\xa0\x80"')" = True ]
}

@test "an argument that looks like the end of a record and a record begins none" {
    forged='"]}
{"v":1,"type":"spawn","pid":1,"call":"system"}
'
    FORGED=$forged recorded lua5.4 -e 'os.execute("true " .. os.getenv("FORGED"))'
    [ "$(wc -l <"$LOG")" -eq 2 ]
    run -0 validate
    [ "$output" = "1 spawns, 1 exits" ]
}

@test "arguments that are too long are cut, and marked as cut" {
    recorded "$PYTHON" -c 'import os; os.waitpid(os.posix_spawn("/bin/true", ["true"] + ["y" * 99] * 999, {}), 0)'
    run -0 validate
    [ "$(ask 'records[0]["argv_cut"]')" = True ]
    [ "$(wc -c <"$LOG")" -le 16384 ]
}

@test "a failed spawn says which step failed, at what, and why" {
    recorded "$PYTHON" "$ROOT/tests/records/many.py"
    run -0 ask '[(r["error"]["step"], r["error"]["index"], r["error"]["errno"]) for r in records if "error" in r]'
    [ "$output" = "[('exec', 0, 'ENOENT'), ('action', 0, 'ENOENT'), ('exec', 0, 'EACCES')]" ]
    run -0 ask '[r for r in records if "error" in r and "child" in r]'
    [ "$output" = "[]" ]
}

@test "how commands of system and popen ended is told in words" {
    recorded "$PYTHON" "$ROOT/tests/records/many.py"
    run -0 ask '[(r["call"], r["status"]) for r in records if r["type"] == "exit"]'
    [ "$output" = "[('system', 'exited 3'), ('system', 'killed by SIGKILL'), ('system', 'exited 0'), ('popen', 'exited 5')]" ]
    # Each is about a child that a spawn before it made.
    run -0 ask '{r["child"] for r in records if r["type"] == "exit"} <= {r["child"] for r in records if r["type"] == "spawn" and "child" in r}'
    [ "$output" = True ]
}

@test "descriptors that are sealed and kept are told with what they are and by which rule" {
    recorded "$PYTHON" -c '
import ctypes, os
libc = ctypes.CDLL(None)
libc.open(b"/etc/hostname", os.O_RDONLY)
libc.system(b"true <&%d" % libc.open(b"/etc/passwd", os.O_RDONLY))'
    run -0 ask '[r["what"] for r in records[0]["sealed"]]'
    [ "$output" = "['/etc/hostname']" ]
    run -0 ask '[(r["what"], r["rule"] != "") for r in records[0]["kept"]]'
    [ "$output" = "[('/etc/passwd', True)]" ]
}

@test "without AIRLOCK_LOG_FDS a record tells of no descriptors" {
    enforced env AIRLOCK_LOG="$LOG" lua5.4 -e 'f = io.open("/etc/passwd") os.execute("true")'
    [ "$(ask '[name for name in ("sealed", "kept") if name in records[0]]')" = "[]" ]
}

@test "records that could not be written are counted in the next one" {
    # The program itself makes the place: a command that did might be done before the record of its start is written.
    mkdir "$BATS_TEST_TMPDIR/not-yet"
    enforced env AIRLOCK_LOG="$BATS_TEST_TMPDIR/later/spawns.log" FOLDER="$BATS_TEST_TMPDIR" lua5.4 -e '
        os.execute("true")
        os.execute("true")
        assert(os.rename(os.getenv("FOLDER") .. "/not-yet", os.getenv("FOLDER") .. "/later"))
        os.execute("true")'
    mv "$BATS_TEST_TMPDIR/later/spawns.log" "$LOG"
    run -0 validate
    # Two starts and two ends were lost.
    [ "$(ask '[r.get("dropped") for r in records]')" = "[4, None]" ]
}

@test "half a record on a full disk is counted as dropped, and the records behind it are whole" {
    # The limit on a file's size stops a write halfway, as a full disk does, and makes room again.
    enforced env AIRLOCK_LOG="$LOG" "$PYTHON" -c '
import os, resource
def spawn():
    os.waitpid(os.posix_spawn("/bin/true", ["true"], {}), 0)
def limit(size):
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
spawn()
limit(os.path.getsize(os.environ["AIRLOCK_LOG"]) + 100)
spawn()
spawn()
limit(resource.RLIM_INFINITY)
spawn()
spawn()'
    [ "$(wc -l <"$LOG")" -eq 4 ]
    [ "$(sed -n 2p "$LOG" | wc -c)" -eq 101 ]
    sed -i 2d "$LOG"
    run -0 validate
    [ "$output" = "3 spawns, 0 exits" ]
    [ "$(ask '[r.get("dropped") for r in records]')" = "[None, 2, None]" ]
}

@test "the time of day of a record is that of the call's beginning, however long the call takes" {
    # The child waits for the other end of a pipe, and the call for the child.
    mkfifo "$BATS_TEST_TMPDIR/pipe"
    enforced env AIRLOCK_LOG="$LOG" FOLDER="$BATS_TEST_TMPDIR" "$PYTHON" -c '
import os
folder = os.environ["FOLDER"]
with open(folder + "/new", "w") as file:
    file.write(str(os.getpid()))
os.rename(folder + "/new", folder + "/pid")
action = (os.POSIX_SPAWN_OPEN, 0, folder + "/pipe", os.O_RDONLY, 0)
os.waitpid(os.posix_spawn("/bin/true", ["true"], {}, file_actions=[action]), 0)' &
    for _ in {1..400}; do
        [ ! -s "$BATS_TEST_TMPDIR/pid" ] || ! pgrep -P "$(cat "$BATS_TEST_TMPDIR/pid")" >/dev/null || break
        sleep 0.05
    done
    before=$(date +%s%6N)
    timeout 20 sh -c ': >"$1"' open "$BATS_TEST_TMPDIR/pipe"
    wait
    run -0 validate
    [ "$(ask "records[0]['wall_us'] <= $before")" = True ]
}

@test "two hundred processes that write one log at once leave whole lines alone" {
    cat >"$BATS_TEST_TMPDIR/writer.lua" <<'END'
for i = 1, 10 do os.execute("true " .. ("x"):rep(i * 300)) end
END
    recorded sh -c '
        i=0
        while [ "$i" -lt 200 ]; do
            lua5.4 "$1" &
            i=$((i + 1))
        done
        wait' sh "$BATS_TEST_TMPDIR/writer.lua"
    run -0 validate
    [ "$output" = "2000 spawns, 2000 exits" ]
}

@test "a datagram socket gets one record with each datagram" {
    "$PYTHON" - "$BATS_TEST_TMPDIR/socket" "$LOG" 3>&- <<'END' &
import socket, sys
server = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
server.bind(sys.argv[1])
server.settimeout(60)
with open(sys.argv[2], "wb") as log:
    for _ in range(4):
        datagram = server.recv(65536)
        assert datagram.count(b"\n") <= 1
        log.write(datagram if datagram.endswith(b"\n") else datagram + b"\n")
END
    reader=$!
    for _ in {1..100}; do
        [ -S "$BATS_TEST_TMPDIR/socket" ] && break
        sleep 0.1
    done
    enforced env AIRLOCK_LOG="unix:$BATS_TEST_TMPDIR/socket" lua5.4 -e 'os.execute("true") os.execute("exit 1")'
    wait "$reader"
    run -0 validate
    [ "$output" = "2 spawns, 2 exits" ]
}

@test "a log that is rotated away while the program runs is made anew, for its user alone, and no record is lost" {
    recorded "$PYTHON" -c '
import os
log = os.environ["AIRLOCK_LOG"]
os.system(":")
os.rename(log, log + ".1")
os.system("exit 3")'
    [ "$(grep -c '"type":"spawn"' "$LOG.1"),$(grep -c '"status":"exited 0"' "$LOG.1")" = 1,1 ]
    [ "$(grep -c '"type":"spawn"' "$LOG"),$(grep -c '"status":"exited 3"' "$LOG")" = 1,1 ]
    [ "$(stat -c %a "$LOG")" = 600 ]
}
