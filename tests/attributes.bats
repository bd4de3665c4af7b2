#!/usr/bin/env bats
# Every attribute flag of libc, alone and together, and what each says when it cannot be done.

# Programs in single quotes are meant for another shell.
# shellcheck disable=SC2016

load helpers

spawn=$PROBES/spawn
look=$PROBES/look
look_ok=$'spawn: ok\nchild: exit 0'

@test "without attributes the child is in its parent's group and session, with its parent's scheduling and mask" {
    assert_both $'group: the parent\'s\nsession: the parent\'s\nscheduling: OTHER 0\nblocked: USR2\n'"$look_ok" \
        "$spawn" block USR2 -- "$look" group session scheduling blocked
}

@test "SETPGROUP with 0 makes the child the leader of a process group" {
    assert_both $'group: own\nsession: the parent\'s\n'"$look_ok" "$spawn" setpgroup 0 -- "$look" group session
}

@test "SETPGROUP with a group that does not exist is EPERM" {
    assert_both "spawn: EPERM" "$spawn" setpgroup 4194303 -- "$look" group
}

@test "SETPGROUP with a negative group is EINVAL" {
    assert_both "spawn: EINVAL" "$spawn" setpgroup -5 -- "$look" group
}

@test "SETSID makes the child the leader of a session" {
    assert_both $'group: own\nsession: own\n'"$look_ok" "$spawn" setsid -- "$look" group session
}

@test "SETSID together with SETPGROUP is what libc makes of it" {
    assert_both "spawn: EPERM" "$spawn" setsid setpgroup 0 -- "$look" group session
}

@test "RESETIDS makes the effective user the real one, also in what the saved user can do" {
    needs_root
    # The child has an empty environment: as another user it may not be able to read the library.
    assert_both $'uid=65534(nobody) gid=0(root) groups=0(root)\n'"$look_ok" \
        "$spawn" how empty-envp user 65534 0 resetids -- /usr/bin/id
    assert_both $'uid=0(root) gid=0(root) groups=0(root)\n'"$look_ok" \
        "$spawn" how empty-envp user 0 65534 resetids -- /usr/bin/id
}

@test "without RESETIDS the effective user stays" {
    needs_root
    assert_both $'uid=65534(nobody) gid=0(root) euid=0(root) groups=0(root)\n'"$look_ok" \
        "$spawn" how empty-envp user 65534 0 -- /usr/bin/id
}

@test "RESETIDS leaves the parent dumpable" {
    local program='import os,sys
path = sys.argv[1]
os.waitpid(os.posix_spawn(path, [path], {}, resetids=True), 0)
print(os.stat("/proc/self/environ").st_uid == os.getuid())'
    command -v python3 >/dev/null || skip "needs python3"
    assert_both True python3 -c "$program" /bin/true
}

@test "RESETIDS beside every other flag gives the same child" {
    assert_both $'group: own\nblocked: USR1\nignored: HUP\ndescriptors: 0 1 2 9\n'"$look_ok" \
        "$spawn" ignore HUP ignore PIPE resetids setpgroup 0 sigmask USR1 sigdef PIPE dup2 0 9 -- \
        "$look" group blocked ignored descriptors
}

@test "RESETIDS does not lose the error of exec" {
    assert_both "spawn: ENOENT" "$spawn" resetids -- /nonexistent
    assert_both "spawn: EACCES" "$spawn" resetids -- /
}

@test "SETSIGDEF makes ignored signals default and leaves the others" {
    assert_both $'ignored: HUP\n'"$look_ok" "$spawn" ignore USR1 ignore HUP sigdef USR1 -- "$look" ignored
}

@test "SETSIGDEF with every signal is no error" {
    assert_both $'ignored: none\n'"$look_ok" "$spawn" ignore USR1 ignore 64 ignore HUP sigdef all -- "$look" ignored
}

@test "SETSIGDEF with no signal resets nothing" {
    assert_both $'ignored: HUP PIPE XFSZ\n'"$look_ok" \
        "$spawn" ignore HUP ignore PIPE ignore XFSZ sigdef none -- "$look" ignored
}

@test "a handler becomes default in the child with and without SETSIGDEF" {
    assert_both $'ignored: none\n'"$look_ok" "$spawn" handle USR1 handle HUP sigdef USR1 -- "$look" ignored
}

@test "SETSIGMASK is the child's mask" {
    assert_both $'blocked: USR1 TERM 64\n'"$look_ok" "$spawn" block HUP sigmask USR1,TERM,64 -- "$look" blocked
    assert_both $'blocked: none\n'"$look_ok" "$spawn" block HUP sigmask none -- "$look" blocked
}

