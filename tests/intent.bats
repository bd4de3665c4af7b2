#!/usr/bin/env bats
# What the program itself makes inheritable is passed on, for as long as it is the same file; and the calls by which it
# does so are libc's in everything else.

load helpers

intent=$PROBES/intent

setup() {
    cd "$BATS_TEST_TMPDIR" || return
    unset AIRLOCK_MODE AIRLOCK_KEEP AIRLOCK_POLICY
    NUMBERS=$PROBES/numbers
    export NUMBERS
    echo one >one
    echo two >two
}

# assert_passed NUMBERS WORD…   with airlock the child of the probe holds these numbers. Without it, it also has 9, which
# nothing was meant to have.
assert_passed() {
    local numbers=$1
    shift
    run plain "$intent" leak 9 /dev/null "$@"
    [[ " ${lines[-1]} " == *" 9 "* ]] || { echo "without airlock: $output"; return 1; }
    assert_enforced "0 1 2${numbers:+ $numbers}" "$intent" leak 9 /dev/null "$@"
}

@test "a descriptor that nothing was done to is not passed on" {
    assert_passed "" leak 8 one list
}

@test "fcntl, fcntl64 and a number of another width pass a descriptor on" {
    assert_passed 8 open 8 one setfd 8 0 list
    assert_passed 8 open 8 one setfd64 8 0 list
    assert_passed 8 open 8 one setfd-long 8 list
}

@test "F_SETFD passes on a descriptor that was inheritable anyway" {
    assert_passed 8 leak 8 one setfd 8 0 list
}

@test "FIONCLEX passes a descriptor on" {
    assert_passed 8 open 8 one nclex 8 list
}

@test "dup2 and dup3 onto a number above 2 pass it on, and not their source" {
    assert_passed 8 leak 7 one dup2 7 8 list
    assert_passed 8 leak 7 one dup3 7 8 list
}

@test "dup2 onto a number up to 2, or onto itself, passes nothing on" {
    assert_passed "" leak 8 one dup2 8 2 dup2 8 8 list
}

@test "dup3 with close-on-exec passes nothing on" {
    assert_passed "" leak 7 one dup3e 7 8 list
}

@test "F_DUPFD onto the very digit that it names passes it on, as ksh93 does for a redirection" {
    assert_passed 8 leak 7 one dupfd 7 8 list
}

@test "F_DUPFD that moves a descriptor out of the way passes nothing on" {
    assert_passed "" leak 7 one dupfd 7 10 list
    assert_passed "" leak 7 one leak 8 two dupfd 7 8 list
}

@test "a descriptor that is close-on-exec again is not passed on, whichever way it became so" {
    assert_passed "" open 8 one setfd 8 0 setfd 8 1 list
    assert_passed "" open 8 one nclex 8 clex 8 list
    assert_passed "" leak 7 one dup2 7 8 dup3e 7 8 list
}

@test "what was marked and then made close-on-exec is not passed on when something else makes it inheritable" {
    assert_passed "" open 8 one setfd 8 0 setfd 8 1 raw 8 list
}

@test "a descriptor that was closed is not passed on when another file takes its number" {
    assert_passed "" open 8 one setfd 8 0 close 8 leak 8 two list
    assert_passed "" leak 7 one dup2 7 8 leak 8 two list
}

@test "a mark is forgotten at the first spawn that finds it void" {
    run enforced "$intent" open 8 one setfd 8 0 close 8 list leak 8 one list
    assert_lines "0 1 2" "0 1 2"
}

@test "a mark lasts for every child" {
    run enforced "$intent" leak 9 two open 8 one setfd 8 0 list list
    assert_lines "0 1 2 8" "0 1 2 8"
}

@test "what a child of vfork does is no mark of its parent" {
    assert_passed "" leak 7 one leak 8 two vfork 7 list
}

@test "a child of fork passes on what its parent marked and what it marks itself" {
    assert_passed "6 8" open 6 one setfd 6 0 open 8 two fork 8 list
}

@test "after a child of fork has vforked first, its own marks still count" {
    assert_passed "8" open 6 one open 8 two fork 8 vfork 6 list
}

@test "a thread passes on what it marks" {
    assert_passed 8 open 8 one thread 8 list
}

@test "a signal handler that marks in the middle of another mark loses neither" {
    assert_passed "7 8" open 7 one open 8 two signal 7 list
}

@test "a hundred marks at once keep everything rather than lose one" {
    words=()
    for number in {100..220}; do
        words+=(open "$number" one setfd "$number" 0)
    done
    run enforced "$intent" leak 9 /dev/null "${words[@]}" list
    [[ $output == "0 1 2 9 100 101 "*" 220" ]]
}

@test "marks of descriptors that are gone make room for others" {
    words=()
    for number in {100..400}; do
        words+=(open "$number" one setfd "$number" 0 close "$number")
    done
    assert_passed 8 "${words[@]}" open 8 one setfd 8 0 list
}

@test "a mark can be switched off by the policy, and counts nothing in mode off" {
    echo "convention intent off" >policy
    AIRLOCK_POLICY=$PWD/policy assert_enforced "0 1 2" "$intent" open 8 one setfd 8 0 list
    AIRLOCK_MODE=off assert_enforced "0 1 2 8 9" "$intent" leak 9 one open 8 one setfd 8 0 list
}

@test "fcntl, ioctl, dup2 and dup3 return what libc's do, with every type of argument, and a waiting lock can be cancelled" {
    assert_same "$PROBES/fcntl"
    [[ $(enforced "$PROBES/fcntl") == *"cancelled while it waited for a lock: 1" ]]
}

@test "the same in mode off" {
    AIRLOCK_MODE=off assert_same "$PROBES/fcntl"
}

@test "another library that wraps the same calls is still called" {
    cat >wrapper.c <<'END'
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdarg.h>
#include <unistd.h>
int fcntl(int fd, int command, ...) {
    va_list rest;
    va_start(rest, command);
    void *argument = va_arg(rest, void *);
    va_end(rest);
    if (command == 2 && write(1, "wrapped\n", 8) != 8)
        return -1;
    return ((int (*)(int, int, ...))dlsym(RTLD_NEXT, "fcntl"))(fd, command, argument);
}
END
    cc -shared -fPIC -o wrapper.so wrapper.c -ldl
    for order in "$PRELOAD:$PWD/wrapper.so" "$PWD/wrapper.so:$PRELOAD"; do
        run plain env LD_PRELOAD="$order" "$intent" leak 9 one open 8 one setfd 8 0 list
        assert_lines wrapped "0 1 2 8"
    done
}

@test "a constructor that runs before the library's own may call them, and marks" {
    cat >early.c <<'END'
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>
__attribute__((constructor)) static void early(void) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0)
        return;
    fcntl(ends[0], F_SETFD, 0);
    ioctl(ends[1], FIONCLEX);
    int owner = fcntl(ends[0], F_GETOWN), wrong = fcntl(-1, F_GETFD);
    int same = dup2(ends[0], ends[0]) == ends[0], other = dup2(99, 99);
    printf("%d %d %d %d %d %d\n", ends[0], ends[1], owner, wrong, same, other == -1 && errno == EBADF);
    fflush(stdout);
}
END
    cc -shared -fPIC -Wl,-z,initfirst -o early.so early.c
    # A library that asks to be initialised first is, before those that were preloaded.
    # Its own child has it too, and there the next two numbers are free.
    run plain env LD_PRELOAD="$PRELOAD:$PWD/early.so" "$intent" leak 9 one list
    assert_lines "3 4 0 -1 1 1" "5 6 0 -1 1 1" "0 1 2 3 4 5 6"
}
