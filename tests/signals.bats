#!/usr/bin/env bats
# Signals around a spawn: no handler of the parent runs in a child, and what the child starts with is what was meant.

# Programs in single quotes are meant for another shell.
# shellcheck disable=SC2016

load helpers

spawn=$PROBES/spawn
shell=$PROBES/shell
stream=$PROBES/stream
look=$PROBES/look
look_ok=$'spawn: ok\nchild: exit 0'

setup() {
    mkfifo "$BATS_TEST_TMPDIR/fifo"
}

@test "no handler runs in a child while its signal storms the process group" {
    assert_both $'spawns that did what they should: 2000\nhandlers that ran in a child: 0' "$PROBES/storm" USR1 2000
}

@test "no handler of a real-time signal runs in a child either" {
    assert_both $'spawns that did what they should: 500\nhandlers that ran in a child: 0' "$PROBES/storm" 40 500
}

@test "no handler runs in a child that is made another way" {
    [ "$(uname -m)" = x86_64 ] || skip "other system calls make processes here"
    local fallbacks='clone3=ENOSYS clone3=ENOSYS,clone@0&4000=EPERM clone3=EPERM,clone@0&100=EPERM,vfork=EPERM'
    for rules in $fallbacks; do
        assert_enforced $'spawns that did what they should: 500\nhandlers that ran in a child: 0' \
            "$PROBES/deny" "$rules" "$PROBES/storm" USR1 500
    done
}

# The child is held in an open action, with or without RESETIDS: see tests/probes/held.c.
held() {
    local expected=$1
    shift
    assert_both "$expected" "$PROBES/held" "$BATS_TEST_TMPDIR/fifo" "$@"
    assert_both "$expected" "$PROBES/held" "$BATS_TEST_TMPDIR/fifo" "$@" ids
}

@test "until its exec a child blocks every signal, libc's own 32 and 33 too" {
    held $'not blocked: KILL STOP\ndescriptors: 0 1 2\nspawn: ok\nchild: exit 0\nhandlers ran: 0' blocked
}

@test "a signal with a handler that reaches the child before its exec is taken by its default action" {
    held $'spawn: ok\nchild: signal USR1\nhandlers ran: 0' handler
}

@test "a child that is killed before its exec is the caller's to reap" {
    held $'spawn: ok\nchild: signal KILL\nhandlers ran: 0' kill
}

@test "while one child is on its way another thread spawns" {
    held $'the other child runs\nthe other spawn: ok\nthe other child: exit 0\ndescriptors: 0 1 2\nspawn: ok\nchild: exit 0\nhandlers ran: 0' \
        spawn
}

@test "while one child is stopped as by a debugger another thread spawns" {
    held $'the other child runs\nthe other spawn: ok\nthe other child: exit 0\ndescriptors: 0 1 2\nspawn: ok\nchild: exit 0\nhandlers ran: 0' \
        stop
}

@test "a descriptor that the parent opens while a child is on its way does not reach that child" {
    AIRLOCK_KEEP=all held $'descriptors: 0 1 2\nspawn: ok\nchild: exit 0\nhandlers ran: 0' descriptor
}

@test "a child whose parent dies while it reports an error ends by itself" {
    held $'the parent: signal KILL\nthe orphan: ended by itself' orphan
}

@test "ignored SIGPIPE and SIGXFSZ are default in the child" {
    assert_enforced $'ignored: none\n'"$look_ok" "$spawn" ignore PIPE ignore XFSZ -- "$look" ignored
    assert_enforced $'ignored: none\n'"$look_ok" "$spawn" resetids ignore PIPE ignore XFSZ -- "$look" ignored
    # With libc they are not.
    run plain "$spawn" ignore PIPE ignore XFSZ -- "$look" ignored
    assert_lines "ignored: PIPE XFSZ" "spawn: ok" "child: exit 0"
}

@test "ignored SIGPIPE is default in the children of system and popen" {
    assert_enforced $'ignored: none\nsystem: exit 0' "$shell" ignore PIPE ignore XFSZ system "exec '$look' ignored"
    assert_enforced $'popen: ok\nignored: none\npclose: exit 0' \
        "$stream" ignore PIPE popen r "exec '$look' ignored" read 0 pclose 0
}

