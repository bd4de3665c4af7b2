#!/usr/bin/env bats
# posix_spawn and posix_spawnp as functions: both versions of their symbols, arguments, results, errors.

# Programs in single quotes are meant for another shell.
# shellcheck disable=SC2016

load helpers

spawn=$PROBES/spawn
look=$PROBES/look
look_ok=$'spawn: ok\nchild: exit 0'
versions='spawn spawnp old-spawn old-spawnp'

setup() {
    cd "$BATS_TEST_TMPDIR" || return
    printf 'echo "a script: $0 $*"\n' >script
    printf '#!/bin/sh\necho "a real script: $0 $*"\n' >real
    echo data >unreadable
    chmod +x script real
    chmod 0 unreadable
    mkdir directory
}

# LINES are printed by every version of the functions.
every_version() {
    local expected=$1 version
    shift
    for version in $versions; do
        assert_both "$expected" "$spawn" call "$version" "$@"
    done
}

@test "both versions of both functions start a program and give its pid" {
    every_version "arguments: 4 [$look] [arguments] [say] []"$'\n\n'"$look_ok" -- "$look" arguments say ""
}

@test "both versions are taken over" {
    for version in $versions; do
        assert_enforced $'descriptors: 0 1 2\n'"$look_ok" "$spawn" call "$version" have 7 /dev/null -- "$look" descriptors
    done
}

@test "a child's exit code and the signal that ends it reach the parent" {
    every_version $'spawn: ok\nchild: exit 23' -- "$look" exit 23
    every_version $'spawn: ok\nchild: signal KILL' -- /bin/sh -c 'kill -9 $$'
}

@test "a file that does not exist is ENOENT" {
    every_version "spawn: ENOENT" -- /nonexistent
    every_version "spawn: ENOENT" -- nosuchprogram
}

@test "an empty name is ENOENT" {
    every_version "spawn: ENOENT" path "" -- x
}

@test "a directory is EACCES" {
    every_version "spawn: EACCES" -- "$PWD/directory"
}

@test "a file without permission is EACCES" {
    every_version "spawn: EACCES" -- "$PWD/unreadable"
}

@test "a path through a file is ENOTDIR" {
    every_version "spawn: ENOTDIR" -- "$PWD/real/x"
}

@test "a loop of links is ELOOP" {
    ln -s loop loop
    every_version "spawn: ELOOP" -- "$PWD/loop"
}

@test "a path longer than the system allows is ENAMETOOLONG" {
    local long
    long=/$(printf '%5000s' '' | tr ' ' x)
    every_version "spawn: ENAMETOOLONG" -- "$long"
}

@test "a file that is being written is ETXTBSY" {
    cp "$look" busy
    exec 9<>busy
    for version in $versions; do
        assert_both "spawn: ETXTBSY" "$spawn" call "$version" -- ./busy
    done
    exec 9>&-
}

@test "a script with #! runs" {
    every_version "a real script: $PWD/real a b"$'\n'"$look_ok" -- "$PWD/real" a b
}

@test "a text file without #! is ENOEXEC in the new version and run by the shell in the old one" {
    for version in spawn spawnp; do
        assert_both "spawn: ENOEXEC" "$spawn" call $version -- "$PWD/script" a b
    done
    [ "$(uname -m)" = x86_64 ] || skip "no older version on this architecture"
    for version in old-spawn old-spawnp; do
        assert_both "a script: $PWD/script a b"$'\n'"$look_ok" "$spawn" call $version -- "$PWD/script" a b
    done
}

@test "the old posix_spawnp runs a text file that it finds in PATH by the shell" {
    [ "$(uname -m)" = x86_64 ] || skip "no older version on this architecture"
    assert_both $'a script: script a\n'"$look_ok" "$spawn" call old-spawnp setenv PATH "$PWD:/bin" -- script a
    assert_both "spawn: ENOEXEC" "$spawn" call spawnp setenv PATH "$PWD:/bin" -- script a
}

@test "the old version gives a shell the file's own arguments, none included" {
    [ "$(uname -m)" = x86_64 ] || skip "no older version on this architecture"
    assert_both "a script: $PWD/script "$'\n'"$look_ok" "$spawn" call old-spawn path "$PWD/script" --
    local many=()
    for number in {1..2000}; do many+=("$number"); done
    assert_same "$spawn" call old-spawn -- "$PWD/script" "${many[@]}"
}

