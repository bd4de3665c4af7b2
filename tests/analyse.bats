#!/usr/bin/env bats
# The sources, looked at without running them. tools/test runs this file beside the others, with what they leave of the
# machine.

load helpers

# An analyser has nothing to say but what tools/analyse.accepted accepts.
assert_nothing_said() {
    command -v "$2" >/dev/null || skip "needs $2"
    AIRLOCK_BUILD=$BUILD run "$ROOT/tools/analyse" --no-install --no-build "$1"
    echo "$output"
    [ "$status" -eq 0 ]
    [ "${lines[-1]}" = "1 passed, 0 failed" ]
}

@test "the sources are laid out as .clang-format says" {
    assert_nothing_said format clang-format
}

@test "shellcheck has nothing to say" {
    assert_nothing_said shell shellcheck
}

@test "cppcheck has nothing to say" {
    assert_nothing_said cppcheck cppcheck
}

@test "gcc's analyser has nothing to say" {
    assert_nothing_said gcc gcc
}

@test "clang-tidy and clang's analyser have nothing to say" {
    assert_nothing_said tidy clang-tidy
}
