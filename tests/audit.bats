#!/usr/bin/env bats
# shellcheck disable=SC2016  # the programs that the tests start expand their own variables
# shellcheck disable=SC2154  # run sets them
# airlock audit: nothing is held back, and at the end it is told what would have been; from logs the same.

load helpers.bash

bats_require_minimum_version 1.5.0

setup() {
    ANSWER=$BATS_TEST_TMPDIR/answer
    PYTHON=/usr/bin/python3
    export TMPDIR=$BATS_TEST_TMPDIR/tmp
    mkdir -p "$TMPDIR"
}

audited() {
    (become_clean timeout -k 5 "$LIMIT" env -u LD_PRELOAD LC_ALL=C.UTF-8 "$AIRLOCK" audit "$@")
}

LEAKS='held = io.open("/etc/passwd") for i = 1, 3 do os.execute("true") end io.popen("cat >/dev/null", "w"):close()'

@test "a child gets what it would get without airlock, and the exit code is that of the program" {
    run -5 --separate-stderr audited -o "$ANSWER" lua5.4 -e 'held = io.open("/etc/passwd") os.execute("readlink /proc/$$/fd/3; true") os.exit(5)'
    [ "$output" = /etc/passwd ]
    [ -z "$stderr" ]
}

@test "the table tells the number, what it is, who holds it, where it goes, through which call and how often" {
    run -0 audited -o "$ANSWER" lua5.4 -e "$LEAKS"
    run -0 sed -E 's/ +/ /g; s/^ //' "$ANSWER"
    lua=$(readlink -f "$(command -v lua5.4)")
    assert_lines "# audit: 4 spawns, 0 failed, 4 with descriptors that enforce would close" "" "Would be closed:" \
        "times fd what held by going to through" "3 3 /etc/passwd $lua /bin/sh system" "1 3 /etc/passwd $lua /bin/sh popen" \
        "" "Nothing would be let through."
}

@test "what a rule would let through is told with the rule" {
    run -0 audited -o "$ANSWER" "$PYTHON" -c '
import ctypes, os
libc = ctypes.CDLL(None)
libc.system(b"true <&%d" % libc.open(b"/etc/passwd", os.O_RDONLY))'
    grep -qF "Nothing would be closed." "$ANSWER"
    grep -qE '^ +1  3   /etc/passwd  .*  /bin/sh   system   [a-z]' "$ANSWER"
}

@test "without -o the table is on standard error" {
    run -0 --separate-stderr audited lua5.4 -e "$LEAKS"
    [ -z "$output" ]
    [[ $stderr == *"3  3   /etc/passwd"* ]]
}

@test "processes far down the tree are seen, and those that are killed half-way" {
    cat >"$BATS_TEST_TMPDIR/deep.py" <<'END'
import ctypes, os, sys
ctypes.CDLL(None).open(b"/etc/passwd", os.O_RDONLY)
depth = int(os.environ["DEPTH"])
os.system("DEPTH=%d %s %s; true" % (depth - 1, sys.executable, sys.argv[0]) if depth > 0 else "true")
os.kill(os.getpid(), 9)
END
    DEPTH=3 run -137 audited -o "$ANSWER" "$PYTHON" "$BATS_TEST_TMPDIR/deep.py"
    grep -qF '# audit: 4 spawns, 0 failed, 4 with' "$ANSWER"
}

@test "a parallel build is seen whole" {
    cat >"$BATS_TEST_TMPDIR/Makefile" <<'END'
all: $(addprefix job,$(shell seq 300))
job%:
	@true $@
END
    (
        exec 9</etc/passwd
        timeout -k 5 "$LIMIT" env -u LD_PRELOAD "$AIRLOCK" audit -o "$ANSWER" make -s -j8 -C "$BATS_TEST_TMPDIR"
    )
    [ "$(awk '$2 == 9 && $3 == "/etc/passwd" { n += $1 } END { print n }' "$ANSWER")" -ge 300 ]
}