@test "an empty file is ENOEXEC in the new version and succeeds in the old one" {
    : >empty
    chmod +x empty
    assert_both "spawn: ENOEXEC" "$spawn" -- ./empty
    [ "$(uname -m)" = x86_64 ] || skip "no older version on this architecture"
    assert_both "$look_ok" "$spawn" call old-spawn -- ./empty
}

@test "a script whose interpreter is missing is ENOENT" {
    printf '#!/nonexistent/interpreter\n' >orphan
    chmod +x orphan
    every_version "spawn: ENOENT" -- "$PWD/orphan"
}

@test "arguments and environment that are too long are E2BIG" {
    every_version "spawn: E2BIG" huge 3000000 -- "$look"
    assert_both "spawn: E2BIG" "$spawn" resetids huge 3000000 -- "$look"
}

@test "argv without a single entry starts the program as the kernel allows it" {
    assert_both $'arguments: 1 []\n'"$look_ok" "$spawn" setenv LOOK arguments path "$look" --
}

@test "argv NULL, which ends the caller of libc with SIGSEGV, is at worst the same" {
    run plain "$spawn" how no-argv path "$look" --
    [ "$status" -eq 139 ]
    run enforced "$spawn" how no-argv path "$look" --
    # The kernel takes it for an argv without entries.
    [ "$status" -eq 139 ] || assert_lines "arguments: 1 []" "spawn: ok" "child: exit 0"
}

@test "envp NULL is an empty environment" {
    assert_both $'environment: empty\n'"$look_ok" "$spawn" how no-envp -- "$look" environment
}

@test "an empty envp is an empty environment" {
    assert_both $'environment: empty\n'"$look_ok" "$spawn" how empty-envp -- "$look" environment
}

@test "an explicit envp reaches the child as it is, in its order, duplicates included" {
    assert_both $'environment: B=2\nenvironment: A=1\nenvironment: B=3\nenvironment: not an assignment\n'"$look_ok" \
        "$spawn" envp B=2 envp A=1 envp B=3 envp "not an assignment" -- "$look" environment
}

@test "an explicit envp is not enlarged: what the user did not put there is not there" {
    run enforced "$spawn" envp A=1 -- /usr/bin/env
    assert_lines A=1 "spawn: ok" "child: exit 0"
}

@test "arguments and environment that are not UTF-8 pass byte for byte" {
    assert_both $'\xff\xfe\x80\n'"environment: A="$'\xc3\x28\n'"$look_ok" \
        "$spawn" envp A=$'\xc3\x28' -- "$look" say $'\xff\xfe\x80' environment
}

@test "the child's first argument need not be its path" {
    assert_both $'arguments: 2 [another name] [arguments]\n'"$look_ok" "$spawn" path "$look" -- "another name" arguments
}

@test "a NULL pid is allowed" {
    every_version $'hello\n'"$look_ok" how no-pid -- "$look" say hello
    every_version "spawn: ENOENT" how no-pid -- /nonexistent
}

@test "the pid is not written when no child was made" {
    # The probe says so when it was.
    every_version "spawn: ENOENT" -- /nonexistent
    assert_both "spawn: EBADF" "$spawn" dup2 77 5 -- "$look"
    assert_both "spawn: ENOENT" "$spawn" resetids -- /nonexistent
}

@test "errno is left alone, also by a spawn that fails" {
    assert_enforced "spawn: ENOENT" "$spawn" how errno -- /nonexistent
    assert_enforced "spawn: ENOENT" "$spawn" call spawnp how errno -- nosuchprogram
    assert_enforced "spawn: ENOENT" "$spawn" resetids how errno -- /nonexistent
    assert_enforced "spawn: EBADF" "$spawn" how errno dup2 77 5 -- "$look"
    assert_enforced "$look_ok" "$spawn" how errno -- "$look" exit 0
}

@test "a failing spawn leaves no zombie" {
    # The probe says so when there is one.
    assert_both "$(for _ in {1..20}; do echo "spawn: ENOENT"; done)" "$spawn" times 20 -- /nonexistent
    assert_both "$(for _ in {1..20}; do echo "spawn: EBADF"; done)" "$spawn" times 20 resetids dup2 77 5 -- "$look"
}

@test "a spawn with SIGCHLD ignored succeeds, and the kernel reaps the child" {
    assert_both $'hello\nspawn: ok\nwait: ECHILD' "$spawn" ignore CHLD -- "$look" say hello
}