@test "SETSIGMASK with every signal is the mask that libc gives" {
    assert_same "$spawn" sigmask all -- "$look" blocked
    [[ $(plain "$spawn" sigmask all -- "$look" blocked) == *"HUP INT QUIT"*"62 63 64"* ]]
}

@test "SETSCHEDPARAM sets a priority, and one that the policy does not have is EINVAL" {
    assert_both $'scheduling: OTHER 0\n'"$look_ok" "$spawn" schedparam 0 -- "$look" scheduling
    assert_both "spawn: EINVAL" "$spawn" schedparam 5 -- "$look" scheduling
}

@test "SETSCHEDULER sets policy and priority" {
    assert_both $'scheduling: OTHER 0\n'"$look_ok" "$spawn" scheduler 0 0 -- "$look" scheduling
    assert_both "spawn: EINVAL" "$spawn" scheduler 0 7 -- "$look" scheduling
    # Allowed or refused: as the kernel answers here.
    assert_same "$spawn" scheduler 1 5 -- "$look" scheduling
    assert_same "$spawn" scheduler 2 3 -- "$look" scheduling
}

@test "SETSCHEDULER without permission is EPERM" {
    needs_root
    assert_same "$spawn" how empty-envp user 54321 54321 scheduler 1 5 -- /usr/bin/id -u
}

@test "SETSCHEDULER wins over SETSCHEDPARAM" {
    assert_same "$spawn" schedparam 3 scheduler 2 4 -- "$look" scheduling
    assert_same "$spawn" scheduler 2 4 schedparam 3 -- "$look" scheduling
}

@test "USEVFORK changes nothing that can be seen" {
    assert_both $'descriptors: 0 1 2\ngroup: the parent\'s\n'"$look_ok" "$spawn" usevfork -- "$look" descriptors group
    assert_both "spawn: ENOENT" "$spawn" usevfork -- /nonexistent
}

@test "a flag that libc does not know is answered by libc" {
    assert_same "$spawn" flags 0x4000 -- "$look" descriptors
}

@test "all flags together do what each does" {
    assert_both $'group: own\nsession: own\nblocked: USR1\nignored: HUP\nscheduling: OTHER 0\n'"$look_ok" \
        "$spawn" ignore HUP ignore TERM resetids setsid sigdef TERM sigmask USR1 scheduler 0 0 usevfork -- \
        "$look" group session blocked ignored scheduling
}

@test "attributes are done before the file actions: a failing attribute opens nothing" {
    cd "$BATS_TEST_TMPDIR"
    assert_both "spawn: EINVAL" "$spawn" schedparam 5 open 1 made wct -- "$look" say hello
    [ ! -e made ]
}

@test "attributes are done in libc's order: scheduling, session, process group, ids" {
    assert_both "spawn: EINVAL" "$spawn" schedparam 5 setpgroup 4194303 -- "$look" group
    assert_both "spawn: EPERM" "$spawn" setpgroup 4194303 dup2 77 9 -- "$look" group
}

# ---- What a libc of another day would have made

@test "an attribute that nobody here knows is left to libc, and the record says so" {
    assert_both "the child ended with 7" "$PROBES/stranger" flag
    AIRLOCK_LOG=$BATS_TEST_TMPDIR/log AIRLOCK_LOG_FDS=1 enforced \
        sh -c 'exec 7</etc/passwd "$0" flag' "$PROBES/stranger"
    grep -q '"passed_through":"an attribute flag that this library does not know"' "$BATS_TEST_TMPDIR/log"
    # Nothing was held back, so nothing is said to be.
    grep -q '"primitive":"libc",.*"sealed":\[\],"kept":\[{"fd":7,"what":"/etc/passwd","rule":"passed through"}\]' \
        "$BATS_TEST_TMPDIR/log"
    # A policy would not help, so none is suggested.
    "$AIRLOCK" audit --log "$BATS_TEST_TMPDIR/log" | grep -q '7 .*/etc/passwd .*passed through'
    [ "$("$AIRLOCK" audit --suggest --log "$BATS_TEST_TMPDIR/log" | grep -c passwd)" -eq 0 ]
}

@test "a control group of glibc 2.39 is read where that has it" {
    assert_enforced EBADF "$PROBES/stranger" cgroup
}

@test "what libc has no function for cannot be left to libc" {
    nm -D "$(ldconfig -p | sed -nE 's/.*libc\.so\.6 .*x86-64.* => //p' | head -n 1)" | grep -q ' pidfd_spawn@' &&
        skip "this libc has pidfd_spawn"
    assert_enforced ENOSYS "$PROBES/stranger" pidfd-flag
}
