#!/usr/bin/env bats
# Descriptors: the child has 0 to 2, what an action names, what the user keeps, and nothing else, on every kernel and
# from every parent; and the parent keeps all of its own.

# Programs in single quotes are meant for another shell.
# shellcheck disable=SC2016

bats_require_minimum_version 1.5.0
load helpers

spawn=$PROBES/spawn
shell=$PROBES/shell
stream=$PROBES/stream
look=$PROBES/look
deny=$PROBES/deny
look_ok=$'spawn: ok\nchild: exit 0'

setup() {
    cd "$BATS_TEST_TMPDIR" || return
    echo text >file
}

# Old kernels and strict containers, one set of rules a line: what refuses to make or to seal a child.
denials() {
    local code
    for code in ENOSYS EPERM EINVAL EOPNOTSUPP; do
        echo "clone3=$code"
        echo "close_range=$code"
        echo "clone3=$code,close_range=$code"
    done
    echo 'close_range@2&2=EINVAL'
    echo 'close_range@2&2=EPERM'
    echo 'close_range@2&4=EINVAL'
    echo 'clone3=ENOSYS,close_range@2&2=ENOSYS'
    echo 'pidfd_open=ENOSYS,pidfd_getfd=ENOSYS'
    echo 'pidfd_getfd=EPERM'
    echo 'pidfd_open=EPERM'
    [ "$(uname -m)" = x86_64 ] || return 0
    echo 'clone3=ENOSYS,clone@0&4000=EPERM'
    echo 'clone3=ENOSYS,clone@0&400=EPERM'
    echo 'clone3=EPERM,clone=EPERM'
    echo 'clone3=EPERM,clone@0&100=EPERM,vfork=EPERM'
    echo 'clone3=EPERM,clone@0&100=EPERM,vfork=EPERM,close_range=EPERM'
}

# The calls (a list of strace's) of the child that CMD makes under airlock, one a line.
traced() {
    local calls=$1
    shift
    # The parent is known by its own execve, which comes first.
    (become_clean strace -qq -f -e signal=none -e trace="execve,$calls" -o trace -E LD_PRELOAD="$PRELOAD" "$@" >/dev/null)
    awk -v calls="$calls" 'NR == 1 { parent = $1 } $1 != parent && (calls == "execve" || !/execve/)' trace | sed -E 's/^[0-9]+ +//; /resumed>/d; s/ *(<unfinished|=) .*//'
}

@test "the child keeps 0 to 2 and nothing else" {
    assert_enforced $'descriptors: 0 1 2\n'"$look_ok" "$spawn" have 7 file many 30 have 900 file -- "$look" descriptors
    run plain "$spawn" have 7 file -- "$look" descriptors
    assert_lines "descriptors: 0 1 2 7" "spawn: ok" "child: exit 0"
}

@test "what lies between the descriptors that the child needs is closed before its first action, not at exec" {
    command -v strace >/dev/null || skip "needs strace"
    # Else another thread could not execute a program that it has written through one of them (ETXTBSY).
    run -0 traced close_range,dup2 "$spawn" have 3 file have 4 file have 9 file dup2 9 1 -- /bin/true
    # 6 is where the report goes; 9 is needed.
    assert_lines "close_range(10, 4294967295, CLOSE_RANGE_UNSHARE)" "close_range(3, 5, 0)" "close_range(7, 8, 0)" \
        "dup2(9, 1)" "close_range(3, 4294967295, CLOSE_RANGE_CLOEXEC)"
    # What is kept costs no second call.
    AIRLOCK_KEEP=4,9 run -0 traced close_range "$spawn" have 3 file have 4 file have 9 file -- /bin/true
    assert_lines "close_range(10, 4294967295, CLOSE_RANGE_UNSHARE)" "close_range(3, 3, 0)" "close_range(5, 5, 0)" \
        "close_range(7, 8, 0)" "close_range(5, 8, CLOSE_RANGE_CLOEXEC)"
}

