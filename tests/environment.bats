#!/usr/bin/env bats
# What the user says in the environment, and what happens when it makes no sense: one line on standard error at the
# start that names the variable, the value and what is accepted, the default for that item, and the program runs.

load helpers

spawn=$PROBES/spawn
look=$PROBES/look
look_ok=$'spawn: ok\nchild: exit 0'

# NAME=VALUE is refused in one line that has all of WORDS, and the program runs.
refused() {
    local name=${1%%=*} value=${1#*=} word
    run enforced env "$1" sh -c 'exec "$0" say "it runs" 2>&1 >/dev/null' "$look"
    echo "$1 gives: $output"
    [ "$status" -eq 0 ]
    [ "${#lines[@]}" -eq 1 ]
    [[ $output == *"$name"* ]]
    [[ $output == *"$value"* ]]
    for word in "${@:2}"; do
        [[ $output == *"$word"* ]]
    done
    run enforced env "$1" sh -c 'exec "$0" say "it runs" 2>/dev/null' "$look"
    [ "$status" -eq 0 ]
    assert_lines "it runs"
}

# CMD prints EXPECTED on standard output with NAME=VALUE in the parent's environment and none in the child's.
with_setting() {
    local setting=$1 expected=$2
    shift 2
    run enforced env "$setting" sh -c 'exec "$0" "$@" 2>/dev/null' "$spawn" how empty-envp "$@"
    assert_lines "$expected"
}

@test "a wrong AIRLOCK_MODE is refused in one line" {
    refused AIRLOCK_MODE=strict enforce audit off
    refused AIRLOCK_MODE=Enforce enforce audit off
    refused "AIRLOCK_MODE=off " enforce audit off
    refused AIRLOCK_MODE=enforceoff enforce audit off
}

@test "with a wrong AIRLOCK_MODE the mode is enforce" {
    with_setting AIRLOCK_MODE=strict $'descriptors: 0 1 2\n'"$look_ok" have 7 /dev/null -- "$look" descriptors
}

@test "a wrong AIRLOCK_KEEP is refused in one line" {
    for value in x 3- -3 3-x 3,,7 ,3 3, 9-7 "3 7" 3.5 0x10 99999999999 3-99999999999999999999 All everything; do
        refused "AIRLOCK_KEEP=$value" all
    done
}

@test "with a wrong AIRLOCK_KEEP nothing is kept" {
    with_setting AIRLOCK_KEEP=7,x $'descriptors: 0 1 2\n'"$look_ok" have 7 /dev/null -- "$look" descriptors
    with_setting AIRLOCK_KEEP=9-7 $'descriptors: 0 1 2\n'"$look_ok" have 8 /dev/null -- "$look" descriptors
}

@test "a wrong AIRLOCK_SIGNALS is refused in one line" {
    refused AIRLOCK_SIGNALS=none inherit pipe all
    refused AIRLOCK_SIGNALS=PIPE inherit pipe all
}

@test "with a wrong AIRLOCK_SIGNALS the setting is pipe" {
    with_setting AIRLOCK_SIGNALS=none $'ignored: HUP\n'"$look_ok" ignore PIPE ignore HUP -- "$look" ignored
}

@test "a wrong AIRLOCK_MASK is refused in one line" {
    refused AIRLOCK_MASK=none inherit clear
    refused AIRLOCK_MASK=0 inherit clear
}

@test "with a wrong AIRLOCK_MASK the mask is inherited" {
    with_setting AIRLOCK_MASK=none $'blocked: USR1\n'"$look_ok" block USR1 -- "$look" blocked
}

@test "each wrong value has its own line, and the right ones hold" {
    run enforced env AIRLOCK_MODE=strict AIRLOCK_KEEP=x AIRLOCK_SIGNALS=y AIRLOCK_MASK=z "$look" exit 0
    [ "$status" -eq 0 ]
    [ "${#lines[@]}" -eq 4 ]
    run enforced env AIRLOCK_MODE=strict AIRLOCK_KEEP=7 sh -c 'exec "$0" "$@" 2>/dev/null' \
        "$spawn" how empty-envp have 7 /dev/null have 8 /dev/null -- "$look" descriptors
    assert_lines "descriptors: 0 1 2 7" "spawn: ok" "child: exit 0"
}

@test "a wrong value that is long or not UTF-8 does no harm" {
    local long
    long=$(printf '%50000s' | tr ' ' x)
    run enforced env AIRLOCK_MODE="$long" "$look" say "it runs"
    [ "$status" -eq 0 ]
    [ "${lines[-1]}" = "it runs" ]
    [ "${#lines[@]}" -eq 2 ]
    run enforced env AIRLOCK_KEEP=$'\xff\xfe' "$look" say "it runs"
    [ "$status" -eq 0 ]
    [ "${lines[-1]}" = "it runs" ]
}

@test "a wrong value with a newline is still one line" {
    run enforced env AIRLOCK_MODE=$'off\nsecond' "$look" exit 0
    [ "$status" -eq 0 ]
    [ "${#lines[@]}" -eq 1 ]
}

@test "a wrong value in a program without standard error does no harm" {
    run enforced env AIRLOCK_MODE=strict sh -c 'exec "$0" say "it runs" 2>&-' "$look"
    [ "$status" -eq 0 ]
    assert_lines "it runs"
}

@test "a wrong value does not write into a file that took the place of standard error" {
    cd "$BATS_TEST_TMPDIR"
    run enforced env AIRLOCK_MODE=strict sh -c 'exec "$0" have 2 /dev/null -- "$1" exit 0 2>&-' "$spawn" "$look"
    [ "$status" -eq 0 ]
    assert_lines "spawn: ok" "child: exit 0"
}

@test "every right value is silent" {
    for setting in AIRLOCK_MODE=enforce AIRLOCK_MODE=audit AIRLOCK_MODE=off AIRLOCK_KEEP=all AIRLOCK_KEEP=3 \
        AIRLOCK_KEEP=3,7-9 AIRLOCK_KEEP=0 AIRLOCK_KEEP=5-5 AIRLOCK_KEEP=1000000 AIRLOCK_SIGNALS=inherit \
        AIRLOCK_SIGNALS=pipe AIRLOCK_SIGNALS=all AIRLOCK_MASK=inherit AIRLOCK_MASK=clear; do
        run enforced env "$setting" "$look" say "it runs"
        assert_lines "it runs"
    done
}

@test "settings are those of the program's start, not what it puts into its environment later" {
    assert_enforced $'descriptors: 0 1 2\n'"$look_ok" \
        "$spawn" setenv AIRLOCK_MODE off setenv AIRLOCK_KEEP all have 7 /dev/null -- "$look" descriptors
}

@test "the settings reach the children that inherit the environment" {
    AIRLOCK_KEEP=7 assert_enforced $'descriptors: 0 1 2 7\nsystem: exit 0' \
        "$PROBES/shell" have 7 /dev/null have 8 /dev/null system "exec '$PROBES/shell' system \"exec '$look' descriptors\" 2>&1 | head -1; exit 0"
}
