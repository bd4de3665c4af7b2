#!/usr/bin/env bats
# Every file action of libc: what it does, what it says when it cannot, and in which order.

# Programs in single quotes are meant for another shell.
# shellcheck disable=SC2016

load helpers

setup() {
    cd "$BATS_TEST_TMPDIR" || return
    echo text >file
    mkdir directory
    echo inside >directory/file
    # No descriptor of these tests is meant to be closed by the seal.
    export AIRLOCK_KEEP=all
}

look_ok=$'spawn: ok\nchild: exit 0'

@test "a close action closes the descriptor in the child alone" {
    assert_both $'descriptors: 0 1 2 8\n'"$look_ok" \
        "$PROBES/spawn" have 7 file have 8 file close 7 -- "$PROBES/look" descriptors
}

@test "a close action on a number that is not open is no error" {
    assert_both $'descriptors: 0 1 2\n'"$look_ok" "$PROBES/spawn" close 77 -- "$PROBES/look" descriptors
}

@test "closing one descriptor twice is no error" {
    assert_both $'descriptors: 0 1 2\n'"$look_ok" \
        "$PROBES/spawn" have 7 file close 7 close 7 -- "$PROBES/look" descriptors
}

@test "a close action beyond the limit of descriptors is EBADF" {
    assert_both "spawn: EBADF" "$PROBES/spawn" close 300 nofile 50 -- "$PROBES/look" descriptors
}

@test "a close action on the very limit of descriptors is EBADF, one below it is not" {
    assert_both "spawn: EBADF" "$PROBES/spawn" close 50 nofile 50 -- "$PROBES/look" descriptors
    assert_both $'descriptors: 0 1 2\n'"$look_ok" \
        "$PROBES/spawn" close 49 nofile 50 -- "$PROBES/look" descriptors
}

@test "libc refuses an action on a number that no process can have, and airlock leaves it that" {
    assert_both $'adding the action: EBADF\nadding the action: EBADF\ndescriptors: 0 1 2\n'"$look_ok" \
        "$PROBES/spawn" close -1 dup2 -1 5 -- "$PROBES/look" descriptors
}

@test "a close action that is interrupted is not repeated" {
    assert_same "$PROBES/deny" close@0:77=EINTR "$PROBES/spawn" have 77 file close 77 -- "$PROBES/look" say hello
    [ -n "$("$PROBES/deny" close@0:77=EINTR "$PROBES/spawn" have 77 file close 77 -- "$PROBES/look" say hello)" ]
}

@test "a dup2 action gives the child the source under the target's number" {
    assert_both $'descriptors: 0 1 2 7 9\ndescriptor 9: '"$PWD/file "$'\n'"$look_ok" \
        "$PROBES/spawn" have 7 file dup2 7 9 -- "$PROBES/look" descriptors target 9
}

@test "a dup2 action replaces what the child would have had there" {
    assert_both $'descriptor 0: '"$PWD/file "$'\n'"$look_ok" \
        "$PROBES/spawn" have 7 file dup2 7 0 -- "$PROBES/look" target 0
}

@test "a dup2 action from a close-on-exec descriptor passes on only the target" {
    assert_both $'descriptors: 0 1 2 9\n'"$look_ok" \
        "$PROBES/spawn" have-cloexec 8 file dup2 8 9 -- "$PROBES/look" flags
}

@test "dup2 of a descriptor onto itself clears close-on-exec" {
    assert_both $'descriptors: 0 1 2 8\n'"$look_ok" \
        "$PROBES/spawn" have-cloexec 8 file dup2 8 8 -- "$PROBES/look" flags
}

@test "dup2 of a closed descriptor onto itself is EBADF" {
    assert_both "spawn: EBADF" "$PROBES/spawn" dup2 8 8 -- "$PROBES/look" flags
}

@test "a dup2 action from a number that is not open is EBADF" {
    assert_both "spawn: EBADF" "$PROBES/spawn" dup2 77 5 -- "$PROBES/look" descriptors
}

@test "a dup2 action to a number beyond the limit is EBADF" {
    assert_both "spawn: EBADF" "$PROBES/spawn" dup2 0 300 nofile 50 -- "$PROBES/look" descriptors
}

@test "no number that libc or airlock uses inside can be the source of an action" {
    for number in 3 4 5 6 7 8 9 10; do
        assert_both "spawn: EBADF" "$PROBES/spawn" dup2 $number 60 -- "$PROBES/look" descriptors
        assert_both "spawn: EBADF" "$PROBES/spawn" resetids dup2 $number 60 -- "$PROBES/look" descriptors
    done
}

