#!/usr/bin/env bats
# The preload in programs that are linked with musl: what musl answers is the measure, and the descriptors are sealed.

# Programs in single quotes are meant for another shell.
# shellcheck disable=SC2016

load ../../tests/helpers

spawn=$PROBES/spawn
look=$PROBES/look
shell=$PROBES/shell
stream=$PROBES/stream
look_ok=$'spawn: ok\nchild: exit 0'

setup() {
    cd "$BATS_TEST_TMPDIR" || return
    echo text >file
    mkdir directory
}

# Each line is the words of one call, which ends with and without the preload in the same way.
all_the_same() {
    local line words
    while IFS= read -r line; do
        read -ra words <<<"$line"
        assert_same "$@" "${words[@]}" || return 1
    done
}

@test "the library is loaded by musl's loader, and needs musl alone" {
    run readelf -d "$PRELOAD"
    [[ $output == *"Shared library: [libc.so]"* && $output != *libc.so.6* ]]
    run readelf -l "$spawn"
    [[ $output == */lib/ld-musl-* ]]
    [[ $(AIRLOCK_LOG=stderr enforced "$spawn" -- "$look" say hello 2>&1) == *'"call":"posix_spawn"'* ]]
}

@test "the library exports the calls that it takes over and nothing else" {
    local names
    names=$(nm -D --defined-only "$PRELOAD" | awk '{ print $3 }' | sort | tr '\n' ' ')
    [ "$names" = "dup2 dup3 fclose fcntl ioctl pclose popen posix_spawn posix_spawnp system " ]
}

@test "the children of posix_spawn, system and popen keep 0 to 2 and nothing else" {
    assert_enforced $'descriptors: 0 1 2\n'"$look_ok" "$spawn" have 7 file many 30 have 900 file -- "$look" descriptors
    assert_enforced $'descriptors: 0 1 2\nsystem: exit 0' "$shell" have 7 file many 30 system "exec '$look' descriptors"
    assert_enforced $'popen: ok\ndescriptors: 0 1 2\npclose: exit 0' \
        "$stream" have 7 file many 30 popen r "exec '$look' descriptors" read 0 pclose 0
    run plain "$spawn" have 7 file -- "$look" descriptors
    assert_lines "descriptors: 0 1 2 7" "spawn: ok" "child: exit 0"
}

@test "every kind of action that musl knows is read from its list, in its order" {
    assert_enforced $'descriptors: 0 1 2 9 10\ndirectory: /proc\n'"$look_ok" "$spawn" have 7 file have 8 /proc \
        close 5 dup2 7 9 open 10 file r chdir / fchdir 8 -- "$look" descriptors directory
    assert_enforced $'descriptor 9: '"$PWD"$'/file \n'"$look_ok" "$spawn" open 9 /dev/null r close 9 open 9 file r -- "$look" target 9
    # The later one wins.
    assert_enforced $'directory: /proc\n'"$look_ok" "$spawn" chdir / chdir /proc -- "$look" directory
    assert_enforced $'directory: /\n'"$look_ok" "$spawn" chdir /proc chdir / -- "$look" directory
}

@test "no call with actions is passed through to libc" {
    AIRLOCK_LOG=stderr run enforced "$spawn" have 7 file close 5 dup2 7 9 open 10 file r chdir / fchdir 7 -- "$look" say x
    [[ $output == *'"type":"spawn"'* && $output != *passed_through* ]]
}

@test "objects that are copied by value, all zero or absent are read like any other" {
    all_the_same "$spawn" <<END
how copy-actions open 9 file r -- $look descriptors
how zero-actions -- $look descriptors
how no-actions -- $look descriptors
closes 500 open 9 file r -- $look descriptors
END
}

@test "errors of actions and of exec are those of musl" {
    all_the_same "$spawn" <<END
-- /nonexistent
-- ./directory
-- ./file
-- ./file/below
path  -- x
call spawnp -- nosuchprogram
call spawnp unsetenv PATH -- nosuchprogram
dup2 50 9 -- $look say x
open 9 missing r -- $look say x
chdir missing -- $look say x
fchdir 50 -- $look say x
have 7 file fchdir 7 -- $look say x
close 50 nofile 50 -- $look descriptors
close 300 nofile 50 -- $look descriptors
dup2 1 300 nofile 50 -- $look say x
how no-pid -- $look say x
END
}

@test "attributes mean what they mean in musl" {
    all_the_same "$spawn" <<END
setsid -- $look session group
setpgroup 0 -- $look group
block USR1,34 -- $look blocked
sigmask USR2,TERM -- $look blocked
sigmask none block USR1 -- $look blocked
ignore USR1 ignore HUP -- $look ignored
ignore USR1 ignore HUP sigdef USR1 -- $look ignored
handle USR1 -- $look ignored
ignore PIPE sigdef none -- $look ignored
resetids -- $look ids
usevfork -- $look say x
scheduler 3 0 -- $look scheduling
schedparam 5 -- $look say x
setpgroup 0 setsid -- $look say x
flags 0x4000 -- $look say x
END
}

@test "a child's end reaches the parent" {
    assert_same "$spawn" -- "$look" exit 42
    assert_same "$spawn" -- /bin/sh -c 'kill -9 $$'
    assert_same "$spawn" ignore CHLD -- "$look" exit 1
}

@test "system returns what musl's returns" {
    assert_same "$shell" system "exit 3" system "kill -9 \$\$" null
    assert_same "$shell" ignore CHLD system "exit 3"
    assert_same "$shell" handle INT system 'kill -INT $PPID; exit 4' count
    assert_same "$PROBES/deny" execve=ENOENT "$shell" system "exit 0" null
}

@test "where musl leaves something behind, airlock does not" {
    # musl's overlapping calls of system restore each other's dispositions, and its posix_spawn changes errno.
    assert_enforced "$(yes "system: exit 7" | head -n 4)" "$shell" threads 4
    assert_enforced "spawn: ENOENT" "$spawn" how errno -- /nonexistent
}

@test "popen and pclose return what musl's return, and fclose leaves the child to the program" {
    local mode
    for mode in r re er rw rer w ew x ""; do
        assert_same "$stream" popen "$mode" "exit 3" flags 0 pclose 0 children
    done
    # A child that is sure to be there still: one that has just ended may be seen before or after its end.
    assert_same "$stream" popen r "exec sleep 2" fclose 0 children
    assert_same "$PROBES/deny" execve=ENOENT "$stream" popen r "exit 0" children
}

@test "every call leaves the mask, dispositions, descriptors, threads and cancellation state as they were" {
    assert_same "$PROBES/host" start
    assert_same "$PROBES/host" around
    assert_same "$PROBES/host" handlers
    assert_same "$PROBES/early"
}

@test "no handler of the parent runs in a child while its signal storms the process group" {
    assert_enforced $'spawns that did what they should: 500\nhandlers that ran in a child: 0' "$PROBES/storm" USR1 500
}

@test "kernels that lack calls still seal" {
    local rules
    for rules in clone3=ENOSYS close_range=ENOSYS clone3=EPERM,close_range=EPERM 'close_range@2&2=EINVAL'; do
        assert_enforced $'descriptors: 0 1 2\n'"$look_ok" "$PROBES/deny" "$rules" "$spawn" have 7 file -- "$look" descriptors
    done
}
