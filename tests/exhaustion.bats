#!/usr/bin/env bats
# When something runs out, a call works all the same or says what libc would say, and everything is as it was before:
# the probes print a line for whatever changed.

# Programs in single quotes are meant for another shell.
# shellcheck disable=SC2016

load helpers

spawn=$PROBES/spawn
shell=$PROBES/shell
stream=$PROBES/stream
look=$PROBES/look
deny=$PROBES/deny
witness=$PROBES/witness
threads=$PROBES/threads

setup() {
    cd "$BATS_TEST_TMPDIR" || return
    echo text >file
}

# Runs CMD in a mount namespace of its own, after the shell commands in ARRANGE.
arranged() {
    local arrange=$1
    shift
    enforced unshare -m sh -c "mount --make-rprivate / && $arrange"' && exec "$0" "$@"' "$@"
}

needs_namespace() {
    unshare -m true 2>/dev/null || skip "needs the right to unshare"
}

# ---- Descriptors.

@test "with every descriptor in use system works, and popen says EMFILE as with libc" {
    assert_both "system: exit 3" "$shell" nofile 50 fill system "exit 3"
    assert_both "popen: EMFILE" "$stream" nofile 50 fill popen r "exit 3"
}

@test "a soft limit that was reached and then raised is no limit any more" {
    assert_enforced $'descriptors: 0 1 2 90\nspawn: ok\nchild: exit 0' \
        "$spawn" nofile 50 fill nofile 100 open 90 file r -- "$look" descriptors
    assert_both $'popen: ok\npclose: exit 3' "$stream" nofile 50 fill nofile 100 popen r "exit 3" pclose 0
}

@test "a limit below descriptors that are open hinders neither system nor popen" {
    assert_both "system: exit 3" "$shell" have 900 file nofile 8 system "exit 3"
    assert_both $'popen: ok\npclose: exit 3' "$stream" have 900 file nofile 20 popen w "exit 3" pclose 0
}

@test "an action above a limit that was lowered since is the error that libc has" {
    assert_both "spawn: EBADF" "$spawn" dup2 1 60 nofile 50 -- "$look" exit 0
    assert_both "spawn: EBADF" "$spawn" resetids dup2 1 60 nofile 50 -- "$look" exit 0
}

# ---- Processes.

@test "without a process to spare every call says EAGAIN, as libc's or in libc's way" {
    needs_root
    chmod 755 . ..
    assert_both "spawn: EAGAIN" "$spawn" user 64999 64999 nproc 0 -- "$look" exit 0
    assert_enforced "spawn: EAGAIN" "$deny" clone3=ENOSYS "$spawn" user 64999 64999 nproc 0 -- "$look" exit 0
    assert_same "$shell" user 64999 64999 nproc 0 system "exit 3"
    assert_same "$stream" user 64999 64999 nproc 0 popen r "exit 3"
}

@test "without a process to spare the other ways of making one say EAGAIN, too" {
    needs_root
    [ "$(uname -m)" = x86_64 ] || skip "vfork and fork are calls of their own on x86-64"
    local rules
    for rules in 'clone3=EPERM,clone=EPERM' 'clone3=EPERM,clone=EPERM,vfork=EPERM'; do
        assert_enforced "spawn: EAGAIN" "$deny" "$rules" "$spawn" user 64999 64999 nproc 0 -- "$look" exit 0
    done
}

# A new control group whose processes can be limited, in group; skips where none can be made. teardown takes it away.
make_group() {
    local folder kind options
    needs_root
    while read -r _ folder kind options _; do
        [[ $kind == cgroup2 || ($kind == cgroup && ,$options, == *,pids,*) ]] || continue
        mkdir "$folder/airlock-test-$$" 2>/dev/null || continue
        group=$folder/airlock-test-$$
        [ ! -e "$group/pids.max" ] || return 0
        rmdir "$group"
        group=''
    done </proc/mounts
    skip "no control group with pids.max can be made here"
}

teardown() {
    [ -z "${group:-}" ] || rmdir "$group"
}

