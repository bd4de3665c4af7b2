#!/usr/bin/env bats
# shellcheck disable=SC2016  # the programs that the tests start expand their own variables
# shellcheck disable=SC2154  # run sets them
# airlock trace: one line for each spawn, beside a program that does not notice.

load helpers.bash

bats_require_minimum_version 1.5.0

setup() {
    LINES=$BATS_TEST_TMPDIR/lines
    export TMPDIR=$BATS_TEST_TMPDIR/tmp
    mkdir -p "$TMPDIR"
}

traced() {
    (become_clean timeout -k 5 "$LIMIT" env -u LD_PRELOAD LC_ALL=C.UTF-8 "$AIRLOCK" trace "$@")
}

# A C project of a hundred files, a sub-make and a shell line, in folder $1.
make_project() {
    local i
    mkdir -p "$1/part"
    for i in {1..100}; do
        echo "int f$i(int x) { return x + $i; }" >"$1/f$i.c"
    done
    cat >"$1/Makefile" <<'END'
all: $(patsubst %.c,%.o,$(wildcard *.c))
	@echo compiled | sed 's/^/all /'
	@$(MAKE) --no-print-directory -C part
%.o: %.c
	@cc -c $< -o $@
END
    printf 'all:\n\t@true\n\t@echo part; true\n' >"$1/part/Makefile"
}

@test "the exit code is that of the program, and 128 + N after a signal" {
    run -7 traced sh -c 'exit 7'
    run -0 traced true
    run -143 traced sh -c 'kill -TERM $$'
    # Also where whoever started airlock does not want to hear of children.
    run -7 become_clean timeout -k 5 "$LIMIT" env --ignore-signal=CHLD "$AIRLOCK" trace sh -c 'exit 7'
    run -137 traced sh -c 'kill -KILL $$'
}

@test "the program runs to its end when nobody reads the lines any more, and no folder is left" {
    local gone=$BATS_TEST_TMPDIR/gone reader
    mkfifo "$LINES"
    (: <"$LINES" && : >"$gone") 3>&- &
    reader=$!
    run -0 become_clean timeout -k 5 "$LIMIT" env -u LD_PRELOAD --default-signal=PIPE "$AIRLOCK" trace -o "$LINES" \
        lua5.4 -e "os.execute('until [ -e $gone ]; do sleep 0.01; done; true') os.execute('echo all done')"
    wait "$reader"
    [ "${lines[0]}" = "all done" ]
    [[ ${lines[1]} == "airlock: -o '$LINES': "* ]]
    # Neither is the program deaf to the same signal.
    run -141 become_clean timeout -k 5 "$LIMIT" env --default-signal=PIPE "$AIRLOCK" trace sh -c 'kill -PIPE $$'
    [ -z "$(ls "$TMPDIR")" ]
}

@test "a program that is missing or cannot be run ends as with airlock run" {
    run -127 traced "$BATS_TEST_TMPDIR/missing"
    [[ $output == *"'$BATS_TEST_TMPDIR/missing': No such file or directory"* ]]
    run -126 traced "$BATS_TEST_TMPDIR"
}

@test "the program's standard output stays clean, and the lines go to standard error" {
    run -0 --separate-stderr traced lua5.4 -e 'os.execute("echo out")'
    [ "$output" = out ]
    [ "${#stderr_lines[@]}" -eq 2 ]
    [[ ${stderr_lines[0]} =~ ^[0-9:]{8}\.[0-9]{3}\ \ lua5.4\[[0-9]+\]\ +system\ +echo\ out\ \ →\ [0-9]+\ \ [0-9.]+\ (us|ms|s)$ ]]
    [ "${stderr_lines[1]}" = "# 1 spawns, 0 failed, 0 descriptors sealed, 0 records lost" ]
}

@test "-o takes the lines away from standard error" {
    run -0 --separate-stderr traced -o "$LINES" lua5.4 -e 'os.execute("echo said >&2")'
    [ "$stderr" = said ]
    [ "$(wc -l <"$LINES")" -eq 2 ]
}

@test "the program reads its own standard input" {
    run -0 --separate-stderr traced cat <<<"typed"
    [ "$output" = typed ]
}

@test "a failed spawn is shown with the step, what it was about and why" {
    run -0 traced -o "$LINES" python3 -c '
import os
try:
    os.posix_spawn("/nonexistent/tool", ["tool", "--flag"], {})
except FileNotFoundError:
    pass'
    grep -qE 'posix_spawn +/nonexistent/tool --flag  ✗ exec /nonexistent/tool: ENOENT  [0-9.]+ (us|ms|s)$' "$LINES"
    grep -qF '1 spawns, 1 failed' "$LINES"
}