@test "a caller that chose with SETSIGDEF has its choice" {
    assert_both $'ignored: PIPE XFSZ\n'"$look_ok" \
        "$spawn" ignore PIPE ignore XFSZ ignore USR1 sigdef USR1 -- "$look" ignored
    assert_both $'ignored: PIPE\n'"$look_ok" "$spawn" ignore PIPE sigdef none -- "$look" ignored
}

@test "other ignored signals stay ignored, as nohup needs it" {
    assert_both $'ignored: HUP INT USR1 TERM 64\n'"$look_ok" \
        "$spawn" ignore HUP ignore INT ignore TERM ignore USR1 ignore 64 -- "$look" ignored
}

@test "AIRLOCK_SIGNALS=inherit leaves SIGPIPE ignored" {
    AIRLOCK_SIGNALS=inherit assert_both $'ignored: HUP PIPE XFSZ\n'"$look_ok" \
        "$spawn" ignore PIPE ignore XFSZ ignore HUP -- "$look" ignored
}

@test "AIRLOCK_SIGNALS=pipe resets SIGPIPE and SIGXFSZ alone" {
    AIRLOCK_SIGNALS=pipe assert_enforced $'ignored: HUP\n'"$look_ok" \
        "$spawn" ignore PIPE ignore XFSZ ignore HUP -- "$look" ignored
}

@test "AIRLOCK_SIGNALS=all resets every ignored signal" {
    AIRLOCK_SIGNALS=all assert_enforced $'ignored: none\n'"$look_ok" \
        "$spawn" ignore PIPE ignore HUP ignore USR1 ignore 64 ignore 34 -- "$look" ignored
}

@test "in mode off ignored signals stay ignored" {
    AIRLOCK_MODE=off assert_both $'ignored: PIPE\n'"$look_ok" "$spawn" ignore PIPE -- "$look" ignored
}

@test "the parent still ignores what its child does not" {
    # The probe says so when a disposition of the parent changed.
    AIRLOCK_SIGNALS=all assert_enforced "$look_ok" "$spawn" ignore PIPE ignore HUP handle USR1 -- "$look" exit 0
}

@test "the child's mask is the caller's" {
    assert_both $'blocked: USR1 TERM\n'"$look_ok" "$spawn" block USR1,TERM -- "$look" blocked
    AIRLOCK_MASK=inherit assert_both $'blocked: USR1 TERM\n'"$look_ok" "$spawn" block USR1,TERM -- "$look" blocked
    assert_both $'blocked: USR1 TERM\n'"$look_ok" "$spawn" resetids block USR1,TERM -- "$look" blocked
}

@test "a mask that includes libc's own signals reaches the child as with libc" {
    assert_same "$spawn" block all -- "$look" blocked
}

@test "AIRLOCK_MASK=clear starts children with no signal blocked" {
    AIRLOCK_MASK=clear assert_enforced $'blocked: none\n'"$look_ok" "$spawn" block USR1,TERM -- "$look" blocked
    AIRLOCK_MASK=clear assert_enforced $'blocked: none\nsystem: exit 0' \
        "$shell" block USR1 system "exec '$look' blocked"
}

@test "a mask set with SETSIGMASK is the child's" {
    assert_both $'blocked: HUP\n'"$look_ok" "$spawn" block USR1 sigmask HUP -- "$look" blocked
}

@test "libc's own signals are not left ignored in a child of another way" {
    # One that is ignored stays so across exec, in every descendant.
    run enforced "$PROBES/deny" clone3=ENOSYS "$spawn" -- /bin/sh -c 'grep SigIgn /proc/self/status'
    local mask=${lines[0]##*[[:space:]]}
    # An inherited one is not airlock's doing.
    local inherited
    inherited=$(plain sh -c 'grep SigIgn /proc/self/status')
    [ "$mask" = "${inherited##*[[:space:]]}" ]
}
