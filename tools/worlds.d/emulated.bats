#!/usr/bin/env bats
# Under qemu-user, where a child that asks for its parent's memory gets a copy: errors are exact all the same.
#
# The emulator carries out CLONE_VM with CLONE_VFORK as fork. glibc's posix_spawn waits for an error to show in memory
# that the child no longer shares, and reports success for a program that was never there.

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
    ln -s loop loop
}

# Failing calls, as "ERROR words…".
failing_calls() {
    cat <<END
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

@test "every error of a child is what it is, side by side with what libc answers here" {
    local error line words without with wrong=0
    while read -r error line; do
        read -ra words <<<"$line"
        without=$(plain "$spawn" "${words[@]}" 2>/dev/null | tr '\n' ' ')
        with=$(enforced "$spawn" "${words[@]}" 2>/dev/null | tr '\n' ' ')
        printf '# %-40.40s libc: %-28s airlock: %s\n' "$line" "$without" "$with" | sed "s|$look|look|" >&3
        [ "$with" = "spawn: $error " ] || wrong=$((wrong + 1))
        # libc is wrong, which is why this world is here.
        [ "$without" = "spawn: ok child: exit 127 " ] || wrong=$((wrong + 1))
    done < <(failing_calls)
    [ "$wrong" -eq 0 ]
}

@test "children keep 0 to 2, what actions name and what the user keeps" {
    assert_enforced $'descriptors: 0 1 2\n'"$look_ok" "$spawn" have 7 file many 30 have 900 file -- "$look" descriptors
    assert_enforced $'descriptors: 0 1 2 9\n'"$look_ok" "$spawn" have 7 file dup2 7 9 -- "$look" descriptors
    AIRLOCK_KEEP=7 assert_enforced $'descriptors: 0 1 2 7\n'"$look_ok" "$spawn" have 7 file have 8 file -- "$look" descriptors
    assert_enforced $'descriptors: 0 1 2\nsystem: exit 0' "$shell" have 7 file system "exec '$look' descriptors"
    assert_enforced $'popen: ok\ndescriptors: 0 1 2\npclose: exit 0' \
        "$stream" have 7 file popen r "exec '$look' descriptors" read 0 pclose 0
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

@test "system and popen return what they should" {
    assert_enforced $'system: exit 3\nsystem: signal KILL\na shell: yes' "$shell" system "exit 3" system "kill -9 \$\$" null
    assert_enforced $'popen: ok\npclose: exit 42' "$stream" popen r "exit 42" pclose 0
    assert_enforced $'popen: ok\nfclose: exit 42' "$stream" popen r "exit 42" fclose 0 children
}

@test "the record says that memory was copied, and which step failed" {
    AIRLOCK_LOG=stderr run enforced "$spawn" open 9 missing r -- "$look" say x
    [[ $output == *'"step":"action"'* && $output == *ENOENT* ]]
}

@test "every call leaves the mask, dispositions, descriptors and children as they were" {
    # Without the library, libc's own calls change some here.
    local expected name
    expected=$(for name in posix_spawn "a failing posix_spawn" posix_spawnp "a failing posix_spawnp" system \
        "popen and pclose" "a failing popen"; do echo "$name:"; echo "$name:"; done; echo "handlers ran: yes")
    assert_enforced "$expected" "$PROBES/host" around
    assert_same "$PROBES/early"
}

@test "many children one after the other, and in threads, end as they should" {
    assert_enforced "$(yes "$look_ok" | head -n 80)" "$spawn" times 40 -- "$look" exit 0
}