@test "a program that is open for writing is tried again for a moment, and then the answer is libc's" {
    command -v strace >/dev/null || skip "needs strace"
    printf '#!/bin/sh\n' >script
    chmod +x script
    exec 8>>script
    assert_both "spawn: ETXTBSY" "$spawn" -- ./script
    run -0 traced execve "$spawn" -- ./script
    [ "${#lines[@]}" -eq 21 ]
    exec 8>&-
    assert_both $'spawn: ok\nchild: exit 0' "$spawn" -- ./script
}

@test "the children of system and popen keep 0 to 2 and nothing else" {
    assert_enforced $'descriptors: 0 1 2\nsystem: exit 0' "$shell" have 7 file many 30 system "exec '$look' descriptors"
    assert_enforced $'popen: ok\ndescriptors: 0 1 2\npclose: exit 0' \
        "$stream" have 7 file many 30 popen r "exec '$look' descriptors" read 0 pclose 0
    run only_stderr "$stream" have 7 file many 30 popen w "exec '$look' stderr descriptors" pclose 0
    assert_lines "descriptors: 0 1 2"
}

@test "a child that is made by fork keeps 0 to 2 and nothing else" {
    assert_enforced $'descriptors: 0 1 2\n'"$look_ok" "$spawn" resetids have 7 file many 30 -- "$look" descriptors
}

@test "the targets of dup2 and open actions are kept" {
    assert_enforced $'descriptors: 0 1 2 9 300 4000\n'"$look_ok" \
        "$spawn" many 10 dup2 3 9 open 300 file r dup2 4 4000 -- "$look" descriptors
}

@test "a target that a later action closes is not kept" {
    assert_enforced $'descriptors: 0 1 2\n'"$look_ok" "$spawn" many 10 dup2 3 9 close 9 -- "$look" descriptors
}

@test "dup2 of a descriptor onto itself is a way to keep it" {
    assert_enforced $'descriptors: 0 1 2 7\n'"$look_ok" \
        "$spawn" have 7 file have 8 file dup2 7 7 -- "$look" descriptors
}

@test "the source of a dup2 action is not kept" {
    assert_enforced $'descriptors: 0 1 2 9\n'"$look_ok" "$spawn" have 7 file dup2 7 9 -- "$look" descriptors
}

@test "AIRLOCK_KEEP keeps the numbers and ranges that it names" {
    AIRLOCK_KEEP=5,7-9 assert_enforced $'descriptors: 0 1 2 5 7 8 9\n'"$look_ok" "$spawn" many 30 -- "$look" descriptors
    AIRLOCK_KEEP=9,5,7-8,8-9,5 assert_enforced $'descriptors: 0 1 2 5 7 8 9\n'"$look_ok" \
        "$spawn" many 30 -- "$look" descriptors
    AIRLOCK_KEEP=3000 assert_enforced $'descriptors: 0 1 2 3000\n'"$look_ok" \
        "$spawn" many 30 have 3000 file have 3001 file -- "$look" descriptors
}

@test "AIRLOCK_KEEP holds for system and popen too" {
    AIRLOCK_KEEP=7 assert_enforced $'descriptors: 0 1 2 7\nsystem: exit 0' \
        "$shell" have 7 file have 8 file system "exec '$look' descriptors"
    AIRLOCK_KEEP=7 assert_enforced $'popen: ok\ndescriptors: 0 1 2 7\npclose: exit 0' \
        "$stream" have 7 file have 8 file popen re "exec '$look' descriptors" read 0 pclose 0
}

@test "AIRLOCK_KEEP may name what is not open, and does not open close-on-exec descriptors to the child" {
    AIRLOCK_KEEP=50,7-8 assert_enforced $'descriptors: 0 1 2 7\n'"$look_ok" \
        "$spawn" have 7 file have-cloexec 8 file have 9 file -- "$look" descriptors
}

@test "AIRLOCK_KEEP=all keeps what the parent would pass on" {
    AIRLOCK_KEEP=all assert_both $'descriptors: 0 1 2 7 4000\n'"$look_ok" \
        "$spawn" have 7 file have 4000 file have-cloexec 8 file -- "$look" descriptors
}

