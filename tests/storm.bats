#!/usr/bin/env bats
# Everything at once (tools/storm): 100,000 children, and what was counted.

load helpers

setup_file() {
    # Below the tests that run beside it. The file of tests ends at 480 seconds.
    nice -n 5 "$ROOT/tools/storm" --spawns 100000 --seconds 400 >"$BATS_FILE_TMPDIR/tally" 2>&1 ||
        echo "tools/storm ended with $?" >>"$BATS_FILE_TMPDIR/tally"
}

# WHAT was counted, and there was none of it.
assert_none() {
    grep -qxF "$1: 0" "$BATS_FILE_TMPDIR/tally" || { cat "$BATS_FILE_TMPDIR/tally"; return 1; }
}

# The number of children or the like that the line beginning with WHAT says, or that stands behind WHAT in a line.
number_of() {
    sed -nE "s/^(.*, )?$1: ([0-9]+).*/\\2/p" "$BATS_FILE_TMPDIR/tally"
}

# A storm that does FAULT itself says that there is some of WHAT, and ends with 1.
assert_found() {
    local fault=$1 what=$2
    run "$ROOT/tools/storm" --spawns 400 --fault "$fault"
    if [ "$status" -ne 1 ] || ! grep -qE "^$what: [1-9]" <<<"$output"; then
        echo "$fault: $output"
        return 1
    fi
}

@test "eight threads start 100,000 children in a storm, and nothing hangs" {
    cat "$BATS_FILE_TMPDIR/tally"
    [ "$(number_of children)" -ge 100000 ]
    [ "$(grep -c '^tools/storm ended' "$BATS_FILE_TMPDIR/tally")" -eq 0 ]
}

@test "shells, failing calls, forks, cancellations and signals have their share of the storm" {
    [ "$(number_of 'by a shell')" -ge 5000 ]
    [ "$(number_of 'calls that had to fail')" -ge 10000 ]
    [ "$(number_of 'children forked by hand')" -ge 500 ]
    [ "$(number_of 'threads cancelled')" -ge 500 ]
    [ "$(number_of 'in system')" -ge 50 ]
    [ "$(number_of 'signals handled')" -ge 50000 ]
}

@test "no child in the storm holds a descriptor too many, another mask or an ignored signal" {
    assert_none "children that hold too much"
}

@test "no exit status is lost in the storm" {
    assert_none "exit statuses lost"
}

@test "no exit status is counted twice in the storm" {
    assert_none "exit statuses doubled"
}

@test "nobody gets the exit status of another's child in the storm" {
    assert_none "exit statuses of another child"
    assert_none "children that ended in another way"
}

@test "no handler runs in a child in the storm" {
    assert_none "handlers that ran in a child"
}

@test "no call answers wrongly in the storm" {
    assert_none "calls that answered wrongly"
}

@test "the storm leaves no zombie" {
    assert_none "zombies"
}

@test "the storm leaves no descriptor" {
    assert_none "descriptors that stayed"
}

@test "the storm leaves no memory" {
    assert_none "MiB of memory that stayed, of more than two"
}

@test "the storm finds nothing wrong where children are made another way" {
    [ "$(uname -m)" = x86_64 ] || skip "other system calls make processes here"
    local rules fallbacks=(
        clone3=ENOSYS
        "clone3=ENOSYS,clone@0&4000=EPERM"
        "clone3=ENOSYS,clone@0&4000=EPERM,vfork=EPERM"
        "clone3=ENOSYS,clone@0&4000=EPERM,vfork=EPERM,close_range=ENOSYS"
    )
    for rules in "${fallbacks[@]}"; do
        run "$ROOT/tools/storm" --spawns 1000 --deny "$rules"
        [ "$status" -eq 0 ] || { echo "$rules: $output"; return 1; }
    done
}

@test "the storm finds nothing wrong when what a child needs is brought over from high numbers" {
    local rules
    for rules in "" pidfd_getfd=EPERM close_range=ENOSYS; do
        run "$ROOT/tools/storm" --spawns 1000 --open 300 ${rules:+--deny "$rules"}
        [ "$status" -eq 0 ] || { echo "$rules: $output"; return 1; }
    done
}

@test "without airlock children of the same storm hold what their parent has opened" {
    run "$ROOT/tools/storm" --plain --spawns 400
    [ "$status" -eq 1 ]
    grep -qE "^children that hold too much: [1-9]" <<<"$output"
}

@test "what the storm looks for is found when the storm does it itself" {
    assert_found leak "children that hold too much"
    assert_found lose "exit statuses lost"
    assert_found double "exit statuses doubled"
    assert_found zombie "zombies"
    assert_found handler "handlers that ran in a child"
    assert_found descriptor "descriptors that stayed"
    assert_found memory "MiB of memory that stayed, of more than two"
}
