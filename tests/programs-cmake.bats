#!/usr/bin/env bats
# shellcheck disable=SC2016  # the programs that the tests start expand their own variables
# CMake starts programs with a fork and an exec of its own, out of airlock's reach: here only what it prints is compared.
# The make and the ninja that it calls are covered by the preload again.

load programs/common.bash

# Configures and builds in the same empty folder each time; a time in CMake's output is no part of the comparison.
BUILD_AFRESH=(bash -o pipefail -c 'rm -rf "$0" && cmake -G "$1" -S "$INPUTS/cmake" -B "$0" 2>&1 | sed "s/ ([0-9.]*s)$//" &&
    cmake --build "$0" 2>&1 && "$0/greeting"')

@test "a project is configured and built the same through make" {
    assert_same "${BUILD_AFRESH[@]}" "$BATS_TEST_TMPDIR/afresh" "Unix Makefiles"
}

@test "a project is configured and built the same through ninja" {
    assert_same "${BUILD_AFRESH[@]}" "$BATS_TEST_TMPDIR/afresh" Ninja
}

@test "the project that was built with airlock greets" {
    [[ $(enforced "${BUILD_AFRESH[@]}" "$BATS_TEST_TMPDIR/afresh" Ninja </dev/null) == *hello ]]
}

@test "a child of cmake -E env, out of airlock's reach, gives the same" {
    assert_same cmake -E env NAME=value sh -c 'echo $NAME; exit 3'
}
