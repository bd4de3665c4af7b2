#!/usr/bin/env bats
# shellcheck disable=SC2016  # the programs that the tests start expand their own variables
# gawk and mawk run system() with libc's system, and gawk writes to a command through popen. Both read from a command,
# and mawk also writes to one, with a fork and an exec of their own: there only what they print is compared.

load programs/common.bash

STATUSES='BEGIN {
    print "before"
    print system("exit 3")
    print system("kill -KILL $$")
    print system("no-such-program-anywhere 2>/dev/null")
    print system("")
    print system("echo \"$0\"; echo complaint >&2")
    print "after"
}'

PIPES='BEGIN {
    while (("printf \"a\\nb\\n\"" | getline line) > 0) print "read", line
    print close("printf \"a\\nb\\n\"")
    print "zebra" | "sort"; print "ant" | "sort"
    print close("sort")
    print "lost" | "cat >/dev/null; exit 5"
    print close("cat >/dev/null; exit 5")
    print "end"
}'

@test "a child of gawk's system holds nothing that gawk was given" {
    assert_sealed "$LEAK" "${HOLDING[@]}" "$LEAK" gawk 'BEGIN { exit system(ENVIRON["FDS"]) }'
}

@test "a command that gawk prints to holds nothing that gawk was given" {
    # The command reads on until the end: gawk must not find a broken pipe.
    writes='BEGIN { command = ENVIRON["FDS"] " && cat >/dev/null"; print "text" | command; exit close(command) }'
    assert_sealed "$LEAK" "${HOLDING[@]}" "$LEAK" gawk "$writes"
}

@test "a command that gawk prints to holds no earlier pipe of gawk" {
    two='BEGIN { first = "cat >/dev/null"; command = ENVIRON["FDS"] " && cat >/dev/null"
         print "x" | first; fflush(first); print "y" | command; exit close(command) || close(first) }'
    assert_holds "0 1 2" enforced gawk "$two"
}

@test "a child of mawk's system holds none of the files that mawk has open" {
    assert_sealed "$LEAK" mawk 'BEGIN { getline line < ENVIRON["LEAK"]; exit system(ENVIRON["FDS"]) }'
}

@test "a child of mawk's system does not hold the file that mawk is reading" {
    assert_sealed "$LEAK" mawk '{ exit system(ENVIRON["FDS"]) }' "$LEAK"
}

@test "what system returns and prints in gawk is the same" {
    assert_same gawk "$STATUSES"
}

@test "what system returns and prints in mawk is the same" {
    assert_same mawk "$STATUSES"
}

@test "pipes to and from commands give the same in gawk" {
    assert_same gawk "$PIPES"
}

@test "pipes to and from commands give the same in mawk" {
    assert_same mawk "$PIPES"
}

@test "a coprocess of gawk gives the same" {
    assert_same gawk 'BEGIN { print "b\na" |& "sort"; close("sort", "to")
        while (("sort" |& getline line) > 0) print line; print close("sort") }'
}