@test "an outer choice of mode does not change that it is an audit" {
    AIRLOCK_MODE=enforce run -0 audited -o "$ANSWER" lua5.4 -e 'held = io.open("/etc/passwd") os.execute("exit $(wc -l <&3 | wc -l)")'
    [ "$(grep -c /etc/passwd "$ANSWER")" -ge 1 ]
}

@test "the suggested policy is one without a mistake" {
    run -0 audited --suggest -o "$ANSWER" lua5.4 -e "$LEAKS"
    run -0 "$AIRLOCK" policy check "$ANSWER"
    lua=$(readlink -f "$(command -v lua5.4)")
    grep -qxF "[caller $lua program /bin/sh]" "$ANSWER"
    grep -qE '^# leak\? keep path /etc/passwd  # 3 times /etc/passwd as 3 through system$' "$ANSWER"
    # What looks like a leak is not kept until somebody decides so.
    run -1 grep -q '^keep' "$ANSWER"
}

@test "a line of the suggested policy that somebody decides for keeps the descriptor" {
    run -0 audited --suggest -o "$ANSWER" lua5.4 -e "$LEAKS"
    sed -i 's/^# leak? keep path/keep path/' "$ANSWER"
    run -0 "$AIRLOCK" policy check "$ANSWER"
    program='held = io.open("/etc/passwd") os.execute("readlink /proc/$$/fd/3; true")'
    run -0 plain "$AIRLOCK" run --policy "$ANSWER" -- lua5.4 -e "$program"
    [ "$output" = /etc/passwd ]
    run -0 plain "$AIRLOCK" run -- lua5.4 -e "$program"
    [ -z "$output" ]
}

@test "what was handed on deliberately is kept by the suggested policy even without its convention" {
    cat >"$BATS_TEST_TMPDIR/deliberate.py" <<'END'
import os, sys
fd = os.open("/etc/passwd", os.O_RDONLY)
os.set_inheritable(fd, True)
os.waitpid(os.posix_spawn("/usr/bin/readlink", ["readlink", "/proc/self/fd/%d" % fd], os.environ), 0)
END
    run -0 audited --suggest -o "$ANSWER" "$PYTHON" "$BATS_TEST_TMPDIR/deliberate.py"
    grep -qE '^keep path /etc/passwd  # 1 times' "$ANSWER"
    printf '[all]\nconvention intent off\n' >>"$ANSWER"
    run -0 plain "$AIRLOCK" run --policy "$ANSWER" -- "$PYTHON" "$BATS_TEST_TMPDIR/deliberate.py"
    [ "$output" = /etc/passwd ]
}

@test "names with blanks, patterns and comment signs are escaped in the suggested policy" {
    name=$BATS_TEST_TMPDIR/'a b*[x]#?\$'
    touch "$name"
    HELD=$name run -0 audited --suggest -o "$ANSWER" lua5.4 -e 'held = io.open(os.getenv("HELD")) os.execute("true")'
    sed -i 's/^# leak? keep path/keep path/' "$ANSWER"
    run -0 "$AIRLOCK" policy check "$ANSWER"
    program='held = io.open(os.getenv("HELD")) os.execute("readlink /proc/$$/fd/3; true")'
    HELD=$name run -0 plain "$AIRLOCK" run --policy "$ANSWER" -- lua5.4 -e "$program"
    [ "$output" = "$name" ]
    # It is that file alone that is kept.
    HELD=/etc/passwd run -0 plain "$AIRLOCK" run --policy "$ANSWER" -- lua5.4 -e "$program"
    [ -z "$output" ]
}

@test "where a pipe is handed on deliberately and another leaks, no line keeps both" {
    run -0 audited --suggest -o "$ANSWER" "$PYTHON" -c '
import ctypes, os
libc = ctypes.CDLL(None)
ends = (ctypes.c_int * 2)()
libc.pipe(ends)
libc.system(b"true <&%d" % ends[0])'
    grep -qE '^# kept without a line, which would keep a leak, too: 1 times pipe as 3' "$ANSWER"
    run -1 grep -q '^keep' "$ANSWER"
}