@test "a kept descriptor is still the same file at the same place" {
    printf 'first\nsecond\n' >lines
    AIRLOCK_KEEP=7 assert_enforced $'descriptor 7: '"$PWD/lines "$'\n'"$look_ok" "$spawn" have 7 lines -- "$look" target 7
}

@test "in modes audit and off nothing is sealed" {
    for mode in audit off; do
        AIRLOCK_MODE=$mode assert_both $'descriptors: 0 1 2 7 900\n'"$look_ok" \
            "$spawn" have 7 file have 900 file have-cloexec 8 file -- "$look" descriptors
        AIRLOCK_MODE=$mode assert_both $'descriptors: 0 1 2 7\nsystem: exit 0' \
            "$shell" have 7 file system "exec '$look' descriptors"
    done
}

@test "mode enforce is the default and can be named" {
    AIRLOCK_MODE=enforce assert_enforced $'descriptors: 0 1 2\n'"$look_ok" "$spawn" have 7 file -- "$look" descriptors
}

@test "a parent without standard descriptors has children without them" {
    run enforced "$spawn" shut 0 have 7 file -- "$look" descriptors
    assert_lines "descriptors: 1 2" "spawn: ok" "child: exit 0"
    run enforced "$spawn" resetids shut 0 have 7 file -- "$look" descriptors
    assert_lines "descriptors: 1 2" "spawn: ok" "child: exit 0"
}

@test "thousands of descriptors are sealed" {
    assert_enforced $'descriptors: 0 1 2\n'"$look_ok" "$spawn" many 3000 -- "$look" descriptors
}

@test "the parent keeps all its descriptors and their flags" {
    # The probe compares and says so when one changed.
    assert_both "$look_ok" "$spawn" have 7 file have-cloexec 8 file many 500 dup2 7 1000 close 8 closefrom 3 -- "$look" exit 0
    assert_both "spawn: ENOENT" "$spawn" have 7 file have-cloexec 8 file many 500 closefrom 3 -- /nonexistent
    assert_both "spawn: ENOENT" "$spawn" resetids have 7 file have-cloexec 8 file closefrom 3 -- /nonexistent
}

@test "the parent keeps its fcntl locks" {
    assert_both "$look_ok"$'\nthe parent\'s lock: held' "$spawn" lock lockfile -- "$look" exit 0
    assert_both "$look_ok"$'\nthe parent\'s lock: held' "$spawn" lock lockfile closefrom 3 -- "$look" exit 0
    assert_both $'spawn: ENOENT\nthe parent\'s lock: held' "$spawn" lock lockfile -- /nonexistent
    assert_both "$look_ok"$'\nthe parent\'s lock: held' "$spawn" resetids lock lockfile closefrom 3 -- "$look" exit 0
}

@test "with every descriptor in use a spawn works, and still says ENOENT" {
    assert_enforced $'descriptors: 0 1 2\n'"$look_ok" "$spawn" nofile 50 fill -- "$look" descriptors
    assert_both "spawn: ENOENT" "$spawn" nofile 50 fill -- /nonexistent
    assert_both "spawn: ENOENT" "$spawn" call spawnp nofile 50 fill -- nosuchprogram
}

@test "with every descriptor in use a spawn that changes ids works, and still says ENOENT" {
    assert_both "$look_ok" "$spawn" resetids nofile 50 fill -- "$look" exit 0
    assert_both "spawn: ENOENT" "$spawn" resetids nofile 50 fill -- /nonexistent
}

@test "a limit below the descriptors in use does not stop the seal" {
    assert_enforced $'descriptors: 0 1 2\n'"$look_ok" "$spawn" many 100 have 900 file nofile 10 -- "$look" descriptors
    assert_enforced $'descriptors: 0 1 2\n'"$look_ok" \
        "$deny" close_range=ENOSYS "$spawn" many 100 have 900 file nofile 10 -- "$look" descriptors
}

