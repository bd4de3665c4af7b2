#!/usr/bin/env bats
# Security: what SECURITY.md promises. That a program which gains privileges reads no policy, and that a policy which
# others can write is refused, is tested in policy.bats.

# Programs in single quotes are meant for another shell.
# shellcheck disable=SC2016

load helpers

spawn=$PROBES/spawn
look=$PROBES/look
NOBODY=65534

setup() {
    cd "$BATS_TEST_TMPDIR" || return
    echo text >file
}

spawn_logged() {
    AIRLOCK_LOG=$1 enforced "$spawn" -- "$look" exit 0
}

# ---- Programs that gain privileges.

# Runs ARGUMENTS with the spawn probe as another user, in a mount namespace whose /etc/ld.so.preload names the library:
# the one way by which the loader takes it into a set-user-id program, too. MODE is the mode of the program's file.
preloaded_by_the_system() {
    local mode=$1
    shift
    become_clean timeout -k 5 "$LIMIT" unshare -m sh -c '
        mode=$1 preload=$2 spawn=$3 look=$4
        shift 4
        mount --make-rprivate / && mount -t tmpfs -o mode=755 none /mnt &&
            cp -a /etc /mnt/etc && cp "$preload" /mnt/preload.so && cp "$spawn" /mnt/spawn && cp "$look" /mnt/look &&
            chmod 755 /mnt/preload.so /mnt/look && chmod "$mode" /mnt/spawn && mkdir -m 1777 /mnt/log &&
            echo /mnt/preload.so >/mnt/etc/ld.so.preload && mount --bind /mnt/etc /etc || exit 99
        setpriv --reuid=65534 --regid=65534 --clear-groups env -u LD_PRELOAD AIRLOCK_LOG=/mnt/log/records "$@"
        echo "records: $(cat /mnt/log/records 2>/dev/null | wc -l)"
    ' sh "$mode" "$PRELOAD" "$spawn" "$look" "$@"
}

@test "in a set-user-id program the library does nothing, even where the system itself loads it" {
    needs_root
    unshare -m true 2>/dev/null || skip "needs the right to unshare"
    command -v setpriv >/dev/null || skip "needs setpriv"
    # Without the mode the same file in the same place is hardened and recorded, so the way of loading works.
    run preloaded_by_the_system 755 /mnt/spawn have 7 /dev/null -- /mnt/look descriptors
    assert_lines "descriptors: 0 1 2" "spawn: ok" "child: exit 0" "records: 1"
    run preloaded_by_the_system 4755 /mnt/spawn have 7 /dev/null -- /mnt/look descriptors
    assert_lines "descriptors: 0 1 2 7" "spawn: ok" "child: exit 0" "records: 0"
}

@test "in a set-group-id program the library does nothing either" {
    needs_root
    unshare -m true 2>/dev/null || skip "needs the right to unshare"
    command -v setpriv >/dev/null || skip "needs setpriv"
    run preloaded_by_the_system 2755 /mnt/spawn have 7 /dev/null -- /mnt/look descriptors
    assert_lines "descriptors: 0 1 2 7" "spawn: ok" "child: exit 0" "records: 0"
}

@test "what the environment of a set-user-id program asks for is not done and not answered" {
    needs_root
    unshare -m true 2>/dev/null || skip "needs the right to unshare"
    command -v setpriv >/dev/null || skip "needs setpriv"
    run preloaded_by_the_system 4755 env AIRLOCK_MODE=nonsense AIRLOCK_KEEP=x AIRLOCK_POLICY=/nonexistent \
        /mnt/spawn -- /mnt/look exit 0
    assert_lines "spawn: ok" "child: exit 0" "records: 0"
}

# ---- Where records go.

@test "a log file is made for its owner alone, whatever the umask" {
    (umask 0 && spawn_logged "$PWD/log")
    [ "$(stat -c %a log)" = 600 ]
}

@test "a log file that exists is neither truncated nor given another mode" {
    echo "an older line" >log
    chmod 644 log
    spawn_logged "$PWD/log"
    [ "$(head -n 1 log)" = "an older line" ]
    [ "$(wc -l <log)" -eq 2 ]
    [ "$(stat -c %a log)" = 644 ]
}

@test "records never go through a symbolic link of another user, in a shared directory or in one of his own" {
    needs_root
    local mode
    for mode in 1777 777 755; do
        mkdir -m "$mode" "place$mode"
        echo "untouched" >"target$mode"
        ln -s "$PWD/target$mode" "place$mode/log"
        chown -h $NOBODY "place$mode/log"
        run spawn_logged "$PWD/place$mode/log"
        assert_lines "spawn: ok" "child: exit 0"
        [ "$(cat "target$mode")" = untouched ]
    done
}

@test "a link of another user to a file that does not exist makes none" {
    needs_root
    mkdir -m 1777 place
    ln -s "$PWD/new" place/log
    chown -h $NOBODY place/log
    spawn_logged "$PWD/place/log"
    [ ! -e new ]
}

@test "records go through the user's own link" {
    ln -s "$PWD/target" log
    spawn_logged "$PWD/log"
    [ "$(wc -l <target)" -eq 1 ]
}

