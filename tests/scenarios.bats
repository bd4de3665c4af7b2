#!/usr/bin/env bats
# shellcheck disable=SC2016  # the lines in single quotes are for another shell
# shellcheck disable=SC2030,SC2031  # every test is a shell of its own
# What a leak does to the owner of a server, and that it does it no more: each scenario first goes wrong without airlock.

load helpers

leaver=$PROBES/leaver

setup() {
    cd "$BATS_TEST_TMPDIR" || return
    unset AIRLOCK_MODE AIRLOCK_KEEP AIRLOCK_POLICY
    # A child that outlives its parent, and notes its process id.
    LONG='sleep 300 >/dev/null 2>&1 & echo $! >>pids'
    LONG_ITSELF='echo $$ >>pids; exec sleep 300 >/dev/null 2>&1'
}

teardown() {
    local pid
    while read -r pid; do
        kill "$pid" 2>/dev/null || true
    done 2>/dev/null <"$BATS_TEST_TMPDIR/pids" || true
}

children_run() {
    local pid
    while read -r pid; do
        kill -0 "$pid" || return 1
    done <pids
}

restart_on_the_same_port() {
    run "$1" "$leaver" listen 0 system "$LONG"
    [ "$status" -eq 0 ]
    port=${lines[0]#listening on }
    children_run
    run "$1" "$leaver" listen "$port"
}

@test "without airlock a server cannot restart on its port while a child of its first life runs" {
    restart_on_the_same_port plain
    [ "$output" = "listening: EADDRINUSE" ]
}

@test "a server restarts on its port while a child of its first life runs" {
    restart_on_the_same_port enforced
    [ "$output" = "listening on $port" ]
}

take_the_lock_again() {
    run "$1" "$leaver" lock held system "$LONG"
    [ "$output" = "lock: taken" ]
    children_run
    run "$1" "$leaver" lock held
}

@test "without airlock a lock file is taken while a child of its dead owner runs" {
    take_the_lock_again plain
    [ "$output" = "lock: EWOULDBLOCK" ] || [ "$output" = "lock: EAGAIN" ]
}

@test "a lock file is free once its owner is gone, while a child of its runs" {
    take_the_lock_again enforced
    [ "$output" = "lock: taken" ]
}

@test "without airlock a stream does not end while another child of the program runs" {
    run plain "$leaver" popen "exec cat >/dev/null 2>&1" spawn "$LONG_ITSELF" pclose
    [ "$output" = "still waiting" ]
}

@test "a stream ends with its own child, whatever else of the program runs" {
    run enforced "$leaver" popen "exec cat >/dev/null 2>&1" spawn "$LONG_ITSELF" pclose
    [ "$output" = "closed" ]
    children_run
}

@test "threads that call popen at once each see the end of their own child" {
    run enforced "$leaver" both "$LONG_ITSELF"
    [ "$output" = "all closed" ]
    [ "$(wc -l <pids)" -eq 20 ]
    children_run
}