@test "a source descriptor with a high number reaches the child" {
    local expected=$'descriptors: 0 1 2 9\ndescriptor 9: '"$PWD/file "$'\n'"$look_ok"
    assert_enforced "$expected" "$spawn" many 3000 have 5000 file dup2 5000 9 -- "$look" descriptors target 9
    assert_enforced "$expected" "$spawn" many 3000 have-cloexec 5000 file dup2 5000 9 -- "$look" descriptors target 9
    assert_enforced "$expected" "$spawn" resetids many 3000 have 5000 file dup2 5000 9 -- "$look" descriptors target 9
}

@test "a pipe with a high number reaches the child" {
    assert_enforced $'descriptors: 0 1 2 9\ndescriptor 9: pipe: \n'"$look_ok" \
        "$spawn" many 3000 pipe 5000 5001 dup2 5001 9 -- "$look" descriptors target 9
}

@test "a high source descriptor reaches the child where it cannot be fetched" {
    local expected=$'descriptors: 0 1 2 9\ndescriptor 9: '"$PWD/file "$'\n'"$look_ok" rules
    for rules in pidfd_getfd=EPERM pidfd_getfd=ENOSYS pidfd_open=ENOSYS pidfd_open=EPERM,pidfd_getfd=EPERM; do
        assert_enforced "$expected" \
            "$deny" $rules "$spawn" many 3000 have 5000 file dup2 5000 9 -- "$look" descriptors target 9
        assert_enforced $'descriptors: 0 1 2 9\ndescriptor 9: pipe: \n'"$look_ok" \
            "$deny" $rules "$spawn" many 3000 pipe 5000 5001 dup2 5001 9 -- "$look" descriptors target 9
    done
}

@test "a high number that is not open is EBADF as a source" {
    assert_both "spawn: EBADF" "$spawn" many 3000 dup2 5000 9 -- "$look" descriptors
}

@test "high numbers as targets, in fchdir and in close actions mean what they say" {
    mkdir place
    assert_enforced $'descriptors: 0 1 2 6000\ndirectory: '"$PWD/place"$'\n'"$look_ok" \
        "$spawn" many 3000 have 5000 place fchdir 5000 dup2 4 6000 close 5000 -- "$look" descriptors directory
    AIRLOCK_KEEP=all assert_both $'descriptors: 0 1 2 5001\n'"$look_ok" \
        "$spawn" have 5000 file have 5001 file close 5000 -- "$look" descriptors
}

@test "a descriptor that moves through high numbers arrives" {
    assert_enforced $'descriptors: 0 1 2 9\ndescriptor 9: '"$PWD/file "$'\n'"$look_ok" \
        "$spawn" many 3000 have 9000 file dup2 9000 7000 dup2 7000 5000 close 7000 dup2 5000 9 close 5000 -- \
        "$look" descriptors target 9
}

@test "a high descriptor is kept when AIRLOCK_KEEP names it among thousands" {
    AIRLOCK_KEEP=5000 assert_enforced $'descriptors: 0 1 2 5000\ndescriptor 5000: '"$PWD/file "$'\n'"$look_ok" \
        "$spawn" many 3000 have 5000 file -- "$look" descriptors target 5000
}

@test "a program that is named by its descriptor runs" {
    for path in /proc/self/fd/7 /dev/fd/7; do
        assert_both $'hello\n'"$look_ok" "$spawn" have 7 "$look" -- $path say hello
        assert_both $'hello\n'"$look_ok" "$spawn" have-cloexec 7 "$look" -- $path say hello
        assert_enforced $'descriptors: 0 1 2\n'"$look_ok" "$spawn" many 10 have-cloexec 7 "$look" -- $path descriptors
    done
}

@test "a program that is named by a high descriptor runs" {
    assert_both $'hello\n'"$look_ok" "$spawn" many 3000 have 5000 "$look" -- /proc/self/fd/5000 say hello
    assert_both $'hello\n'"$look_ok" "$spawn" many 3000 have 5000 "$look" -- /dev/fd/5000 say hello
}

@test "a program that an action put on a descriptor runs by that name" {
    assert_both $'hello\n'"$look_ok" "$spawn" have 7 "$look" dup2 7 60 close 7 -- /proc/self/fd/60 say hello
    assert_both $'hello\n'"$look_ok" "$spawn" open 60 "$look" r -- /dev/fd/60 say hello
}