@test "a log that is a pipe without a reader, a directory or a device holds nobody up" {
    mkfifo pipe
    mkdir directory
    for place in pipe directory /dev/full /dev/null; do
        run spawn_logged "$(realpath "$place")"
        assert_lines "spawn: ok" "child: exit 0"
    done
}

# ---- What is in a record.

@test "a record holds printable characters and nothing else" {
    AIRLOCK_LOG=$PWD/log AIRLOCK_LOG_FDS=1 enforced "$spawn" have 7 file dup2 7 9 setpgroup 0 -- "$look" say $'\001\377\n' >out
    [ "$(wc -l <log)" -eq 1 ]
    run env LC_ALL=C grep -c '[^ -~]' log
    [ "$output" = 0 ]
}

# valgrind knows of each byte whether the program has ever written it, and complains when another goes to the kernel.
under_valgrind() {
    AIRLOCK_LOG=$PWD/log AIRLOCK_LOG_FDS=1 enforced valgrind -q --trace-children=no --error-exitcode=77 "$@" 2>said
}

@test "no byte of a record was left uninitialised" {
    command -v valgrind >/dev/null || skip "needs valgrind"
    local status=0
    under_valgrind "$spawn" have 7 file dup2 7 9 setpgroup 0 sigdef USR1 -- "$look" exit 3 >out || status=$?
    grep -q "spawn: ok" out
    under_valgrind "$spawn" call spawnp -- nosuchprogram >>out || status=$?
    under_valgrind "$PROBES/shell" have 7 file system "exit 3" >>out || status=$?
    under_valgrind "$PROBES/stream" have 7 file popen r "exit 3" pclose 0 >>out || status=$?
    cat out said
    [ "$(wc -l <log)" -ge 4 ]
    [ "$status" -eq 0 ]
    run grep -E 'uninitialised' said
    [ "$status" -eq 1 ]
}

@test "two runs that differ in what memory held before write the same record" {
    local run
    # Times, process ids and the arguments' place apart.
    for run in 1 2; do
        MALLOC_PERTURB_=$((run * 85)) LEFTOVER=$(printf "%$((run * 4000))s" | tr ' ' "$run") AIRLOCK_LOG=$PWD/log$run \
            AIRLOCK_LOG_FDS=1 enforced "$spawn" have 7 file dup2 7 9 -- "$look" exit 0
        sed -E 's/"(wall_us|mono_us|pid|tid|ppid|child|prepare|clone|setup|exec|total)":[0-9]+/"\1":N/g' "log$run" >"told$run"
    done
    diff told1 told2
    [ "$(wc -c <told1)" -gt 300 ]
}

# ---- The built file.

@test "the library is linked with full RELRO, and nothing in it is writable and executable" {
    command -v readelf >/dev/null || skip "needs readelf"
    local segments dynamic
    segments=$(readelf -lW "$PRELOAD")
    dynamic=$(readelf -dW "$PRELOAD")
    echo "$segments"
    grep -q GNU_RELRO <<<"$segments"
    grep -qE '\(FLAGS_1\).*NOW|BIND_NOW' <<<"$dynamic"
    grep -qE 'GNU_STACK .* RW  ' <<<"$segments"
    run grep -E ' RWE ' <<<"$segments"
    [ "$status" -eq 1 ]
    run grep -E 'TEXTREL|RPATH|RUNPATH' <<<"$dynamic"
    [ "$status" -eq 1 ]
}

# The command lines by which FILE, a part of a source's path, was compiled.
compiled_by() {
    grep -F '"command"' "$BUILD/compile_commands.json" | grep -F -- "$1"
}

@test "every file is compiled with a stack protector and fortified, apart from the child's half" {
    [ -e "$BUILD/compile_commands.json" ] || skip "the build left no compile_commands.json"
    grep -q -- '-O[123]' <<<"$(compiled_by shim/event.c)" || skip "only an optimised build is fortified"
    local file
    for file in shim/event.c shim/log.c shim/policy_file.c core/spawn.c core/clone.c tools/command/main.c; do
        [[ $(compiled_by "$file") == *-fstack-protector-strong*-D_FORTIFY_SOURCE=2* ||
            $(compiled_by "$file") == *-D_FORTIFY_SOURCE=2*-fstack-protector-strong* ]]
    done
    nm -D "$PRELOAD" | grep -q ' U __stack_chk_fail'
    # A complaint in the child would be a call into libc, in the memory of the parent.
    [[ $(compiled_by core/child.c) == *-fno-stack-protector* ]]
}

@test "every function that a program calls begins with a landing pad" {
    [ "$(uname -m)" = x86_64 ] || skip "endbr64 is of x86-64"
    command -v objdump >/dev/null || skip "needs objdump"
    local name code
    code=$(objdump -d --no-show-raw-insn "$PRELOAD")
    for name in system popen pclose fclose dup2 ioctl; do
        grep -A1 "<$name@*[A-Z_0-9.]*>:\$" <<<"$code" | grep -q endbr64
    done
}

@test "SECURITY.md says what is promised, what is not, and how to report" {
    local words
    for words in "hardening, not a sandbox" "set-user-id" "0600" "## What is promised" "## What is not" "## How to report"; do
        grep -qF "$words" "$ROOT/SECURITY.md"
    done
}