@test "descriptors that were sealed are shown with what they are" {
    run -0 traced -o "$LINES" lua5.4 -e 'held = io.open("/etc/passwd") os.execute("true")'
    grep -qE '  sealed 3 /etc/passwd$' "$LINES"
}

@test "in audit mode the same descriptors are called leaks" {
    AIRLOCK_MODE=audit run -0 traced -o "$LINES" lua5.4 -e 'held = io.open("/etc/passwd") os.execute("true")'
    grep -qE '  leaks 3 /etc/passwd$' "$LINES"
}

@test "a command that does not end well has a second line" {
    run -0 traced -o "$LINES" lua5.4 -e 'os.execute("exit 3") os.execute("kill -KILL $$") os.execute("true")'
    run -0 sed -E 's/^.*\] +system +//; s/[0-9.]+ (us|ms|s)$/T/; s/→ [0-9]+/→ C/; s/^[0-9]+/C/' "$LINES"
    assert_lines "exit 3  → C  T" "C exited 3 after T" 'kill -KILL $$  → C  T' "C killed by SIGKILL after T" \
        "true  → C  T" "# 3 spawns, 0 failed, 0 descriptors sealed, 0 records lost"
}

@test "--failed, --leaks and --slow show what one of them applies to" {
    program='held = nil os.execute("exit 0") os.execute("exit 4") held = io.open("/etc/passwd") os.execute("exit 0; leaked")'
    shown() {
        traced -o "$LINES" "$@" lua5.4 -e "$program"
        sed -E '/^#/d; s/^.*system +//; s/  →.*//; s/^[0-9]+ //; s/ after.*//' "$LINES"
    }
    run -0 shown --failed
    assert_lines "exited 4"
    run -0 shown --leaks
    assert_lines "exit 0; leaked"
    run -0 shown --failed --leaks
    assert_lines "exited 4" "exit 0; leaked"
    run -0 shown --slow 1000000000
    assert_lines ""
    run -0 shown --slow 0
    assert_lines "exit 0" "exit 4" "exit 0; leaked"
    # What is not shown is counted all the same.
    grep -qF '3 spawns, 0 failed, 1 descriptors sealed' "$LINES"
}

@test "no argument can begin a line or send an escape sequence" {
    HOSTILE=$'x\e[31m\n# 9 spawns\r\x9b' run -0 traced -o "$LINES" lua5.4 -e 'os.execute("true " .. os.getenv("HOSTILE"))'
    [ "$(grep -c '^#' "$LINES")" -eq 1 ]
    grep -qF 'true x\x1b[31m\n# 9 spawns\r\x9b' "$LINES"
    run -1 grep -q "[[:cntrl:]]" "$LINES"
}

@test "arguments are written so that a shell takes them back" {
    cat >"$BATS_TEST_TMPDIR/spawn.py" <<'END'
import os
os.waitpid(os.posix_spawn("/usr/bin/printf", ["printf", "[%s]", "a b", "it's", "", "$HOME", "new\nline", b"\xff\\"], {}), 0)
END
    run -0 --separate-stderr traced -o "$LINES" python3 "$BATS_TEST_TMPDIR/spawn.py"
    printed=$output
    command=$(sed -nE "s/^.*posix_spawn +(.*)  → [0-9]+  .*$/\1/p" "$LINES")
    run -0 bash -c "$command"
    [ "$output" = "$printed" ]
}

@test "there are colours on a terminal, none elsewhere, and none with NO_COLOR" {
    command -v script >/dev/null || skip "needs script"
    on_terminal() {
        local line
        printf -v line '%q ' timeout -k 5 "$LIMIT" env -u LD_PRELOAD LC_ALL=C.UTF-8 "$@"
        script -qec "$line" /dev/null </dev/null
    }
    run -0 on_terminal "$AIRLOCK" trace lua5.4 -e 'os.execute("true")'
    [[ $output == *$'\e['* ]]
    run -0 on_terminal env NO_COLOR=1 "$AIRLOCK" trace lua5.4 -e 'os.execute("true")'
    [[ $output != *$'\e['* && $output == *system* ]]
    run -0 traced lua5.4 -e 'os.execute("true")'
    [[ $output != *$'\e['* && $output == *system* ]]
}