@test "a script that is named by its descriptor runs" {
    printf '#!/bin/sh\necho "the script runs"\n' >script
    chmod +x script
    assert_both $'the script runs\n'"$look_ok" "$spawn" have 7 script -- /proc/self/fd/7
    assert_both $'the script runs\n'"$look_ok" "$spawn" have 7 script -- /dev/fd/7
    # The interpreter cannot open what is close-on-exec, with libc either.
    assert_same "$spawn" have-cloexec 7 script -- /dev/fd/7
}

@test "a directory that is named by a descriptor is a place of programs" {
    mkdir place
    cp "$look" place/program
    assert_both $'hello\n'"$look_ok" "$spawn" have 7 place -- /proc/self/fd/7/program say hello
    assert_both $'hello\n'"$look_ok" "$spawn" call spawnp setenv PATH /proc/self/fd/7 have 7 place -- program say hello
    assert_both $'hello\n'"$look_ok" "$spawn" have 7 place chdir /proc/self/fd/7 -- ./program say hello
}

@test "whatever system call is refused, the child is sealed and the same" {
    local rules
    denials | while read -r rules; do
        echo "denied: $rules"
        assert_enforced $'descriptors: 0 1 2 9\ndescriptor 9: '"$PWD/file "$'\n'"$look_ok" \
            "$deny" "$rules" "$spawn" many 300 have 700 file dup2 700 9 -- "$look" descriptors target 9 || return 1
    done
}

@test "whatever system call is refused, errors arrive and leave nothing behind" {
    local rules
    denials | while read -r rules; do
        echo "denied: $rules"
        assert_enforced $'spawn: ENOENT\nspawn: ENOENT' "$deny" "$rules" "$spawn" times 2 many 300 -- /nonexistent || return 1
        assert_enforced "spawn: EBADF" "$deny" "$rules" "$spawn" many 300 dup2 600 9 -- "$look" || return 1
    done
}

@test "whatever system call is refused, system and popen work and are sealed" {
    local rules
    denials | while read -r rules; do
        echo "denied: $rules"
        assert_enforced $'descriptors: 0 1 2\nsystem: exit 0' \
            "$deny" "$rules" "$shell" many 300 system "exec '$look' descriptors" || return 1
        assert_enforced $'popen: ok\ndescriptors: 0 1 2\npclose: exit 0' \
            "$deny" "$rules" "$stream" many 300 popen r "exec '$look' descriptors" read 0 pclose 0 || return 1
    done
}

@test "whatever system call is refused, a spawn works with every descriptor in use" {
    local rules
    denials | while read -r rules; do
        echo "denied: $rules"
        assert_enforced $'descriptors: 0 1 2\n'"$look_ok" \
            "$deny" "$rules" "$spawn" nofile 50 fill -- "$look" descriptors || return 1
    done
}

@test "where a high descriptor may not be fetched popen opens its pipe anew, and copies nothing" {
    # The first child has a pipe for its report, whose high number makes a copy cheaper: the second one tells.
    AIRLOCK_LOG="$BATS_TEST_TMPDIR/log" run enforced "$deny" pidfd_getfd=EPERM "$stream" many 3000 \
        popen r "exec '$look' descriptors" read 0 pclose 0 popen r "exec '$look' descriptors" read 1 pclose 1
    [ "$status" -eq 0 ]
    [ "$(grep -c '^descriptors: 0 1 2$' <<<"$output")" -eq 2 ]
    [ "$(grep -c '"call":"popen".*"cut":true.*"fetched":1,' "$BATS_TEST_TMPDIR/log")" -eq 1 ]
}

@test "where close_range is missing thousands of descriptors are sealed, none skipped" {
    assert_enforced $'descriptors: 0 1 2 2500\n'"$look_ok" \
        "$deny" close_range=ENOSYS "$spawn" many 5000 dup2 3 2500 -- "$look" descriptors
    AIRLOCK_KEEP=4000-4002 assert_enforced $'descriptors: 0 1 2 4000 4001 4002\n'"$look_ok" \
        "$deny" close_range=EPERM "$spawn" many 5000 -- "$look" descriptors
}