@test "a connection is told with both its ends, and several that differ in one of them share a row" {
    cat >"$BATS_TEST_TMPDIR/server.py" <<'END'
import ctypes, os, socket
libc = ctypes.CDLL(None)
libc.popen.restype = ctypes.c_void_p
listener = socket.create_server(("127.0.0.1", 0))
port = listener.getsockname()[1]
def serve(command):
    client = socket.create_connection(("127.0.0.1", port))
    peer = listener.accept()[0]
    print("%s <- 127.0.0.1:%d" % ("127.0.0.1:%d" % port, client.getsockname()[1]), flush=True)
    leak = libc.dup(peer.fileno()), libc.dup(listener.fileno())
    command()
    for fd in leak:
        os.close(fd)
serve(lambda: libc.system(b"true"))
for _ in range(2):
    serve(lambda: libc.pclose(ctypes.c_void_p(libc.popen(b"true", b"r"))))
END
    run -0 audited -o "$ANSWER" "$PYTHON" "$BATS_TEST_TMPDIR/server.py"
    [ "${#lines[@]}" -eq 3 ]
    cat "$ANSWER"
    grep -F "socket tcp ${lines[0]} " "$ANSWER" | grep -q ' system$'
    local one=${lines[0]%% *}
    grep -E "^ +2 .* socket tcp $one <- \* " "$ANSWER" | grep -q ' popen$'
    # The listening socket is another thing.
    grep -E "^ +2 .* socket tcp $one  " "$ANSWER" | grep -q ' popen$'
}

# Logs

# leaking MODE: a program that leaks /etc/passwd four times, with its records in $LOG.
leaking() {
    LOG=$BATS_TEST_TMPDIR/spawns.jsonl
    AIRLOCK_LOG=$LOG plain "$AIRLOCK" run --mode "$1" -- lua5.4 -e "$LEAKS"
}

@test "a log tells what the program that wrote it would have told, on standard output" {
    leaking audit
    run -0 audited -o "$ANSWER" lua5.4 -e "$LEAKS"
    run -0 --separate-stderr audited --log "$LOG"
    [ -z "$stderr" ]
    [[ $output == "# audit: 4 spawns, 0 failed, 4 with"* ]]
    diff "$ANSWER" - <<<"$output"
    run -0 --separate-stderr audited --log - <"$LOG"
    diff "$ANSWER" - <<<"$output"
    run -0 audited --suggest -o "$ANSWER" lua5.4 -e "$LEAKS"
    run -0 --separate-stderr audited --log "$LOG" --suggest
    diff "$ANSWER" - <<<"$output"
    run -0 --separate-stderr audited --suggest --log "$LOG" -o "$ANSWER.policy"
    [ -z "$output" ]
    diff "$ANSWER" "$ANSWER.policy"
}

@test "several logs are one answer, and what is no record in them is counted" {
    leaking audit
    echo "no record" >>"$LOG"
    head -c 100 "$LOG" >"$LOG.1"
    run -0 --separate-stderr audited --log "$LOG" "$LOG" "$LOG.1"
    [[ $output == "# audit: 8 spawns, 0 failed, 8 with"* ]]
    [ "$stderr" = "airlock: 3 lines are no records that this command can read, and were passed over" ]
}

@test "of a log that mode enforce wrote it is said what was closed, and how much it does not tell" {
    AIRLOCK_LOG_FDS=1 leaking enforce
    run -0 audited --log "$LOG"
    [[ $output == "# audit: 4 spawns, 0 failed, 4 with descriptors that enforce closed"*"Was closed:"*"/etc/passwd"* ]]
    leaking enforce
    run -0 audited --log "$LOG"
    [[ ${lines[1]} == "# 4 spawns are recorded without their descriptors"* ]]
    [[ $output == *"Was closed:"* ]]
    leaking audit
    run -0 audited --log "$LOG"
    [[ ${lines[0]} == "# audit: 12 spawns, 0 failed, 8 with descriptors that enforce would close" ]]
    [[ ${lines[1]} == "# 4 spawns were enforced"* ]]
    [[ $output == *"Would be closed:"* ]]
}

