#!/usr/bin/env bats
# What a kernel refuses the library while a child is made, fed or waited for, one thing at a time: the child comes about
# by another way, or the caller is told, and in both cases nothing is left behind (the probe looks).

load helpers

probe=$PROBES/library_refused
deny=$PROBES/deny
# close_range cannot set close-on-exec: Linux before 5.11.
cannot_mark='close_range@2&4=EINVAL'

# prints EXPECTED CMD…: the probe says this and nothing else.
prints() {
    local expected=$1
    shift
    run plain "$@"
    diff -u <(echo "$expected") <(echo "$output")
}

# injected CALL:error=ERROR:when=WHICH CMD…: a call fails as strace has it.
injected() {
    local injection=$1
    shift
    command -v strace >/dev/null || skip "needs strace"
    prints "$EXPECTED" strace -o /dev/null -e trace="${injection%%:*}" -e inject="$injection" "$@"
}

failing() {
    injected "$1" "$probe" "${@:2}"
}

# ---- Numbers

@test "a stream that finds no free number is named, whichever of the three it is" {
    prints "stdio 0: EMFILE, stdio 0: EMFILE, stdio 1: EMFILE, stdio 1: EMFILE, stdio 2: EMFILE, stdio 2: EMFILE, \
clone: EMFILE, exited with 7
stdio 0: EMFILE, stdio 1: EMFILE, stdio 2: EMFILE, clone: EMFILE, exited with 7, exited with 7, exited with 7, \
exited with 7" "$probe" streams
}

@test "the ends of a pipe that cannot be moved above the standard streams are closed again" {
    prints $'EINVAL, EMFILE, ok\nthe ends are 3 and 4' "$probe" low-pipes
}

@test "standard streams change places where no number above the kept ones is left" {
    prints "exited with 7" "$probe" swap
}

@test "a first child starts whose actions name every number that its report could have" {
    prints "exited with 7" "$probe" report
}

@test "with every number in use and no close-on-exec for ranges, the child gets what it keeps and nothing else" {
    prints "exited with 7" "$deny" "$cannot_mark" "$probe" full
    prints "exited with 7" "$deny" close_range=ENOSYS "$probe" full
}

@test "without a list of descriptors the numbers up to the cut are gone through one by one" {
    prints $'0 1 2 5\nexited with 0' "$deny" "$cannot_mark,getdents64=ENOSYS" "$probe" leaks
}

@test "descriptors of high numbers arrive, however many there are and whatever else is done to their numbers" {
    local seven="exited with 7"
    prints "$seven
$seven
$seven
$seven
$seven
stdio 2: EBADF
$seven
keep 77: EBADF" "$probe" high
    prints "$seven
$seven
$seven
action 0 (open 3000 /dev/null): EPERM
$seven
stdio 2: EBADF
keep 3000: EPERM
keep 77: EBADF" "$deny" dup2@1:3000=EPERM "$probe" high
}

@test "a parent without standard streams finds out all the same whether a cut leaves a clean table" {
    prints "exited with 7, exited with 7" "$probe" without-streams
}

# ---- Memory

@test "without memory for the ranges to keep, or for a shell's arguments, the caller is told before a child is made" {
    printf 'exit $#\n' >"$BATS_TEST_TMPDIR/script"
    chmod +x "$BATS_TEST_TMPDIR/script"
    prints $'exited with 7\nexited with 199' "$probe" mapped "$BATS_TEST_TMPDIR/script"
    # Both are mappings of an odd size.
    command -v strace >/dev/null || skip "needs strace"
    local sizes
    mapfile -t sizes < <(plain strace -e trace=mmap "$probe" mapped "$BATS_TEST_TMPDIR/script" 2>&1 |
        sed -nE 's/^mmap\(NULL, ([0-9]+), .*MAP_PRIVATE\|MAP_ANONYMOUS, -1, 0\).*/\1/p' | awk '$1 % 4096' | tail -n 2)
    [ "${#sizes[@]}" -eq 2 ]
    prints $'prepare: ENOMEM\nprepare: ENOMEM\nexited with 199' \
        "$deny" "mmap@1:${sizes[0]}=ENOMEM" "$probe" mapped "$BATS_TEST_TMPDIR/script" exec
    prints $'exited with 7\nprepare: ENOMEM' \
        "$deny" "mmap@1:${sizes[1]}=ENOMEM" "$probe" mapped "$BATS_TEST_TMPDIR/script"
}

@test "without a stack, and without memory to share with a copied child, children start all the same" {
    prints $'exited with 7\nexited with 7\nexited with 7' "$deny" mmap@3:33=ENOMEM "$probe" copied
    prints $'exited with 7\nexited with 7\nexited with 7' "$deny" mmap@1:131072=ENOMEM "$probe" copied
    prints $'exited with 7\nexited with 7\nexited with 7' \
        "$deny" mmap@1:131072=ENOMEM,mmap@3:33=ENOMEM,vfork=EPERM "$probe" copied
}

@test "in a program with threads, what the first child would find out is assumed where no memory is left to find out" {
    prints "exited with 7" "$deny" mmap@1:131072=ENOMEM,mmap@3:33=ENOMEM "$probe" threaded
}

@test "a child that prints more than memory holds is ended, and what was read is there" {
    prints "ENOMEM, what was read is there, killed by SIGKILL (9)" "$probe" endless
}