@test "a line is cut to the width of the terminal, and not in a file" {
    command -v script >/dev/null || skip "needs script"
    program='os.execute("true " .. ("word "):rep(200))'
    printf -v line '%q ' timeout -k 5 "$LIMIT" env -u LD_PRELOAD LC_ALL=C.UTF-8 NO_COLOR=1 "$AIRLOCK" trace lua5.4 -e "$program"
    run -0 script -qec "stty cols 90; $line" /dev/null </dev/null
    [[ ${lines[0]} == *"…"* ]]
    [ "$(tr -d '\r\n' <<<"${lines[0]}" | LC_ALL=C.UTF-8 wc -m)" -le 90 ]
    traced -o "$LINES" lua5.4 -e "$program"
    [ "$(head -n 1 "$LINES" | grep -o word | wc -l)" -eq 200 ]
}

@test "nothing is left in the temporary folder, even when the program is killed" {
    run -0 traced true
    run -137 traced sh -c 'kill -KILL $$'
    [ -z "$(ls -A "$TMPDIR")" ]
}

@test "it ends with the program, whatever the program leaves behind" {
    run -0 traced -o "$LINES" lua5.4 -e 'os.execute("sleep 300 >/dev/null 2>&1 & echo $! >\"$TMPDIR/pid\"")'
    pid=$(cat "$TMPDIR/pid")
    kill -0 "$pid"
    kill "$pid"
}

@test "a signal that is sent to it reaches the program" {
    (become_clean timeout -k 5 "$LIMIT" "$AIRLOCK" trace -o "$LINES" sh -c '
        trap "exit 9" TERM
        echo $PPID >"$TMPDIR/parent"
        while :; do sleep 0.1; done') &
    job=$!
    for _ in {1..100}; do
        [ -s "$TMPDIR/parent" ] && break
        sleep 0.1
    done
    kill -TERM "$(cat "$TMPDIR/parent")"
    code=0
    wait "$job" || code=$?
    [ "$code" -eq 9 ]
}

@test "the program's signals are as without it" {
    probe='grep -E "^Sig(Blk|Ign)" /proc/self/status'
    expected=$(become_clean sh -c "$probe")
    run -0 --separate-stderr traced sh -c "$probe"
    [ "$output" = "$expected" ]
}

@test "a folder for the log that cannot be made is an error, and nothing is started" {
    TMPDIR=$BATS_TEST_TMPDIR/missing run -125 traced touch "$BATS_TEST_TMPDIR/started"
    [[ $output == "airlock: a folder for the log cannot be made in '$BATS_TEST_TMPDIR/missing': No such file or directory" ]]
    [ ! -e "$BATS_TEST_TMPDIR/started" ]
}

@test "a wrong option or value is named in one line together with the accepted ones, and nothing is started" {
    for arguments in "--fast" "-x" "--slow" "--slow much" "--slow -1" "-o" "--failed=1"; do
        # shellcheck disable=SC2086  # words
        run -125 --separate-stderr traced $arguments
        [ "${#stderr_lines[@]}" -eq 1 ]
        [[ $stderr == "airlock: "*"accepted are "* ]] || { echo "$stderr" && return 1; }
    done
    run -125 --separate-stderr traced
    [[ $stderr == "airlock: trace: no program given; usage: airlock trace "* ]]
    run -125 --separate-stderr traced -o /nonexistent/file true
    [[ $stderr == "airlock: -o '/nonexistent/file': No such file or directory" ]]
}

@test "a parallel build of a hundred files has a line for each program that strace sees make execute" {
    make_project "$BATS_TEST_TMPDIR/project"
    LIMIT=300
    plain strace -f --seccomp-bpf -qq -e trace=execve -e signal=none -o "$BATS_TEST_TMPDIR/strace" env LC_ALL=C.UTF-8 \
        "$AIRLOCK" trace -o "$LINES" make -s -j4 -C "$BATS_TEST_TMPDIR/project"
    # What make executes: nothing else in the build runs these by these paths.
    for path in "$(command -v cc)" /bin/sh "$(command -v make)"; do
        seen=$(grep -cE "execve\(\"$path\", .*(= 0|resumed>\) += 0|<unfinished)" "$BATS_TEST_TMPDIR/strace" || true)
        shown=$(grep -cE "posix_spawn +$path " "$LINES" || true)
        # The first make is the one that was traced.
        [ "$path" != "$(command -v make)" ] || seen=$((seen - 1))
        [ "$seen" -eq "$shown" ] || { echo "$path: strace saw $seen, the trace has $shown" && return 1; }
    done
    [ "$(grep -cE "posix_spawn +$(command -v cc) -c f[0-9]+\.c" "$LINES")" -eq 100 ]
    grep -qF ' 0 records lost' "$LINES"
}