@test "a log that cannot be read is an error, and nothing is answered" {
    run -125 --separate-stderr audited --log "$BATS_TEST_TMPDIR/nothing" -o "$ANSWER"
    [ "$stderr" = "airlock: the log '$BATS_TEST_TMPDIR/nothing' cannot be read: No such file or directory" ]
    [ ! -e "$ANSWER" ]
    run -125 --separate-stderr audited --log
    [[ $stderr == "airlock: audit: no log given; usage: airlock audit "* ]]
}

@test "an option --log of the program is the program's" {
    run -0 --separate-stderr audited -o "$ANSWER" echo --log --suggest
    [ "$output" = "--log --suggest" ]
}

# A service

# as_service DROP-IN PROGRAM… : PROGRAM with the environment that systemd would give it for this drop-in of demo.service.
as_service() {
    local assignments
    mapfile -t assignments < <(sed -n 's/^Environment="\(.*\)"$/\1/p' "$1" | sed "s|%L|$BATS_TEST_TMPDIR|; s|%N|demo|")
    shift
    mkdir -p "$BATS_TEST_TMPDIR/airlock/demo"
    (become_clean timeout -k 5 "$LIMIT" env -i PATH="$PATH" "${assignments[@]}" "$@")
}

@test "a service is audited, its log is read, a policy is made of it and enforced" {
    cd "$BATS_TEST_TMPDIR"
    touch leaked deliberate wanted
    cat >service.py <<'END'
import ctypes, os
libc = ctypes.CDLL(None)
for name in b"leaked", b"wanted":
    libc.open(name, os.O_RDONLY)
os.set_inheritable(os.open("deliberate", os.O_RDONLY), True)
libc.system(b"for fd in /proc/self/fd/*; do readlink $fd; done | sed -n 's|.*/airlock-service/||p' | sort; true")
END
    mkdir airlock-service
    mv leaked deliberate wanted service.py airlock-service
    cd airlock-service
    "$AIRLOCK" unit demo --mode audit >audit.conf
    run -0 --separate-stderr as_service audit.conf "$PYTHON" service.py
    assert_lines deliberate leaked wanted
    [ -z "$stderr" ]
    LOG=$BATS_TEST_TMPDIR/airlock/demo/spawns.jsonl

    run -0 audited --log "$LOG"
    sed -n '/^Would be closed/,/^Would be let/p' <<<"$output" >closed
    sed -n '/^Would be let/,$p' <<<"$output" >kept
    grep -qE " $PWD/leaked .* system$" closed
    grep -qE " $PWD/wanted .* system$" closed
    grep -qE " $PWD/deliberate .* system +[a-z]" kept

    run -0 audited --log "$LOG" --suggest -o demo.policy
    run -0 "$AIRLOCK" policy check demo.policy
    "$AIRLOCK" unit demo --policy demo.policy >enforce.conf
    run -0 --separate-stderr as_service enforce.conf "$PYTHON" service.py
    assert_lines deliberate
    [ -z "$stderr" ]

    # A person decides for one of the two.
    sed -i "s|^# leak? keep path $PWD/wanted |keep path $PWD/wanted |" demo.policy
    run -0 "$AIRLOCK" policy check demo.policy
    run -0 --separate-stderr as_service enforce.conf "$PYTHON" service.py
    assert_lines deliberate wanted
}

@test "a wrong option is named together with the accepted ones, and nothing is started" {
    for arguments in "--advise" "-x" "-o" "--suggest=1" "--log=x" "--log x --advise"; do
        # shellcheck disable=SC2086  # words
        run -125 --separate-stderr audited $arguments
        [ "${#stderr_lines[@]}" -eq 1 ]
        [[ $stderr == "airlock: "*"accepted are "* ]] || { echo "$stderr" && return 1; }
    done
    run -125 --separate-stderr audited --suggest
    [[ $stderr == "airlock: audit: no program given; usage: airlock audit "* ]]
}
