#!/usr/bin/env bats
# The core as a C library: what a child can be given, and what its parent learns.

load helpers

command=$PROBES/library_command
process=$PROBES/library_process
deny=$PROBES/deny
random=$PROBES/library_random

# prints EXPECTED CMD…: the probe says this and nothing else, and leaves nothing behind.
prints() {
    local expected=$1
    shift
    run plain "$@"
    diff -u <(echo "$expected") <(echo "$output")
}

setup() {
    # Many descriptors of the tests' own run far above what a shell allows at first.
    ulimit -n 20000 2>/dev/null || true
}

# ---- Standard streams and descriptors

@test "0, 1 and 2 come right from every combination of each other, of another descriptor, and of what was there" {
    prints "125 of 125" "$command" stdio "$BATS_TEST_TMPDIR"
}

@test "descriptors to keep are given in any order, twice, closed, and as ranges that overlap" {
    prints $'0 1 10 12 14 15 2 3 5 8 9\nexited with 0' "$command" keep
}

@test "a kept descriptor arrives however high its number, and above a limit that was lowered later" {
    prints $'0 1 2 3 3000\nexited with 0\n0 1 2 3 3000\nexited with 0' "$command" keep-high
}

@test "a range to keep may reach from low numbers to high ones" {
    prints $'0 1 2 299 3 5 9\nexited with 0' "$command" keep-across
}

@test "a kept descriptor is made inheritable in the child alone, and only when asked" {
    run plain "$command" inheritable
    # The shell's own pattern takes the lowest free number.
    [ "${lines[0]}" = "0 1 2 3" ]
    [ "${lines[2]}" = "0 1 2 3 4" ]
    [ "${lines[4]}" = "0 1 2 3 4" ]
    [ "${lines[6]}" = "in the parent: close-on-exec" ]
}

@test "the working directory comes from a descriptor, and then from a path relative to it" {
    prints $'/\nexited with 0\n/proc\nexited with 0' "$command" directories
}

@test "closefrom closes a descriptor and all above it" {
    prints $'0 1 2 3 4 5\nexited with 0' "$command" closefrom
}

# ---- What is executed

@test "of several candidates the first that can be executed runs; the error is the first that tells more than absence" {
    prints "exited with 0
exec /nowhere/b: ENOENT
exec /etc/passwd: EACCES
exec /nowhere/b: ENOENT
exec /etc/passwd: EACCES" "$command" candidates
}

