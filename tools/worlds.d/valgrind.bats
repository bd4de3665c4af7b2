#!/usr/bin/env bats
# Under valgrind, which carries out system calls by itself: the same children, and nothing that it complains of.

load ../../tests/helpers

spawn=$PROBES/spawn
look=$PROBES/look

setup() {
    cd "$BATS_TEST_TMPDIR" || return
    echo text >file
    # Descriptors of its own lie above these.
    ulimit -n 1024
}

checked() {
    enforced valgrind -q --error-exitcode=97 "$@" </dev/null
}

library() {
    plain valgrind -q --error-exitcode=97 "$@" </dev/null
}

@test "posix_spawn seals and tells errors, and valgrind finds nothing" {
    run checked "$spawn" have 7 file -- "$look" descriptors
    assert_lines "descriptors: 0 1 2" "spawn: ok" "child: exit 0"
    run checked "$spawn" -- /nonexistent
    assert_lines "spawn: ENOENT"
    run checked "$spawn" open 9 missing r -- "$look" descriptors
    assert_lines "spawn: ENOENT"
}

@test "actions and attributes are read without a word from valgrind" {
    run checked "$spawn" have 7 file dup2 7 9 chdir / setsid sigdef all -- "$look" descriptors directory
    assert_lines "descriptors: 0 1 2 9" "directory: /" "spawn: ok" "child: exit 0"
}

@test "system and popen work, and valgrind finds nothing" {
    run checked "$PROBES/shell" have 7 file system "exec '$look' descriptors"
    assert_lines "descriptors: 0 1 2" "system: exit 0"
    run checked "$PROBES/stream" have 7 file popen r "exec '$look' descriptors" read 0 pclose 0
    assert_lines "popen: ok" "descriptors: 0 1 2" "pclose: exit 0"
}

@test "records are written, and valgrind finds nothing" {
    AIRLOCK_LOG=$PWD/log AIRLOCK_LOG_FDS=1 run checked "$spawn" have 7 file -- "$look" say x
    [ "$status" -eq 0 ]
    grep -q '"type":"spawn"' log
}

@test "the library keeps, searches and collects without a word from valgrind" {
    run library "$PROBES/library_command" keep
    assert_lines "0 1 10 12 14 15 2 3 5 8 9" "exited with 0"
    run library "$PROBES/library_command" candidates
    [[ $status -eq 0 && $output == *"exec /nowhere/b: ENOENT"* ]]
    run library "$PROBES/library_process" collect
    [ "$status" -eq 0 ]
}
