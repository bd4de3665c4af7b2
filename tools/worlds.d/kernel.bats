#!/usr/bin/env bats
# Inside a machine with a kernel of its own (guest run): another version of Linux, or another processor with one, where
# the child truly shares its parent's memory. There libc is right, and is what every answer is compared with.

# Programs in single quotes are meant for another shell.
# shellcheck disable=SC2016

load ../../tests/helpers

spawn=$PROBES/spawn
look=$PROBES/look
shell=$PROBES/shell
stream=$PROBES/stream
deny=$PROBES/deny
look_ok=$'spawn: ok\nchild: exit 0'

setup() {
    cd "$BATS_TEST_TMPDIR" || return
    echo text >file
    mkdir directory
    ln -s loop loop
}

# How the records of a run say that its children were made.
made() {
    AIRLOCK_LOG=$PWD/log enforced "$@" >/dev/null 2>&1
    sed -nE 's/.*"primitive":"([a-z0-9]+)","cut":([a-z]+),"shared_memory":([a-z]+).*/\1 \2 \3/p' log
    rm log
}

@test "the kernel is the one that was fetched" {
    # bats outside has no place for it in its report.
    echo "# Linux $(uname -r) $(uname -m), $(getconf GNU_LIBC_VERSION)" >&3
    [ "$(uname -r)" = "$AIRLOCK_GUEST_KERNEL" ]
}

@test "clone3 makes the child in shared memory, with the cut, and every step down from it is taken when it is refused" {
    [ "$(made "$spawn" have 7 file -- "$look" exit 0)" = "clone3 true true" ]
    [ "$(made "$shell" system "exit 0")" = "clone3 true true" ]
    [ "$(made "$stream" popen r "exit 0" pclose 0)" = "clone3 true true" ]
    [ "$(made "$deny" clone3=ENOSYS "$spawn" -- "$look" exit 0)" = "clone true true" ]
    [ "$(made "$deny" clone3=EPERM,close_range=EPERM "$spawn" -- "$look" exit 0)" = "clone false true" ]
    [ "$(made "$spawn" resetids -- "$look" exit 0)" = "clone3 true false" ]
}

@test "every error of a child is exact, and libc's" {
    local line words
    while IFS= read -r line; do
        read -ra words <<<"$line"
        assert_both "spawn: ${words[0]}" "$spawn" "${words[@]:1}" || return 1
    done <<END
ENOENT -- /nonexistent
ENOENT call spawnp -- nosuchprogram
EACCES -- ./directory
EACCES -- ./file
ENOTDIR -- ./file/below
ELOOP -- ./loop
ENAMETOOLONG -- ./$(printf 'x%.0s' {1..300})
ENOENT open 9 missing r -- $look say x
ENOENT chdir missing -- $look say x
ENOTDIR have 7 file fchdir 7 -- $look say x
EBADF dup2 50 9 -- $look say x
ENOENT resetids -- /nonexistent
END
}

@test "the record names the step, its index and its errno" {
    AIRLOCK_LOG=stderr run enforced "$spawn" chdir / open 9 missing r -- "$look" say x
    [[ $output == *'"step":"action","index":1,"errno":"ENOENT"'* ]]
    AIRLOCK_LOG=stderr run enforced "$spawn" -- /nonexistent
    [[ $output == *'"step":"exec",'*'"errno":"ENOENT"'* ]]
}

@test "children keep 0 to 2, what actions name and what the user keeps, and the lowest free number is right" {
    assert_enforced $'descriptors: 0 1 2\nlowest free: 3\n'"$look_ok" \
        "$spawn" have 7 file many 300 have 900 file -- "$look" descriptors lowest
    assert_enforced $'descriptors: 0 1 2 9\n'"$look_ok" "$spawn" have 7 file dup2 7 9 -- "$look" descriptors
    assert_enforced $'descriptors: 0 1 2 9\n'"$look_ok" "$spawn" many 300 have 900 file dup2 900 9 -- "$look" descriptors
    AIRLOCK_KEEP=7 assert_enforced $'descriptors: 0 1 2 7\n'"$look_ok" "$spawn" have 7 file have 8 file -- "$look" descriptors
    assert_enforced $'descriptors: 0 1 2\nsystem: exit 0' "$shell" have 7 file system "exec '$look' descriptors"
    assert_enforced $'popen: ok\ndescriptors: 0 1 2\npclose: exit 0' \
        "$stream" have 7 file popen r "exec '$look' descriptors" read 0 pclose 0
}

@test "kernels and filters that lack calls still seal" {
    local rules
    for rules in clone3=ENOSYS clone3=EPERM close_range=ENOSYS clone3=EPERM,close_range=EPERM \
        'close_range@2&4=EINVAL' 'close_range@2&2=EINVAL' 'clone3=ENOSYS,clone@0&100=EPERM'; do
        assert_enforced $'descriptors: 0 1 2\n'"$look_ok" "$deny" "$rules" "$spawn" have 7 file -- "$look" descriptors
        assert_enforced "spawn: ENOENT" "$deny" "$rules" "$spawn" have 7 file -- /nonexistent
    done
}

@test "actions, attributes, search and exit statuses are libc's" {
    local line words
    while IFS= read -r line; do
        read -ra words <<<"$line"
        assert_same "$spawn" "${words[@]}" || return 1
    done <<END
close 5 open 9 file r chdir / -- $look descriptors directory
setsid -- $look session group
setpgroup 0 -- $look group
ignore USR1 ignore HUP sigdef USR1 -- $look ignored
sigmask USR2,TERM -- $look blocked
resetids -- $look ids
call spawnp setenv PATH $PROBES -- look say found
how no-pid -- $look say x
-- $look exit 42
END
}

@test "system and popen return what libc's return" {
    assert_both $'system: exit 3\nsystem: signal KILL\na shell: yes' "$shell" system "exit 3" system 'kill -9 $$' null
    assert_both $'popen: ok\npclose: exit 42' "$stream" popen r "exit 42" pclose 0
    assert_both $'popen: ok\nfclose: exit 42' "$stream" popen r "exit 42" fclose 0 children
    assert_both "$(yes "system: exit 7" | head -n 4)" "$shell" threads 4
}

@test "no handler of the parent runs in a child while its signal storms the process group" {
    assert_enforced $'spawns that did what they should: 100\nhandlers that ran in a child: 0' "$PROBES/storm" USR1 100
    assert_enforced $'spawns that did what they should: 50\nhandlers that ran in a child: 0' \
        "$deny" clone3=ENOSYS "$PROBES/storm" USR1 50
}

@test "a pidfd belongs to the child, is close-on-exec and tells its end" {
    local rules primitive
    while read -r primitive rules; do
        run plain "$deny" "$rules" "$PROBES/library_process" pidfd
        assert_lines "$primitive, close-on-exec, exited with 7" \
            "$primitive, SIGCHLD ignored, close-on-exec, reaped by the kernel" "exec /nowhere: ENOENT" || return 1
    done <<END
clone3 unshare=ENOSYS
clone clone3=ENOSYS
END
}

@test "every call leaves the mask, dispositions, descriptors, threads and cancellation state as they were" {
    assert_same "$PROBES/host" start
    assert_same "$PROBES/host" around
    assert_same "$PROBES/early"
}

@test "many children one after the other end as they should" {
    assert_enforced "$(yes "$look_ok" | head -n 80)" "$spawn" times 40 -- "$look" exit 0
}