@test "a name is searched nowhere, in the parent's PATH, or in the child's PATH when it has one" {
    mkdir "$BATS_TEST_TMPDIR/parent" "$BATS_TEST_TMPDIR/child"
    printf '#!/bin/sh\necho the parent\n' >"$BATS_TEST_TMPDIR/parent/which-one"
    printf '#!/bin/sh\necho the child\n' >"$BATS_TEST_TMPDIR/child/which-one"
    chmod +x "$BATS_TEST_TMPDIR"/*/which-one
    prints "exec which-one: ENOENT
exec which-one: ENOENT
the parent
exited with 0
the parent
exited with 0
the child
exited with 0
the parent
exited with 0" "$command" search "$BATS_TEST_TMPDIR"
}

@test "a file that is no program is run by the shell under the name where a path, a list or a search found it" {
    local script=$BATS_TEST_TMPDIR/script
    echo "echo \"\$0 \$1\"" >"$script"
    chmod +x "$script"
    prints "$script word
exited with 0
$script word
exited with 0
$script word
exited with 0
exec script: ENOEXEC" "$command" shell "$script" "/nowhere:$BATS_TEST_TMPDIR"
}

@test "a relative program is looked for in the child's new directory, an element of PATH as well" {
    mkdir "$BATS_TEST_TMPDIR/parent"
    printf '#!/bin/sh\necho found\n' >"$BATS_TEST_TMPDIR/parent/which-one"
    chmod +x "$BATS_TEST_TMPDIR/parent/which-one"
    prints "exec parent/which-one: ENOENT
found
exited with 0
found
exited with 0
found
exited with 0" "$command" relative "$BATS_TEST_TMPDIR"
}

@test "the environment is the given one byte for byte, nothing, or the parent's at the time of the call" {
    prints $'ONLY=\xff\xfe\n=odd\nno equals sign\nexited with 0\nexited with 0\nEARLY=1\nLATE=2\nexited with 0' \
        "$command" environment
}

@test "arguments come through byte for byte, and the program's name is free" {
    prints $'[my name][][\xff\x01][two words]exited with 0\nquite another name\nexited with 0' "$command" arguments
}

@test "the current process becomes a program with the same preparations, or goes on with an error" {
    prints "exec /nowhere: ENOENT
pid 0
/
SigIgn:	0000000000000000
0 1 2 3 9" "$command" become
}

# ---- Attributes

@test "umask, scheduling and limits reach the child" {
    [ "$(id -u)" -eq 0 ] || skip "needs root for a real-time priority"
    prints $'0137\n11\n0\n3 2\nexited with 0' "$command" attributes
}

@test "the limit of descriptors is set when everything that needs them is done" {
    prints $'4\nexited with 0' "$command" last-limit
}

@test "a child leads a process group or a session when asked" {
    prints "exited with 0
leads a group
exited with 0
leads a group
leads a session
exited with 0" "$command" session
}

@test "a child of root gets its ids and groups, never root's groups by oversight, and root stays dumpable" {
    [ "$(id -u)" -eq 0 ] || skip "needs root"
    prints "Uid: 0 0 0 0 Gid: 0 0 0 0 Groups: 1 2 3
exited with 0
Uid: 1000 1000 1000 1000 Gid: 1001 1001 1001 1001 Groups:
exited with 0
Uid: 1000 1000 1000 1000 Gid: 1001 1001 1001 1001 Groups: 1 2 3
exited with 0
Uid: 1000 1000 1000 1000 Gid: 1001 1001 1001 1001 Groups: 5 7
exited with 0
Uid: 1000 1000 1000 1000 Gid: 1001 1001 1001 1001 Groups:
exited with 0
dumpable: 1" "$command" ids
}

@test "the death signal reaches a child that changed its user when its parent dies" {
    [ "$(id -u)" -eq 0 ] || skip "needs root"
    prints $'the parent was killed by SIGKILL (9)\nthe child is gone' "$command" death-signal
}

@test "a child starts in the control group of a descriptor" {
    local root
    root=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/mounts)
    [ -n "$root" ] && mkdir "$root/airlock-test-$$" 2>/dev/null || skip "no control group to make a child of"
    run plain "$command" cgroup "$root/airlock-test-$$"
    rmdir "$root/airlock-test-$$"
    [[ "$output" == *"0::/airlock-test-$$"*"exited with 0" ]]
}

@test "a child in a group of its own takes the terminal from the background without being stopped" {
    prints $'in front\nexited with 0' "$command" terminal
}

@test "ignored signals become default when asked, others stay ignored, handlers go, and the mask is what was asked" {
    prints "SigBlk:	8000000000000200
SigIgn:	0000000000000800
SigCgt:	0000000000000000
exited with 0" "$command" signals
}

@test "the mask is the calling thread's when no other is asked for, with a callback, too" {
    prints $'SigBlk:\t8000000000000002\nexited with 0\nSigBlk:\t8000000000000002\nexited with 0' "$command" mask
}

@test "a callback runs after fork's handlers, can change mask and environment, and its errno has a place" {
    prints "apple
exited with 0
prepared for fork 1 time, FRUIT here is not set
SigBlk:	0000000000000200
exited with 0
callback: ENOTTY
killed by SIGABRT (6)
exited with 0
prepared for fork 0 times without a callback" "$command" callback
}

@test "ids, groups and callbacks leave the fast path, nothing else does, and every phase has its time" {
    prints "plain: clone3, shared memory, cut
no seal: clone3, shared memory, whole table
session: clone3, shared memory, cut
group: clone3, shared memory, cut
directory: clone3, shared memory, cut
umask: clone3, shared memory, cut
signals: clone3, shared memory, cut
streams: clone3, shared memory, cut
limits: clone3, shared memory, cut
death signal: clone3, shared memory, cut
search: clone3, shared memory, cut
failure: clone3, shared memory, whole table, exec /nowhere: ENOENT
failed step: clone3, shared memory, cut, chdir /nowhere: ENOENT, before exec
failed callback: fork, copied memory, whole table, callback: ENOTTY, before exec
user: clone3, copied memory, cut
group id: clone3, copied memory, cut
groups: clone3, copied memory, cut
callback: fork, copied memory, whole table
asked for: clone3, copied memory, cut" "$command" paths
}

# ---- A child as a value

@test "the exit status of a child is what it exited with or the signal that killed it" {
    prints "exited with 0
exited with 1
exited with 255
killed by SIGTERM (15)
killed by SIGKILL (9)" "$process" status
}

@test "a program that is not there fails to start, to be collected and to be run" {
    prints $'start: ENOENT, pid -1\ncollect: ENOENT at exec, no output\nrun: ENOENT' "$process" failure
}

@test "waiting twice gives the same answer, and nothing is sent to a child that was waited for" {
    prints "exited with 3
exited with 3
try_wait: exited with 3
kill: ok
closed: -1 -1" "$process" twice
}

@test "try_wait does not wait" {
    prints $'while it runs: EAGAIN\nafter: killed by SIGKILL (9)\nagain: killed by SIGKILL (9)' "$process" trying
}

@test "wait closes the pipe that the child reads to its end" {
    prints "exited with 5" "$process" closes-input
}

@test "a signal reaches a running child, is nothing to a dead one, and has to exist" {
    prints "kill: ok
a zombie: ok
no such signal: EINVAL
killed by SIGTERM (15)
reaped: ok" "$process" signals
}

@test "kill and wait never touch a process that got the number of an earlier child" {
    prints $'kill: ok\nwait: ECHILD\nthe other: EAGAIN\nkilled by SIGKILL (9)' "$process" recycled
}

@test "with SIGCHLD ignored wait ends and says that the status is lost" {
    prints $'ECHILD\nECHILD\nkill: ok\nexec /nowhere: ENOENT' "$process" ignored
}

@test "a child reads from a pipe and writes to another" {
    prints $'7 bytes: foobar\nexited with 0' "$process" streams
}

@test "a stream is /dev/null or a given descriptor, which stays open" {
    prints $'exited with 0\ngiven is still open, no pipes: -1 -1 -1' "$process" kinds "$BATS_TEST_TMPDIR/given"
    diff -u - "$BATS_TEST_TMPDIR/given" <<END
/dev/null
$BATS_TEST_TMPDIR/given
/dev/null
0 1 2 3
END
}

@test "a child does not hold the pipes of another, and all of ours are close-on-exec" {
    prints $'close-on-exec\nexited with 0\nexited with 0' "$process" private
}

@test "pipes are made above 2 when the process has closed its own streams" {
    prints $'0 1 2 3\ninput\nproblem\nexited with 0, ends are above 2' "$process" without-stdio
}

@test "output and errors are collected, input is /dev/null, and bytes of all kinds come through" {
    prints "hello
exited with 0
problem
exited with 1
exited with 0
3 bytes, 0 bytes, NUL behind them: 0 0" "$process" collect
}

@test "both pipes are read to their end while input is written, however much there is of each" {
    prints $'ok: 3000000 and 10000000 bytes\nok: the same and the same' "$process" large
}

@test "a child that prints more than the limit is killed, and what fits is kept" {
    prints "1: ENOBUFS, 1 and 0 bytes
5: ENOBUFS, 5 and 0 bytes
6: ok, 6 and 6 bytes
7: ok, 6 and 6 bytes
100000: ok, 6 and 6 bytes
endless: ENOBUFS, 1000000 bytes, killed by SIGKILL (9)" "$process" limit
}

@test "input that a child does not read is no error, and SIGPIPE is as it was" {
    prints "ok: done
exited with 0
SIGPIPE is not pending
ok: done
exited with 0
SIGPIPE is pending" "$process" unread-input
}

@test "a status is told in words: exited, killed, dumped, stopped, continued, unknown" {
    prints "0xf: killed by SIGTERM (15)
0x8b: killed by SIGSEGV (11), core dumped
0: exited with 0
0xff00: exited with 255
0x137f: stopped by SIGSTOP (19)
0xffff: continued
0xff: unknown wait status 0xff
0x22: killed by SIGRTMIN (34)
0x40: killed by SIGRTMAX (64)
0x41: killed by SIG? (65)
short of room: killed , 22
no room: 22
31 names of 31
200 errnos of 200" "$process" texts
}

# ---- Safety

@test "starting, waiting and closing allocate nothing" {
    prints "0 allocations" "$process" no-allocation
}

@test "a signal handler can start children while the program is inside malloc" {
    prints "children were started in a signal handler" "$process" in-handler
}

@test "threads start and collect children of their own at the same time" {
    prints "200 of 200" "$process" threads
}

@test "all threads that wait for one child learn how it ended" {
    prints "200 of 200" "$process" many-wait
}

# ---- Older kernels and strict containers

@test "a pidfd belongs to the child whatever primitive made it, even when the kernel reaps" {
    local rules primitive
    for primitive in clone vfork fork; do
        case $primitive in
        clone) rules=clone3=EPERM ;;
        vfork) rules=clone3=ENOSYS,clone=EPERM ;;
        fork) rules=clone3=ENOSYS,clone=EPERM,vfork=EPERM ;;
        esac
        prints "$primitive, close-on-exec, exited with 7
$primitive, SIGCHLD ignored, close-on-exec, reaped by the kernel
exec /nowhere: ENOENT" "$deny" "$rules" "$process" pidfd
    done
}

@test "the signals that were ignored and are default in the child are told whatever primitive made it" {
    local rules primitive
    prints $'clone3, reset: SIGUSR2\nclone3, reset: SIGUSR2' "$command" reset-signals
    for primitive in clone vfork fork fork-without-memory; do
        case $primitive in
        clone) rules=clone3=EPERM ;;
        vfork) rules=clone3=ENOSYS,clone=EPERM ;;
        fork) rules=clone3=ENOSYS,clone=EPERM,vfork=EPERM ;;
        fork-without-memory)
            rules=clone3=ENOSYS,clone=EPERM,vfork=EPERM,mmap@3\&1=ENOMEM
            primitive=fork
            ;;
        esac
        prints "$primitive, reset: SIGUSR2
$primitive, reset: SIGUSR2" "$deny" "$rules" "$command" reset-signals
    done
}

@test "a pidfd that cannot be had is an error, and no child is left" {
    prints $'clone: ENOSYS\nclone: ENOSYS\nclone: ENOSYS' \
        "$deny" clone3=ENOSYS,clone=EPERM,pidfd_open=ENOSYS "$process" pidfd
    prints $'clone: EMFILE\nclone: EMFILE\nclone: EMFILE' \
        "$deny" clone3=ENOSYS,clone=EPERM,pidfd_open=EMFILE "$process" pidfd
    prints "EMFILE, clone: EMFILE" "$process" no-pidfd-left
}

@test "a kernel without pidfds starts, waits for, ends and collects children all the same" {
    local rules='clone3=ENOSYS,clone@0&1000=EINVAL,pidfd_open=ENOSYS'
    prints "exited with 0
exited with 1
exited with 255
killed by SIGTERM (15)
killed by SIGKILL (9)" "$deny" "$rules" "$process" status
    prints $'ok: 3000000 and 10000000 bytes\nok: the same and the same' "$deny" "$rules" "$process" large
    prints "125 of 125" "$deny" "$rules,close_range=ENOSYS" "$command" stdio "$BATS_TEST_TMPDIR"
}

@test "descriptions at random give the same children whichever way they are made" {
    local rules folder
    # Copies of tables by the thousand take long on a busy machine.
    # shellcheck disable=SC2034 # plain uses it
    LIMIT=300
    ulimit -n 20000 2>/dev/null || skip "needs many descriptors"
    mkdir "$BATS_TEST_TMPDIR/plain"
    plain "$random" "$BATS_TEST_TMPDIR/plain" 1 250 >"$BATS_TEST_TMPDIR/plain.found"
    [ "$(grep -c 'exited with 0' "$BATS_TEST_TMPDIR/plain.found")" -gt 50 ]
    # Nothing but files was open: a pipe or a pidfd in a child is one of ours.
    run grep -F '?' "$BATS_TEST_TMPDIR/plain.found"
    [ -z "$output" ]
    # No clone3, no new flags of close_range, no close_range at all, nothing of all that.
    for rules in clone3=EPERM 'close_range@2&4=EINVAL' close_range=ENOSYS \
        'clone3=ENOSYS,clone@0&100=EPERM,vfork=EPERM,close_range=ENOSYS,pidfd_getfd=EPERM'; do
        folder=$BATS_TEST_TMPDIR/$((++number))
        mkdir "$folder"
        echo "$rules"
        plain "$deny" "$rules" "$random" "$folder" 1 250 >"$folder.found"
        # Each has a folder of its own, whose name is part of the answer.
        diff -u <(sed 's/ in plain / in it /' "$BATS_TEST_TMPDIR/plain.found") <(sed "s/ in $number / in it /" "$folder.found")
    done
}
