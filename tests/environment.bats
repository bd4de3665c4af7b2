#!/usr/bin/env bats
# What the user says in the environment, and what happens when it makes no sense: one line on standard error at the
# start that names the variable, the value and what is accepted, the default for that item, and the program runs.

# Programs in single quotes are meant for another shell.
# shellcheck disable=SC2016

load helpers

spawn=$PROBES/spawn
look=$PROBES/look
look_ok=$'spawn: ok\nchild: exit 0'

# The setting is there when the program starts and not before: what starts it is covered too.
with() {
    local setting=$1
    shift
    plain env "$setting" LD_PRELOAD="$PRELOAD" "$@"
}

only_stdout_with() {
    with "$@" 2>/dev/null
}

only_stderr_with() {
    { with "$@" >/dev/null; } 2>&1
}

# NAME=VALUE is refused in one line that has all of WORDS, and the program runs.
refused() {
    local name=${1%%=*} value=${1#*=} word
    run only_stderr_with "$1" "$look" say "it runs"
    echo "$1 gives: $output"
    [ "$status" -eq 0 ]
    [ "${#lines[@]}" -eq 1 ]
    [[ $output == *"$name"* ]]
    [[ $output == *"$value"* ]]
    for word in "${@:2}"; do
        [[ $output == *"$word"* ]]
    done
    run only_stdout_with "$1" "$look" say "it runs"
    [ "$status" -eq 0 ]
    assert_lines "it runs"
}

# CMD prints EXPECTED on standard output with NAME=VALUE in the parent's environment and none in the child's.
with_setting() {
    local setting=$1 expected=$2
    shift 2
    run only_stdout_with "$setting" "$spawn" how empty-envp "$@"
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
    for value in x 3- -3 3-x 3,,7 ,3 "3," 9-7 "3 7" 3.5 0x10 99999999999 3-99999999999999999999 All everything; do
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
    export AIRLOCK_KEEP=x AIRLOCK_SIGNALS=y AIRLOCK_MASK=z
    run with AIRLOCK_MODE=strict "$look" exit 0
    [ "$status" -eq 0 ]
    [ "${#lines[@]}" -eq 4 ]
    unset AIRLOCK_SIGNALS AIRLOCK_MASK
    AIRLOCK_KEEP=7 run only_stdout_with AIRLOCK_MODE=strict \
        "$spawn" how empty-envp have 7 /dev/null have 8 /dev/null -- "$look" descriptors
    assert_lines "descriptors: 0 1 2 7" "spawn: ok" "child: exit 0"
}

@test "a wrong value that is long or not UTF-8 does no harm" {
    local long
    long=$(printf '%50000s' '' | tr ' ' x)
    run with AIRLOCK_MODE="$long" "$look" say "it runs"
    [ "$status" -eq 0 ]
    [ "${lines[-1]}" = "it runs" ]
    [ "${#lines[@]}" -eq 2 ]
    run with AIRLOCK_KEEP=$'\xff\xfe' "$look" say "it runs"
    [ "$status" -eq 0 ]
    [ "${lines[-1]}" = "it runs" ]
}

@test "a wrong value with a newline is still one line" {
    run with AIRLOCK_MODE=$'off\nsecond' "$look" exit 0
    [ "$status" -eq 0 ]
    [ "${#lines[@]}" -eq 1 ]
}

@test "a wrong value in a program without standard error does no harm" {
    without_stderr() {
        with "$@" 2>&-
    }
    run without_stderr AIRLOCK_MODE=strict "$look" say "it runs" descriptors
    [ "$status" -eq 0 ]
    assert_lines "it runs" "descriptors: 0 1"
}

@test "every right value is silent" {
    for setting in AIRLOCK_MODE=enforce AIRLOCK_MODE=audit AIRLOCK_MODE=off AIRLOCK_KEEP=all AIRLOCK_KEEP=3 \
        AIRLOCK_KEEP=3,7-9 AIRLOCK_KEEP=0 AIRLOCK_KEEP=5-5 AIRLOCK_KEEP=1000000 AIRLOCK_SIGNALS=inherit \
        AIRLOCK_SIGNALS=pipe AIRLOCK_SIGNALS=all AIRLOCK_MASK=inherit AIRLOCK_MASK=clear; do
        run with "$setting" "$look" say "it runs"
        assert_lines "it runs"
    done
}

@test "settings are those of the program's start, not what it puts into its environment later" {
    assert_enforced $'descriptors: 0 1 2\n'"$look_ok" \
        "$spawn" setenv AIRLOCK_MODE off setenv AIRLOCK_KEEP all have 7 /dev/null -- "$look" descriptors
}

@test "the settings reach the children that inherit the environment" {
    AIRLOCK_KEEP=7 assert_enforced $'descriptors: 0 1 2 7\nsystem: exit 0' \
        "$PROBES/shell" have 7 /dev/null have 8 /dev/null system "'$PROBES/shell' system \"exec '$look' descriptors\" | head -1"
}
