#!/usr/bin/env bats
# popen, pclose, and fclose of a stream that popen made.

# Programs in single quotes are meant for another shell.
# shellcheck disable=SC2016

load helpers

stream=$PROBES/stream
look=$PROBES/look

@test "mode r reads what the command writes" {
    assert_both $'popen: ok\nhello\npclose: exit 0' "$stream" popen r "echo hello" read 0 pclose 0
}

@test "mode w writes what the command reads" {
    assert_both $'popen: ok\nhello\npclose: exit 0' "$stream" popen w cat write 0 hello pclose 0
}

@test "e may stand before or after r and w" {
    for mode in re er we ew; do
        assert_both $'popen: ok\nclose-on-exec: yes\npclose: exit 3' "$stream" popen $mode "exit 3" flags 0 pclose 0
    done
}

@test "without e the parent's end has the flag that libc gives it" {
    for mode in r w; do
        assert_both $'popen: ok\nclose-on-exec: no\npclose: exit 3' "$stream" popen $mode "exit 3" flags 0 pclose 0
    done
}

@test "modes that libc does not accept are EINVAL, and leave nothing behind" {
    for mode in rw wr "" e x r+ rb rwe rex "r," "R"; do
        assert_both "popen: EINVAL" "$stream" popen "$mode" "exit 3" children
    done
}

@test "repeated letters of a mode are what libc makes of them" {
    for mode in rr ww ree eer rrr; do
        assert_same "$stream" popen $mode "exit 3" flags 0 pclose 0
    done
}

@test "the stream has the number that libc gives it" {
    assert_same "$stream" popen r "exit 3" number 0 popen w "exit 4" number 1 pclose 0 pclose 1
    assert_same "$stream" shut 0 popen r "exit 3" number 0 pclose 0
    assert_same "$stream" shut 0 shut 1 popen w "exit 3" number 0 pclose 0
}

@test "pclose returns the wait status" {
    assert_both $'popen: ok\npclose: exit 42' "$stream" popen r "exit 42" pclose 0
    assert_both $'popen: ok\npclose: signal KILL' "$stream" popen r 'kill -9 $$' pclose 0
    assert_both $'popen: ok\npclose: exit 127' "$stream" popen r 'nosuchprogram 2>/dev/null' pclose 0
}

@test "fclose of a popen stream reaps the child and returns its wait status" {
    assert_both $'popen: ok\nfclose: exit 42' "$stream" popen r "exit 42" fclose 0 children
    assert_both $'popen: ok\nfclose: signal TERM' "$stream" popen w 'kill -TERM $$' fclose 0 children
}

@test "fclose of any other stream is libc's" {
    assert_both $'fopen: ok\nfclose: exit 0' "$stream" fopen /dev/null r fclose 0
}

@test "fclose of a stream whose last bytes cannot be written says so" {
    [ -e /dev/full ] || skip "no /dev/full"
    assert_same python3 -c '
import ctypes
c = ctypes.CDLL(None, use_errno=True)
c.fopen.restype = ctypes.c_void_p
f = c.fopen(b"/dev/full", b"w")
c.fputs(b"x", ctypes.c_void_p(f))
print(c.fclose(ctypes.c_void_p(f)), ctypes.get_errno())'
}

@test "pclose of a stream that popen did not make answers as libc does" {
    assert_same "$stream" fopen /dev/null r pclose 0
}

@test "closing streams in another order than they were made works" {
    assert_both $'popen: ok\npopen: ok\npopen: ok\npclose: exit 2\nfclose: exit 3\npclose: exit 1' \
        "$stream" popen r "exit 1" popen w "exit 2" popen r "exit 3" pclose 1 fclose 2 pclose 0 children
}

@test "many streams are open at once, and each is closed with its own status" {
    local words=() expected=()
    for number in {0..39}; do words+=(popen r "exit $number"); expected+=("popen: ok"); done
    for number in {39..0}; do words+=(pclose "$number"); expected+=("pclose: exit $number"); done
    assert_both "$(printf '%s\n' "${expected[@]}")" "$stream" "${words[@]}" children
}

@test "pclose goes on waiting when a handler interrupts it" {
    assert_both $'popen: ok\npclose: exit 3\na handler ran: yes' \
        "$stream" popen r "sleep 0.15; exit 3" interrupt 0 count
}

@test "with SIGCHLD ignored pclose returns -1 with ECHILD" {
    assert_both $'popen: ok\npclose: -1 ECHILD' "$stream" ignore CHLD popen r "exit 3" pclose 0
}

@test "popen and pclose are no cancellation points" {
    assert_both $'popen returned\npclose: exit 3' "$stream" pending popen
    assert_both "pclose returned" "$stream" pending pclose
}

@test "popen fails when the shell cannot be executed, with libc's errno, and leaves nothing behind" {
    for code in ENOENT EACCES ENOEXEC; do
        assert_same "$PROBES/deny" execve=$code "$stream" popen r "exit 3" children popen we "exit 3" children
        run enforced "$PROBES/deny" execve=$code "$stream" popen r "exit 3"
        [[ $output == "popen: E"* ]]
    done
}