@test "an exec error arrives whatever numbers the actions use as targets" {
    local words=()
    for number in 3 4 5 6 7 8 9 10 11 12; do
        words+=(dup2 0 "$number")
    done
    assert_both "spawn: ENOENT" "$PROBES/spawn" "${words[@]}" -- /nonexistent
    assert_both "spawn: ENOENT" "$PROBES/spawn" resetids "${words[@]}" -- /nonexistent
}

@test "an exec error arrives when the actions close every descriptor" {
    assert_both "spawn: ENOENT" "$PROBES/spawn" closefrom 0 -- /nonexistent
    assert_both "spawn: ENOENT" "$PROBES/spawn" resetids close 3 close 4 close 5 closefrom 0 -- /nonexistent
}

@test "an open action opens the file under the number asked for" {
    assert_both $'descriptors: 0 1 2 9\ndescriptor 9: '"$PWD/file "$'\n'"$look_ok" \
        "$PROBES/spawn" open 9 file r -- "$PROBES/look" descriptors target 9
}

@test "an open action with O_CLOEXEC lands on its number, inherited when it was moved there" {
    assert_same "$PROBES/spawn" open 9 file re -- "$PROBES/look" flags
    assert_same "$PROBES/spawn" open 3 file re -- "$PROBES/look" flags
    assert_same "$PROBES/spawn" open 0 file re -- "$PROBES/look" flags
}

@test "an open action onto the lowest free number opens in place" {
    assert_both $'descriptors: 0 1 2 3\n'"$look_ok" "$PROBES/spawn" open 3 file r -- "$PROBES/look" flags
}

@test "an open action replaces standard output and creates the file with its mode" {
    umask 022
    assert_both "$look_ok" "$PROBES/spawn" open 1 made wct -- "$PROBES/look" say hello
    [ "$(cat made)" = hello ]
    [ "$(stat -c %a made)" = 640 ]
}

@test "an open action honours O_APPEND and O_EXCL" {
    assert_both "$look_ok" "$PROBES/spawn" open 1 file wa -- "$PROBES/look" say hello
    [ "$(cat file)" = $'text\nhello\nhello' ]
    assert_both "spawn: EEXIST" "$PROBES/spawn" open 1 file wcx -- "$PROBES/look" say hello
}

@test "an open action of a missing file is ENOENT" {
    assert_both "spawn: ENOENT" "$PROBES/spawn" open 9 missing r -- "$PROBES/look" descriptors
}

@test "an open action of a directory for writing is EISDIR" {
    assert_both "spawn: EISDIR" "$PROBES/spawn" open 9 directory w -- "$PROBES/look" descriptors
}

@test "an open action below a file is ENOTDIR" {
    assert_both "spawn: ENOTDIR" "$PROBES/spawn" open 9 file/x r -- "$PROBES/look" descriptors
}

@test "an open action beyond the limit of descriptors is EBADF" {
    assert_both "spawn: EBADF" "$PROBES/spawn" open 300 file r nofile 50 -- "$PROBES/look" descriptors
}

@test "an open action may name the descriptor that it replaces" {
    assert_both $'descriptor 7: '"$PWD/directory/file "$'\n'"$look_ok" \
        "$PROBES/spawn" have 7 file open 7 directory/file r -- "$PROBES/look" target 7
    assert_same "$PROBES/spawn" have 7 file open 7 /proc/self/fd/7 r -- "$PROBES/look" target 7
    assert_same "$PROBES/spawn" have 7 file open 7 /dev/fd/7 r -- "$PROBES/look" target 7
}

@test "an open action can reopen another descriptor of the child by its number" {
    assert_both $'descriptor 9: '"$PWD/file "$'\n'"$look_ok" \
        "$PROBES/spawn" have 7 file open 9 /proc/self/fd/7 r -- "$PROBES/look" target 9
}

@test "a chdir action changes the directory of the child alone" {
    assert_both "directory: $PWD/directory"$'\n'"$look_ok" \
        "$PROBES/spawn" chdir directory -- "$PROBES/look" directory
}

@test "a chdir action that cannot be done says why" {
    assert_both "spawn: ENOENT" "$PROBES/spawn" chdir missing -- "$PROBES/look" directory
    assert_both "spawn: ENOTDIR" "$PROBES/spawn" chdir file -- "$PROBES/look" directory
}

