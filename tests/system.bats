#!/usr/bin/env bats
# system(): what it returns, what it does to signals meanwhile, and that it leaves everything as it was.

# Programs in single quotes are meant for another shell.
# shellcheck disable=SC2016

load helpers

shell=$PROBES/shell
look=$PROBES/look

@test "system returns the shell's wait status" {
    assert_both "system: exit 0" "$shell" system "exit 0"
    assert_both "system: exit 42" "$shell" system "exit 42"
    assert_both "system: signal KILL" "$shell" system 'kill -9 $$'
    assert_both "system: signal TERM" "$shell" system 'kill -TERM $$'
}

@test "a command that does not exist is the shell's 127" {
    assert_both "system: exit 127" "$shell" system "nosuchprogram 2>/dev/null"
    assert_both "system: exit 126" "$shell" system "/ 2>/dev/null"
}

@test "an empty command succeeds" {
    assert_both "system: exit 0" "$shell" system ""
}

@test "a command that begins with a dash is given to the shell as libc gives it" {
    assert_same "$shell" system "-x"
    assert_same "$shell" system "--version"
}

@test "system(NULL) says that there is a shell" {
    assert_both "a shell: yes" "$shell" null
}

@test "system(NULL) says that there is no shell when there is none" {
    assert_both "a shell: no" "$PROBES/deny" execve=ENOENT "$shell" null
}

@test "without a shell the status is 127" {
    assert_both $'system: exit 127\nerrno became ENOENT' "$PROBES/deny" execve=ENOENT "$shell" system "exit 0"
    assert_same "$PROBES/deny" execve=EACCES "$shell" system "exit 0"
}

@test "without processes system returns what libc returns, with the reason in errno" {
    needs_root
    assert_same "$shell" user 54321 54321 nproc 0 system "exit 0" null
    run enforced "$shell" user 54321 54321 nproc 0 system "exit 0"
    [[ $output == *EAGAIN* ]]
}

@test "without memory system returns what libc returns, with the reason in errno" {
    [ "$(uname -m)" = x86_64 ] || skip "other system calls make processes here"
    local none=clone3=ENOMEM,clone=ENOMEM,vfork=ENOMEM,fork=ENOMEM
    assert_same "$PROBES/deny" $none "$shell" system "exit 0" null
    run enforced "$PROBES/deny" $none "$shell" system "exit 0"
    [[ $output == *ENOMEM* ]]
}

@test "the command has the caller's environment, directory and standard descriptors" {
    cd "$BATS_TEST_TMPDIR"
    assert_both $'value\n'"$PWD"$'\nsystem: exit 0' "$shell" setenv NAME value enter "$PWD" system 'echo $NAME; pwd'
    assert_both $'descriptors: 0 1 2\nsystem: exit 0' "$shell" system "exec '$look' descriptors"
}

@test "the shell is called sh" {
    assert_both $'sh\nsystem: exit 0' "$shell" system 'echo $0'
}

@test "a command that is not UTF-8 passes byte for byte" {
    assert_both $'\xff\xfe\xc3\x28\nsystem: exit 0' "$shell" system $'printf "%s\\n" "\xff\xfe\xc3\x28"'
}

@test "a command of a hundred thousand bytes passes, one that is too long is what libc makes of it" {
    local filler
    filler=$(printf '%100000s' '' | tr ' ' x)
    assert_both $'done\nsystem: exit 0' "$shell" system ": $filler; echo done"
    # Longer than one argument can be, from the environment of a shell that built it.
    local program='f=$(printf "%200000s" | tr " " x); printf "%s" ": $f" >"$1"'
    sh -c "$program" sh "$BATS_TEST_TMPDIR/long"
    command -v python3 >/dev/null || skip "needs python3"
    assert_same python3 -c 'import os,sys; print(os.system(open(sys.argv[1]).read()))' "$BATS_TEST_TMPDIR/long"
}

@test "SIGINT and SIGQUIT do not reach the caller while the command runs, and its handlers are back afterwards" {
    assert_both $'system: exit 0\nhandlers ran: 0' \
        "$shell" handle INT handle QUIT system 'kill -INT $PPID; kill -QUIT $PPID; exit 0' count
}

@test "a caller without handlers survives SIGINT and SIGQUIT while the command runs" {
    assert_both $'system: exit 0' "$shell" system 'kill -INT $PPID; kill -QUIT $PPID; exit 0'
}