@test "a failing spawn with SIGCHLD ignored returns its error" {
    assert_both "spawn: ENOENT" "$spawn" ignore CHLD -- /nonexistent
    assert_both "spawn: ENOENT" "$spawn" resetids ignore CHLD -- /nonexistent
}

@test "a failing spawn takes no child of the program away" {
    # sh starts a child of its own, then becomes the probe, whose child it stays.
    run enforced sh -c 'sh -c "exit 9" & exec "$0" "$@"' "$spawn" times 3 -- /nonexistent
    [[ $output == *"spawn: ENOENT"* ]]
    [[ $output == *"a zombie was left behind: exit 9"* || $output == *"a running child was left behind"* ]]
}

@test "when no process can be made the error is libc's and nothing is left behind" {
    [ "$(uname -m)" = x86_64 ] || skip "other system calls make processes here"
    local none=clone3=EAGAIN,clone=EAGAIN,vfork=EAGAIN,fork=EAGAIN
    assert_both "spawn: EAGAIN" "$PROBES/deny" $none "$spawn" -- "$look"
    assert_both "spawn: EAGAIN" "$PROBES/deny" $none "$spawn" resetids -- "$look"
    assert_both "spawn: ENOMEM" "$PROBES/deny" "${none//EAGAIN/ENOMEM}" "$spawn" -- "$look"
}

@test "a user without processes left gets EAGAIN" {
    needs_root
    assert_both "spawn: EAGAIN" "$spawn" user 54321 54321 nproc 0 -- /bin/true
    assert_both "spawn: EAGAIN" "$spawn" resetids user 54321 54321 nproc 0 -- /bin/true
}

@test "an error of exec that is none of the usual ones arrives unchanged" {
    for code in EIO ENOMEM EMFILE EPERM EINVAL ELIBBAD; do
        assert_both "spawn: $code" "$PROBES/deny" execve=$code "$spawn" -- "$look"
        assert_both "spawn: $code" "$PROBES/deny" execve=$code "$spawn" call spawnp setenv PATH /bin:/usr/bin -- true
    done
}

@test "pidfd_spawn gives a close-on-exec descriptor of the child" {
    run enforced "$PROBES/pidfd" "$look" exit 5
    [ "$output" != "no such function" ] || skip "no pidfd_spawn in this libc"
    assert_lines "spawn: ok" "close-on-exec: yes" "child: exit 5"
    assert_enforced $'spawn: ok\nclose-on-exec: yes\nchild: exit 0' "$PROBES/pidfd" -p true
}

@test "pidfd_spawn that fails leaves neither child nor descriptor" {
    run enforced "$PROBES/pidfd" /nonexistent
    [ "$output" != "no such function" ] || skip "no pidfd_spawn in this libc"
    assert_lines "spawn: ENOENT"
}

@test "pidfd_spawn says EMFILE when it has no number for its descriptor, and leaves no child" {
    run enforced "$PROBES/pidfd" full /bin/true
    [ "$output" != "no such function" ] || skip "no pidfd_spawn in this libc"
    assert_lines "spawn: EMFILE"
}

@test "a thread with the smallest stack spawns" {
    assert_both $'spawnp: ok\nchild: exit 0' "$PROBES/threads" small
}

@test "a thread with the smallest stack spawns with a PATH and a name of the greatest length" {
    local element path=
    element=/$(printf '%200s' '' | tr ' ' x)
    for _ in {1..19}; do path+=$element:; done
    assert_both $'spawnp: ok\nchild: exit 0' env PATH="$path/bin" "$PROBES/threads" small
}

@test "two threads that spawn at once get each its own children" {
    assert_both $'thread 0: 100 right\nthread 1: 100 right' "$PROBES/threads" two 100
}

@test "posix_spawn is no cancellation point" {
    assert_both $'posix_spawn returned: ok\nthe thread was cancelled: yes' "$PROBES/threads" pending
}

@test "threads that are cancelled while they spawn end, and their children are what they should be" {
    assert_both "threads that ended: 60" "$PROBES/threads" cancel 60
}

@test "a thread spawns while another changes its user, for which libc signals every thread" {
    assert_both "right: 150" "$PROBES/threads" setuid 150
}

@test "another thread that forks at any moment never holds a pipe that it would pass on" {
    assert_both "children that held an inheritable pipe: 0" "$PROBES/forker" 150
}