@test "an open action after a chdir action is relative to the new directory, one before it is not" {
    assert_both $'descriptor 8: '"$PWD/file "$'\n'"descriptor 9: $PWD/directory/file "$'\n'"$look_ok" \
        "$PROBES/spawn" open 8 file r chdir directory open 9 file r -- "$PROBES/look" target 8 target 9
}

@test "a relative program is looked for after the chdir action" {
    cp "$PROBES/look" directory/program
    assert_both $'hello\n'"$look_ok" "$PROBES/spawn" chdir directory -- ./program say hello
    assert_both "spawn: ENOENT" "$PROBES/spawn" -- ./program say hello
}

@test "an fchdir action changes the directory of the child alone" {
    assert_both "directory: $PWD/directory"$'\n'"$look_ok" \
        "$PROBES/spawn" have 7 directory fchdir 7 -- "$PROBES/look" directory
    assert_both "directory: $PWD/directory"$'\n'"$look_ok" \
        "$PROBES/spawn" have-cloexec 7 directory fchdir 7 -- "$PROBES/look" directory
}

@test "an fchdir action on a descriptor that an open action made works" {
    assert_both "directory: $PWD/directory"$'\n'"$look_ok" \
        "$PROBES/spawn" open 7 directory r fchdir 7 -- "$PROBES/look" directory
}

@test "an fchdir action that cannot be done says why" {
    assert_both "spawn: EBADF" "$PROBES/spawn" fchdir 77 -- "$PROBES/look" directory
    assert_both "spawn: ENOTDIR" "$PROBES/spawn" have 7 file fchdir 7 -- "$PROBES/look" directory
}

@test "a closefrom action closes its number and everything above" {
    assert_both $'descriptors: 0 1 2 3 4 5 6\n'"$look_ok" \
        "$PROBES/spawn" many 40 have 900 file closefrom 7 -- "$PROBES/look" descriptors
}

@test "a closefrom action with nothing above is no error" {
    assert_both $'descriptors: 0 1 2\n'"$look_ok" "$PROBES/spawn" closefrom 500 -- "$PROBES/look" descriptors
}

@test "what is opened after a closefrom action stays, what was duplicated before it goes" {
    assert_both $'descriptors: 0 1 2 9\n'"$look_ok" \
        "$PROBES/spawn" dup2 0 8 closefrom 3 open 9 file r -- "$PROBES/look" descriptors
}

@test "a closefrom action closes everything where close_range is missing too" {
    assert_both $'descriptors: 0 1 2 3 4 5 6\n'"$look_ok" \
        "$PROBES/deny" close_range=ENOSYS "$PROBES/spawn" many 3000 closefrom 7 -- "$PROBES/look" descriptors
}

@test "a tcsetpgrp action puts the child's process group into the foreground" {
    assert_both $'foreground: yes\n'"$look_ok" \
        "$PROBES/spawn" terminal 5 setpgroup 0 tcsetpgrp 5 -- "$PROBES/look" foreground 5
    assert_both $'foreground: no\n'"$look_ok" \
        "$PROBES/spawn" terminal 5 setpgroup 0 -- "$PROBES/look" foreground 5
}

@test "a tcsetpgrp action from the background does not stop the child" {
    assert_both $'foreground: yes\n'"$look_ok" \
        "$PROBES/spawn" terminal 5 background 5 setpgroup 0 tcsetpgrp 5 -- "$PROBES/look" foreground 5
}

@test "a tcsetpgrp action on something that is no terminal says so" {
    assert_both "spawn: ENOTTY" "$PROBES/spawn" have 7 file tcsetpgrp 7 -- "$PROBES/look" say hello
    assert_both "spawn: EBADF" "$PROBES/spawn" tcsetpgrp 77 -- "$PROBES/look" say hello
}

@test "actions are carried out in their order" {
    # A swap by way of a third number.
    assert_both "descriptor 7: $PWD/directory "$'\n'"descriptor 8: $PWD/file "$'\n'"$look_ok" \
        "$PROBES/spawn" have 7 file have 8 directory dup2 7 9 dup2 8 7 dup2 9 8 close 9 -- "$PROBES/look" target 7 target 8
    assert_both "spawn: EBADF" "$PROBES/spawn" have 7 file close 7 dup2 7 9 -- "$PROBES/look" target 9
    assert_both $'descriptors: 0 1 2 9\n'"$look_ok" \
        "$PROBES/spawn" have 7 file dup2 7 9 close 7 -- "$PROBES/look" descriptors
}