@test "in a control group without room for another process every call says what libc says, until there is room" {
    make_group
    local limit=$group/pids.max
    local enter=(put "$limit" 1 put "$group/cgroup.procs" 0)
    assert_both "spawn: EAGAIN" "$spawn" "${enter[@]}" -- "$look" exit 0
    assert_both $'spawn: ok\nchild: exit 7' "$spawn" "${enter[@]}" put "$limit" 2 -- "$witness" 7 0-2
    assert_both $'system: exit 127\nerrno became EAGAIN\nsystem: exit 3' \
        "$shell" "${enter[@]}" system "exit 3" put "$limit" 2 system "exit 3"
    assert_both $'popen: ENOMEM\npopen: ok\npclose: exit 3' \
        "$stream" "${enter[@]}" popen r "exit 3" put "$limit" 2 popen r "exit 3" pclose 1
    # A zombie or a thread that stayed would still be in it.
    [ "$(cat "$group/pids.current")" -eq 0 ]
}

@test "in a control group without room for another process the other ways of making one say EAGAIN, too" {
    [ "$(uname -m)" = x86_64 ] || skip "vfork and fork are calls of their own on x86-64"
    make_group
    local limit=$group/pids.max rules
    local enter=(put "$limit" 1 put "$group/cgroup.procs" 0)
    for rules in clone3=ENOSYS clone3=EPERM,clone=EPERM clone3=EPERM,clone=EPERM,vfork=EPERM; do
        assert_enforced "spawn: EAGAIN" "$deny" "$rules" "$spawn" "${enter[@]}" -- "$look" exit 0
        assert_enforced $'spawn: ok\nchild: exit 7' \
            "$deny" "$rules" "$spawn" "${enter[@]}" put "$limit" 2 -- "$witness" 7 0-2
    done
    [ "$(cat "$group/pids.current")" -eq 0 ]
}

@test "the record of a call in a control group without room for another process names the clone and EAGAIN" {
    make_group
    local limit=$group/pids.max call
    local enter=(put "$limit" 1 put "$group/cgroup.procs" 0)
    export AIRLOCK_LOG=$PWD/log
    enforced "$spawn" "${enter[@]}" -- "$look" exit 0
    enforced "$shell" "${enter[@]}" system "exit 3"
    enforced "$stream" "${enter[@]}" popen r "exit 3"
    for call in posix_spawn system popen; do
        [ "$(grep "\"call\":\"$call\"" log | grep '"step":"clone"' | grep -c '"errno":"EAGAIN"')" -eq 1 ]
    done
    [ "$(grep -c '"type":"spawn"' log)" -eq 3 ]
}

# ---- Memory.

@test "without memory for another mapping a spawn works" {
    # libc's needs a stack for the child and says ENOMEM.
    assert_enforced $'spawn: ok\nchild: exit 7' "$spawn" have 7 file memory now -- "$witness" 7 0-2
    assert_enforced $'spawn: ok\nchild: exit 7' "$deny" clone3=ENOSYS "$spawn" have 7 file memory now -- "$witness" 7 0-2
    assert_enforced "spawn: ENOENT" "$spawn" memory now -- /nonexistent
}

@test "without memory for another mapping a spawn that changes ids works" {
    needs_root
    assert_enforced $'spawn: ok\nchild: exit 7' "$spawn" resetids have 7 file memory now -- "$witness" 7 0-2
    assert_enforced "spawn: ENOENT" "$spawn" resetids memory now -- /nonexistent
}

@test "without memory for another mapping a record is left out and the spawn works" {
    AIRLOCK_LOG=$PWD/log AIRLOCK_LOG_FDS=1 assert_enforced $'spawn: ok\nchild: exit 7' \
        "$spawn" have 7 file memory now -- "$witness" 7 0-2
}

@test "more actions than fit without memory say ENOMEM" {
    run enforced "$spawn" closes 100 memory now -- "$witness" 7 0-2
    assert_lines "spawn: ENOMEM"
}