@test "the command itself can be interrupted" {
    assert_both $'system: signal INT' "$shell" system 'kill -INT $$; sleep 20'
    assert_both $'system: signal QUIT' "$shell" handle QUIT system 'ulimit -c 0; kill -QUIT $$; sleep 20'
}

@test "SIGINT ignored by the caller stays ignored in the command, and afterwards" {
    assert_both $'ignored: INT\nsystem: exit 0' "$shell" ignore INT system "exec '$look' ignored"
    assert_both $'ignored: INT QUIT\nsystem: exit 0\nignored: INT QUIT\nsystem: exit 0' \
        "$shell" ignore INT ignore QUIT system "exec '$look' ignored" system "exec '$look' ignored"
}

@test "other ignored signals stay ignored in the command" {
    assert_both $'ignored: HUP TERM\nsystem: exit 0' "$shell" ignore HUP ignore TERM system "exec '$look' ignored"
}

@test "the command has the caller's mask, without SIGCHLD" {
    assert_both $'blocked: none\nsystem: exit 0' "$shell" system "exec '$look' blocked"
    assert_both $'blocked: INT USR1\nsystem: exit 0' "$shell" block INT,USR1 system "exec '$look' blocked"
    assert_both $'blocked: CHLD\nsystem: exit 0' "$shell" block CHLD system "exec '$look' blocked"
}

@test "a handler of SIGCHLD runs as often as with libc" {
    assert_same "$shell" handle CHLD system "exit 0" count system "exit 1" count
}

@test "a handler that runs while the command runs does not end the wait" {
    assert_both $'system: exit 5\nhandlers ran: 2' \
        "$shell" handle USR1 system 'kill -USR1 $PPID; sleep 0.1; kill -USR1 $PPID; sleep 0.1; exit 5' count
}

@test "with SIGCHLD ignored system returns -1 with ECHILD" {
    assert_both "system: -1 ECHILD" "$shell" ignore CHLD system "exit 0"
}

@test "system takes no other child of the program away" {
    local program='import os
pid = os.posix_spawn("/bin/sh", ["sh", "-c", "exit 9"], {})
print(os.system("sleep 0.1; exit 3") >> 8)
print(os.waitpid(pid, 0)[1] >> 8)'
    command -v python3 >/dev/null || skip "needs python3"
    assert_both $'3\n9' python3 -c "$program"
}

@test "overlapping calls in threads restore dispositions and masks" {
    local expected
    expected=$(for _ in {1..6}; do echo "system: exit 7"; done)
    assert_both "$expected" "$shell" threads 6
    assert_both "$expected" "$shell" handle INT ignore QUIT handle CHLD threads 6
}

@test "a call in one thread after overlapping calls still protects the caller from SIGINT" {
    assert_both $'system: exit 7\nsystem: exit 7\nsystem: exit 0\nhandlers ran: 0' \
        "$shell" handle INT threads 2 system 'kill -INT $PPID; exit 0' count
}

@test "a thread that is cancelled in system leaves no child and no changed disposition" {
    assert_both $'the thread was cancelled: yes\nits child: gone' "$shell" cancel "$BATS_TEST_TMPDIR/pid1"
    assert_both $'the thread was cancelled: yes\nits child: gone' \
        "$shell" handle INT ignore QUIT cancel "$BATS_TEST_TMPDIR/pid2"
}

@test "the end of a command whose thread is cancelled is recorded" {
    AIRLOCK_LOG=$BATS_TEST_TMPDIR/log enforced "$shell" cancel "$BATS_TEST_TMPDIR/pid"
    grep -q '"type":"exit",.*"call":"system","child":[0-9]*,"status":"killed by SIGKILL"' "$BATS_TEST_TMPDIR/log"
}

@test "after a cancelled call the next one works" {
    assert_both $'the thread was cancelled: yes\nits child: gone\nsystem: exit 4' \
        "$shell" cancel "$BATS_TEST_TMPDIR/pid" system "exit 4"
}

@test "system works with every descriptor in use" {
    assert_both "system: exit 3" "$shell" nofile 50 fill system "exit 3"
}

@test "system works without standard descriptors" {
    assert_both "system: exit 3" "$shell" shut 0 shut 1 shut 2 system "exit 3"
}