@test "where nothing can seal the child is not started" {
    run enforced "$deny" close_range=ENOSYS,getdents64=ENOSYS "$spawn" have 7 file -- "$look" descriptors
    [[ $output == "spawn: E"* ]]
    [ "${#lines[@]}" -eq 1 ]
    run enforced "$deny" close_range=EPERM,getdents64=EPERM "$spawn" resetids have 7 file -- "$look" descriptors
    [[ $output == "spawn: E"* ]]
    [ "${#lines[@]}" -eq 1 ]
}

@test "without /proc the child is sealed by close_range alone" {
    unshare -m true 2>/dev/null || skip "needs the right to unshare"
    run enforced unshare -m sh -c 'mount -t tmpfs none /proc && exec "$0" "$@"' \
        "$spawn" many 3000 have 5000 file dup2 5000 9 -- "$look" descriptors
    assert_lines "descriptors: 0 1 2 9" "spawn: ok" "child: exit 0"
}

@test "without /proc and close_range the child is not started" {
    unshare -m true 2>/dev/null || skip "needs the right to unshare"
    run enforced unshare -m sh -c 'mount -t tmpfs none /proc && exec "$0" "$@"' \
        "$deny" close_range=ENOSYS "$spawn" have 7 file -- "$look" descriptors
    [[ $output == "spawn: E"* ]]
    [ "${#lines[@]}" -eq 1 ]
}

@test "without /proc a program runs as with libc in the modes that seal nothing" {
    unshare -m true 2>/dev/null || skip "needs the right to unshare"
    AIRLOCK_MODE=audit assert_same unshare -m sh -c 'mount -t tmpfs none /proc && exec "$0" "$@"' \
        "$deny" close_range=ENOSYS "$spawn" have 7 file -- "$look" descriptors
}

@test "whether the kernel cuts a table rightly is looked at when it can be seen, and once" {
    command -v strace >/dev/null || skip "needs strace"
    # CVE-2024-45025 needs 64 numbers in a row that are open.
    run -0 traced fcntl "$spawn" many 50 times 3 -- /bin/true
    assert_lines "fcntl(64, F_GETFD)" "fcntl(64, F_GETFD)" "fcntl(64, F_GETFD)"
    run -0 traced fcntl "$spawn" many 300 times 3 -- /bin/true
    # The first child's table goes up to its report, above which nothing is open.
    [ "$(grep -c F_GETFD <<<"$output")" -eq 65 ]
    [ "$(grep -v F_GETFD <<<"$output")" = "fcntl(0, F_DUPFD_CLOEXEC, 64)" ]
}

@test "under a kernel that cuts wrongly children get a copy of the whole table, sealed" {
    run -0 enforced env AIRLOCK_LOG="$PWD/log" "$deny" fcntl@2:64=EMFILE \
        "$spawn" many 250 times 4 -- "$look" descriptors
    [ "$(sort -u <<<"$output")" = $'child: exit 0\ndescriptors: 0 1 2\nspawn: ok' ]
    # The second child is the first that has the junk in front of it; it is made again, and the others know.
    [ "$(grep -o '"cut":[a-z]*' log | tr '\n' ' ')" = '"cut":true "cut":false "cut":false "cut":false ' ]
}

@test "the numbers that are free in the child are free: it opens the lowest" {
    assert_enforced $'lowest free: 3\n'"$look_ok" "$spawn" many 300 -- "$look" lowest
    assert_enforced $'lowest free: 3\n'"$look_ok" "$spawn" many 300 dup2 4 9 -- "$look" lowest
    assert_enforced $'lowest free: 3\n'"$look_ok" "$spawn" many 3000 have 5000 file dup2 5000 9 -- "$look" lowest
    assert_enforced $'lowest free: 0\n'"$look_ok" "$spawn" many 300 close 0 -- "$look" lowest
    assert_enforced $'lowest free: 4\n'"$look_ok" "$spawn" many 300 dup2 9 3 -- "$look" lowest
}