@test "a thread with the smallest stack spawns, also on its own stack" {
    local expected=$'spawnp: ok\nchild: exit 0'
    assert_both "$expected" "$threads" small
    # vfork has no stack of its own: the child's deepest use has to fit below the caller's.
    assert_enforced "$expected" "$deny" 'clone3=ENOSYS,clone@0&4000=EPERM' "$threads" small
    assert_enforced "$expected" "$deny" 'clone3=ENOSYS,clone@0&4000=EPERM,close_range=ENOSYS' "$threads" small
    AIRLOCK_LOG=$PWD/log AIRLOCK_LOG_FDS=1 assert_enforced "$expected" "$threads" small
    [ -s log ]
}

# ---- Arguments and environment.

@test "the longest string fits and one byte more is E2BIG" {
    assert_both $'spawn: ok\nchild: exit 0' "$spawn" huge 131071 -- "$look" exit 0
    assert_both "spawn: E2BIG" "$spawn" huge 131072 -- "$look" exit 0
    assert_both "spawn: E2BIG" "$spawn" resetids huge 131072 -- "$look" exit 0
    assert_enforced "spawn: E2BIG" "$deny" clone3=ENOSYS "$spawn" huge 131072 -- "$look" exit 0
}

@test "a command line of system and popen that is too long fails as with libc" {
    command -v python3 >/dev/null || skip "needs python3"
    assert_same python3 -c '
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
line = b"exit 3 #" + b"x" * 200000
status = libc.system(line)
print(status, ctypes.get_errno())
libc.popen.restype = ctypes.c_void_p
print(libc.popen(line, b"r"), ctypes.get_errno())
print(libc.system(b"exit 4 #" + b"x" * 100000))'
}

# ---- Places.

@test "a full disk costs records and nothing else" {
    needs_root
    needs_namespace
    mkdir full
    local program='mount -t tmpfs -o size=64k none full; head -c 65536 /dev/zero >full/rest 2>/dev/null; exec "$0" "$@"'
    AIRLOCK_LOG=$PWD/full/log run enforced unshare -m sh -c "$program" "$spawn" times 3 have 7 file -- "$look" descriptors
    assert_lines "descriptors: 0 1 2" "spawn: ok" "child: exit 0" "descriptors: 0 1 2" "spawn: ok" "child: exit 0" \
        "descriptors: 0 1 2" "spawn: ok" "child: exit 0"
}

@test "without /proc system and popen work and are sealed" {
    needs_root
    needs_namespace
    run arranged 'mount -t tmpfs none /proc' "$shell" have 7 file system "exec '$witness' 7 0-2"
    assert_lines "system: exit 7"
    run arranged 'mount -t tmpfs none /proc' "$stream" have 7 file popen r "exec '$witness' 7 0-2" pclose 0
    assert_lines "popen: ok" "pclose: exit 7"
    AIRLOCK_LOG=$PWD/log AIRLOCK_LOG_FDS=1 run arranged 'mount -t tmpfs none /proc' "$spawn" have 7 file -- "$witness" 7 0-2
    assert_lines "spawn: ok" "child: exit 7"
    grep -q '"fd":7' log
}

@test "without /dev every call works" {
    needs_root
    needs_namespace
    run arranged 'mount -t tmpfs none /dev' "$spawn" have 7 file -- "$witness" 7 0-2
    assert_lines "spawn: ok" "child: exit 7"
    run arranged 'mount -t tmpfs none /dev' "$shell" have 7 file system "exec '$witness' 7 0-2"
    assert_lines "system: exit 7"
    run arranged 'mount -t tmpfs none /dev' "$stream" have 7 file popen we "exec '$witness' 7 0-2" fclose 0
    assert_lines "popen: ok" "fclose: exit 7"
}

@test "where nothing can be written every call works, and nothing is said of the log" {
    needs_root
    needs_namespace
    local read_only='for at in $(awk "{print \$2}" /proc/self/mounts); do mount -o remount,bind,ro "$at" 2>/dev/null; done; ! touch log 2>/dev/null'
    AIRLOCK_LOG=$PWD/log run arranged "{ $read_only; }" "$spawn" have 7 file -- "$witness" 7 0-2
    assert_lines "spawn: ok" "child: exit 7"
    AIRLOCK_LOG=$PWD/log run arranged "{ $read_only; }" "$stream" popen r "exec '$witness' 7 0-2" pclose 0
    assert_lines "popen: ok" "pclose: exit 7"
    [ ! -e log ]
}