@test "the first action that fails is the one reported, and the later ones are not carried out" {
    assert_both "spawn: EBADF" "$PROBES/spawn" dup2 77 9 open 1 made wct -- "$PROBES/look" say hello
    [ ! -e made ]
    assert_both "spawn: ENOENT" "$PROBES/spawn" open 9 missing r dup2 77 9 -- "$PROBES/look" say hello
}

@test "an actions object that is all zeroes and was never initialised has no actions" {
    assert_both $'descriptors: 0 1 2 7\n'"$look_ok" \
        "$PROBES/spawn" how zero-actions have 7 file close 7 -- "$PROBES/look" descriptors
}

@test "an actions object that was copied by value has the same actions" {
    assert_both $'descriptors: 0 1 2 9\n'"$look_ok" \
        "$PROBES/spawn" how copy-actions have 7 file dup2 7 9 close 7 -- "$PROBES/look" descriptors
}

@test "without an actions object the child starts as the parent is" {
    assert_both $'descriptors: 0 1 2 7\n'"$look_ok" \
        "$PROBES/spawn" how no-actions have 7 file close 7 -- "$PROBES/look" descriptors
}

@test "an initialised object without actions changes nothing" {
    assert_both $'descriptors: 0 1 2 7\n'"$look_ok" "$PROBES/spawn" have 7 file -- "$PROBES/look" descriptors
}

@test "more than a thousand actions are all carried out" {
    assert_both $'descriptors: 0 1 2 8 9\n'"$look_ok" \
        "$PROBES/spawn" have 7 file dup2 7 8 closes 1000 dup2 8 9 close 7 -- "$PROBES/look" descriptors
}

@test "one actions object serves many spawns" {
    assert_both $'descriptors: 0 1 2 9\nspawn: ok\nchild: exit 0\ndescriptors: 0 1 2 9\nspawn: ok\nchild: exit 0' \
        "$PROBES/spawn" times 2 have 7 file dup2 7 9 close 7 -- "$PROBES/look" descriptors
}

@test "with every descriptor in use an open action onto a number in use closes that first" {
    assert_both "$look_ok" "$PROBES/spawn" nofile 50 fill open 1 made wct -- "$PROBES/look" say hello
    [ "$(cat made)" = hello ]
    assert_both "$look_ok" "$PROBES/spawn" resetids nofile 50 fill open 1 made wct -- "$PROBES/look" say hello
}

@test "with every descriptor in use an error of an action arrives" {
    assert_both "spawn: ENOENT" "$PROBES/spawn" nofile 50 fill open 1 missing r -- "$PROBES/look" say hello
    assert_both "spawn: ENOENT" "$PROBES/spawn" resetids nofile 50 fill open 1 missing r -- "$PROBES/look" say hello
}

@test "the actions work in a parent without standard descriptors" {
    assert_both "$look_ok" "$PROBES/spawn" shut 0 shut 1 open 1 made wct -- "$PROBES/look" descriptors
    [ "$(cat made)" = "descriptors: 1 2" ]
}

@test "an error arrives in a parent without standard descriptors, and none of its numbers can be a source" {
    local ids
    for ids in usevfork resetids; do
        assert_both "spawn: ENOENT" "$PROBES/spawn" $ids shut 0 shut 1 shut 2 -- /nonexistent
        assert_both "spawn: EBADF" "$PROBES/spawn" $ids shut 0 shut 1 dup2 0 60 -- "$PROBES/look"
        assert_both "spawn: EBADF" "$PROBES/spawn" $ids shut 0 shut 1 dup2 1 60 -- "$PROBES/look"
    done
}

@test "an action of a kind that nobody here knows, and a count that cannot be, are left to libc, and the record says so" {
    local what
    for what in kind count; do
        assert_both "the child ended with 7" "$PROBES/stranger" "$what"
        AIRLOCK_LOG=$BATS_TEST_TMPDIR/log enforced "$PROBES/stranger" "$what"
    done
    grep -q '"passed_through":"a file action of a kind that this library does not know"' "$BATS_TEST_TMPDIR/log"
    grep -q '"passed_through":"file actions in a layout that this library does not know"' "$BATS_TEST_TMPDIR/log"
}