@test "after more children at a time than there are stacks to keep, 32 are kept" {
    mkfifo "$BATS_TEST_TMPDIR/fifo"
    prints "40 children, as many stacks at once, 32 kept" "$probe" stacks "$BATS_TEST_TMPDIR/fifo"
}

# ---- Calls

@test "a fork that fails is told, with a callback" {
    prints "clone: EAGAIN" "$deny" clone=EAGAIN "$probe" callback
}

@test "without clone3 a control group cannot be chosen, and the error is libc's" {
    prints $'clone: EOPNOTSUPP\nclone: EOPNOTSUPP' "$deny" clone3=ENOSYS "$probe" cgroup /
}

@test "without memory for a stack a child in a control group says ENOMEM, and not that there is no clone3" {
    prints $'clone: ENOMEM\nclone: ENOMEM' "$deny" mmap@1:131072=ENOMEM "$probe" cgroup /
}

teardown() {
    [ -z "${group:-}" ] || find "$group" -depth -type d -exec rmdir {} +
}

@test "a control group that takes no child says why: it is none, is gone, belongs to another, or threads alone live there" {
    local root user threaded removed
    prints $'clone: EBADF\nclone: EBADF' "$probe" cgroup /
    needs_root
    root=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/mounts)
    [ -n "$root" ] && mkdir "$root/airlock-test-$$" 2>/dev/null || skip "no control group to make a child of"
    group=$root/airlock-test-$$
    mkdir "$group/threads" "$group/processes"
    user=$(plain "$probe" cgroup "$group" user 2>&1)
    # The folder beside it has no valid type from now on.
    echo threaded >"$group/threads/cgroup.type"
    threaded=$(plain "$probe" cgroup "$group/processes" 2>&1)
    removed=$(plain "$probe" cgroup "$group/processes" removed 2>&1)
    output="$user $threaded $removed"
    assert_lines $'clone: EACCES\nclone: EACCES clone: EOPNOTSUPP\nclone: EOPNOTSUPP clone: ENOENT\nclone: ENOENT'
}

@test "where fork alone can copy memory, its child reports through a pipe" {
    prints $'exited with 7\nexited with 7\nexited with 7' "$deny" clone3=EPERM,clone=EPERM "$probe" copied
}

@test "a child that cannot be waited for is an error, one that cannot be signalled by pidfd is by number" {
    prints "kill: ok, wait: EPERM" "$deny" waitid=EPERM "$probe" waiting
    prints "kill: ok, wait: ok" "$deny" pidfd_send_signal=ENOSYS "$probe" waiting
}

@test "an exchange without a child, a place for the output or an input is refused" {
    prints $'no place: EINVAL\nno input: EINVAL\nno child: EINVAL' "$probe" no-output
}

@test "what is interrupted while a child is fed, read and waited for is done again" {
    EXPECTED="ok, the same, exited with 0"
    # The first read is the loader's.
    failing read:error=EINTR:when=2+2 echo
    failing read:error=EAGAIN:when=2+2 echo
    failing write:error=EINTR:when=1 echo
    failing ppoll:error=EINTR:when=1+2 echo
    failing rt_sigtimedwait:error=EINTR:when=1 echo
    EXPECTED=$'exec /nowhere: ENOENT\nexited with 7'
    failing wait4:error=EINTR:when=1 failing
    EXPECTED="exited with 7"
    failing wait4:error=EINTR:when=1 threaded
    injected wait4:error=EINTR:when=1 "$deny" mmap@1:131072=ENOMEM "$probe" threaded
    # The third read is that of the report: the loader reads twice.
    EXPECTED=$'exited with 7\nexited with 7\nexited with 7'
    injected read:error=EINTR:when=3 "$deny" mmap@3:33=ENOMEM "$probe" copied
    EXPECTED=$'start: ENOENT, pid -1\ncollect: ENOENT at exec, no output\nrun: ENOENT'
    injected waitid:error=EINTR:when=1 "$PROBES/library_process" failure
    # The first wait is for the child that shows whether memory is shared.
    EXPECTED=$'clone: ENOSYS\nclone: ENOSYS\nclone: ENOSYS'
    injected wait4:error=EINTR:when=2 \
        "$deny" clone3=ENOSYS,clone=EPERM,pidfd_open=ENOSYS "$PROBES/library_process" pidfd
}

@test "a report that cannot be read is waited for, through signals too" {
    command -v strace >/dev/null || skip "needs strace"
    prints $'exited with 7\nexited with 7\nexited with 7' \
        strace -o /dev/null -e trace=read,ppoll \
        -e inject=read:error=EPERM:when=3..4 -e inject=ppoll:error=EINTR:when=1 "$deny" mmap@3:33=ENOMEM "$probe" copied
}

@test "a mask that the child of a callback cannot have is told as the callback's step" {
    command -v strace >/dev/null || skip "needs strace"
    # The first call of each process: in the parent it only asks.
    prints "callback: EPERM" \
        strace -f -o /dev/null -e trace=rt_sigprocmask -e inject=rt_sigprocmask:error=EPERM:when=1 "$probe" callback
}

@test "an error of a pipe ends the child and is told" {
    EXPECTED="EIO, different, killed by SIGKILL (9)"
    failing read:error=EIO:when=3 echo
    failing write:error=EIO:when=1 echo
    EXPECTED="ENOMEM, different, killed by SIGKILL (9)"
    failing ppoll:error=ENOMEM:when=2 echo
}