@test "popen fails without processes, and leaves nothing behind" {
    [ "$(uname -m)" = x86_64 ] || skip "other system calls make processes here"
    assert_same "$PROBES/deny" clone3=EAGAIN,clone=EAGAIN,vfork=EAGAIN,fork=EAGAIN \
        "$stream" popen r "exit 3" popen w "exit 3" children
}

@test "popen with every descriptor in use is EMFILE" {
    assert_both $'popen: EMFILE\npopen: EMFILE' "$stream" nofile 50 fill popen r "exit 3" popen w "exit 3" children
}

@test "popen with one free descriptor is EMFILE and leaves it free" {
    assert_both "popen: EMFILE" "$stream" nofile 50 fill shut 20 popen r "exit 3" children
}

@test "popen with two free descriptors works and leaves one free for the program" {
    assert_both $'popen: ok\nhello\nfopen: ok\npclose: exit 0' \
        "$stream" nofile 50 fill shut 20 shut 21 popen r "echo hello" read 0 fopen /dev/null r pclose 0
}

@test "a popen child does not hold an earlier popen stream" {
    local words=(popen r "exec sleep 0.1" popen w "cat >/dev/null" popen r "exec '$look' descriptors" read 2)
    for mode in enforce audit off; do
        AIRLOCK_MODE=$mode AIRLOCK_KEEP=all assert_both \
            $'popen: ok\npopen: ok\npopen: ok\ndescriptors: 0 1 2\npclose: exit 0\npclose: exit 0\npclose: exit 0' \
            "$stream" "${words[@]}" pclose 0 pclose 1 pclose 2
    done
}

@test "a popen child does not hold an earlier popen stream on descriptor 0" {
    # The command reads from a closed descriptor 0, or has one of its own.
    AIRLOCK_KEEP=all assert_both $'popen: ok\ndescriptor 0\npopen: ok\ndescriptors: 1 2\npclose: exit 0\npclose: exit 0' \
        "$stream" shut 0 popen r "exec sleep 0.1" number 0 popen r "exec '$look' descriptors" read 1 pclose 0 pclose 1
}

@test "a popen child does not hold an earlier popen stream on descriptor 1" {
    AIRLOCK_KEEP=all assert_same \
        "$stream" shut 0 shut 1 popen w "exec cat" number 0 popen r "exec '$look' descriptors" read 1 pclose 1 pclose 0
    # What the parent says is not looked at here: the child writes at the same time.
    AIRLOCK_KEEP=all assert_both "descriptors: 0 2" sh -c 'exec "$@" 2>&1 >/dev/null' sh \
        "$stream" shut 0 shut 1 popen w "exec cat >/dev/null" popen w "exec '$look' descriptors stderr" pclose 1 pclose 0
}

@test "a popen child whose pipe is made of 0 and 1 has it where it belongs" {
    assert_both $'popen: ok\nhello\npclose: exit 0' "$stream" shut 0 shut 1 popen r "echo hello" read 0 pclose 0
    assert_both $'hello\npopen: ok\npclose: exit 0' "$stream" shut 0 shut 1 popen w "read x; echo \$x >&2" \
        write 0 hello pclose 0 ||
        assert_same "$stream" shut 0 shut 1 popen w "read x; echo \$x >&2" write 0 hello pclose 0
}

@test "a popen child of mode w has no second writing end: it sees the end of its input" {
    assert_both $'popen: ok\npopen: ok\npclose: exit 0\npclose: exit 0' \
        "$stream" popen w "exec cat" popen w "exec cat" pclose 0 pclose 1
}

@test "a popen child keeps 0 to 2 and its pipe, and nothing else" {
    assert_enforced $'popen: ok\ndescriptors: 0 1 2\npclose: exit 0' \
        "$stream" have 7 /dev/null many 20 popen r "exec '$look' descriptors" read 0 pclose 0
}

@test "a command that is not UTF-8 passes byte for byte" {
    assert_both $'popen: ok\n\xff\xfe\xc3\x28\npclose: exit 0' \
        "$stream" popen r $'printf "%s\\n" "\xff\xfe\xc3\x28"' read 0 pclose 0
}

@test "a command that begins with a dash is given to the shell as libc gives it" {
    assert_same "$stream" popen r "-x" read 0 pclose 0
}

@test "the shell is called sh" {
    assert_both $'popen: ok\nsh\npclose: exit 0' "$stream" popen r 'echo $0' read 0 pclose 0
}

@test "the command has the caller's signals" {
    assert_both $'popen: ok\nblocked: USR1\nignored: HUP\npclose: exit 0' \
        "$stream" block USR1 ignore HUP handle TERM popen r "exec '$look' blocked ignored" read 0 pclose 0
}

@test "a popen child does not hold the stream that another thread makes at the same time" {
    # With libc it may: between unlinking a stream and closing its descriptor pclose leaves it to any child.
    assert_enforced "children without another's stream: 1200" "$PROBES/threads" streams 300
}

@test "one thread that calls popen and another that forks do not deadlock" {
    assert_both "right: 150" "$PROBES/threads" popen 150
}
