#!/usr/bin/env bats
# Every parser under a fuzzer, for 10 seconds each and for 60 in CI; longer with AIRLOCK_FUZZ_SECONDS. tools/test runs this
# file beside the others, with what they leave of the machine.

load helpers

setup_file() {
    local seconds=${AIRLOCK_FUZZ_SECONDS:-10}
    AIRLOCK_BUILD=$BUILD "$ROOT/tools/fuzz" --no-install --seconds "$seconds" >"$BATS_FILE_TMPDIR/report" 2>&1 || true
}

# The target ran, and nothing was found.
assert_nothing_found() {
    grep -qE "^ok $1: [1-9][0-9]* inputs in " "$BATS_FILE_TMPDIR/report" || {
        cat "$BATS_FILE_TMPDIR/report"
        return 1
    }
}

@test "nothing that a policy file can hold breaks its reader" {
    assert_nothing_found policy
}

@test "nothing in the environment breaks its reader, and what the command line refuses is what the library warns about" {
    assert_nothing_found environment
}

@test "nothing that a child can be told breaks the readers of conventions" {
    assert_nothing_found conventions
}

@test "every string that is written into a record is read back byte for byte" {
    assert_nothing_found writer
}

@test "a log is split into its lines, whatever it holds and in whatever blocks it comes" {
    assert_nothing_found lines
}

@test "no log breaks report, trace and audit, and each of their answers is what it claims to be" {
    assert_nothing_found record
}

@test "no script and no ELF file breaks check" {
    assert_nothing_found object
}

@test "every target is tested here, and tools/fuzz refuses one that it does not know" {
    local name count=0
    for name in $("$ROOT/tools/fuzz" --list | cut -d ' ' -f 1); do
        grep -q "assert_nothing_found $name\$" "$BATS_TEST_FILENAME"
        [ -f "$ROOT/tests/fuzz/$name.c" ]
        count=$((count + 1))
    done
    [ "$count" -eq "$(grep -lE '^int LLVMFuzzerTestOneInput.*\{' "$ROOT"/tests/fuzz/*.c | wc -l)" ]
    run "$ROOT/tools/fuzz" --no-install nothing
    [ "$status" -eq 2 ]
}

@test "an input that breaks a promise fails its target, and is named" {
    mkdir "$BATS_TEST_TMPDIR/tree"
    cp -r "$ROOT/core" "$ROOT/shim" "$ROOT/tools" "$BATS_TEST_TMPDIR/tree"
    mkdir "$BATS_TEST_TMPDIR/tree/tests"
    cp -r "$ROOT/tests/fuzz" "$BATS_TEST_TMPDIR/tree/tests"
    cd "$BATS_TEST_TMPDIR/tree" || return
    sed -i 's/bytes\[0\] == 0x1a/bytes[0] == 0x1b/' shim/json.c
    run cmp -s shim/json.c "$ROOT/shim/json.c"
    [ "$status" -eq 1 ]
    AIRLOCK_BUILD=$PWD/build run tools/fuzz --no-install --seconds 5 writer
    [ "$status" -eq 1 ]
    [ "${lines[-1]}" = "0 passed, 1 failed" ]
    [[ $output == *"not ok writer: "* && $output == *"/build/fuzz/writer/"* ]]
}
