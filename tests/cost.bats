#!/usr/bin/env bats
# What a spawn costs in counts, which do not vary as times do.

bats_require_minimum_version 1.5.0
load helpers

@test "a preloaded posix_spawn makes three system calls in the parent and six in the child" {
    run -0 env AIRLOCK_BUILD="$BUILD" "$ROOT/tools/cost" calls
    [ "${lines[0]}" = "system calls of one posix_spawn: 3 in the parent, 6 in the child" ] || { echo "$output" && return 1; }
}

@test "a preloaded posix_spawn with ten descriptors takes fewer than 3,000 instructions with ten variables, and 20 more for each other one" {
    run -0 env AIRLOCK_BUILD="$BUILD" "$ROOT/tools/cost" instructions
    echo "$output"
    local bare ten fifty
    read -r bare ten fifty < <(awk '$2 == "variables" && NF == 3 { printf "%d ", $3 } END { print "" }' <<<"$output")
    [ "$bare" -gt 100 ] && [ "$ten" -lt 3000 ]
    [ "$((fifty - ten))" -lt "$((40 * 20))" ]
    [[ $output == *"copied by the program"*"with a record"* ]]
}

@test "a count that does not exist is named together with those that do" {
    run -125 "$ROOT/tools/cost" minutes
    [ "$output" = "tools/cost: 'minutes' is not a count; accepted are calls and instructions" ]
}

# The system calls with which a program starts that does nothing, with these variables.
calls_at_start() {
    plain strace -o start env "$@" LD_PRELOAD="$PRELOAD" /bin/true
    sed '1,/execve.*\/bin\/true/d' start | wc -l
}

@test "variables that choose add no system call to the start of a program" {
    cd "$BATS_TEST_TMPDIR"
    without=$(calls_at_start OTHER_MODE=enforce)
    [ "$without" -gt 10 ]
    [ "$(calls_at_start AIRLOCK_MODE=audit)" -eq "$without" ]
    [ "$(calls_at_start AIRLOCK_SIGNALS=all AIRLOCK_MASK=clear)" -eq "$without" ]
}
