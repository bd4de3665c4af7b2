#!/usr/bin/env bats
# Storms: everything that can happen beside a spawn happens at once, again and again, and nothing is lost.

load helpers

storm=$ROOT/tools/storm

# The number behind WORDS in the output of the storm.
number_of() {
    sed -n "s/^$1: \([0-9]*\).*/\1/p" <<<"$output"
}

@test "in a storm of signals, forks and cancellations no child holds a descriptor, no status is lost, no handler runs in a child" {
    # As many of 100,000 as fit into the time; the count is in the report.
    run timeout 240 "$storm" --spawns 100000 --seconds 75
    echo "$output"
    echo "# $(grep '^spawns:' <<<"$output")" >&3
    [ "$status" -eq 0 ]
    [ "$(number_of 'children with a descriptor too many')" -eq 0 ]
    [ "$(number_of 'exit statuses lost or doubled')" -eq 0 ]
    [ "$(number_of 'handlers that ran in a child')" -eq 0 ]
    [ "$(number_of 'calls that answered wrongly')" -eq 0 ]
    [ "$(number_of 'descriptors that stayed')" -eq 0 ]
    [[ $output == *"memory grew by more than 2 MiB: no"* ]]
    [ "$(number_of spawns)" -gt 1000 ]
}

@test "the same storm without airlock leaks descriptors to children, so the storm sees leaks" {
    run timeout 60 "$storm" --plain --spawns 2000 --seconds 10
    [[ $output == *"witness: descriptor "*" is open"* ]]
}

@test "a storm of wrong options is refused" {
    for words in "--spawns" "--spawns 0" "--spawns many" "--seconds -1" "--windy"; do
        # shellcheck disable=SC2086
        run "$storm" $words
        [ "$status" -eq 2 ]
        [[ $output == "tools/storm: "* ]]
    done
}
