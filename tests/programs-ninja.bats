#!/usr/bin/env bats
# shellcheck disable=SC2016  # the programs that the tests start expand their own variables
# ninja starts every command with posix_spawn: a group of its own, a signal mask, and its output on a pipe.

load programs/common.bash

# In an empty folder each time, for ninja builds nothing twice.
BUILD_AFRESH=(sh -c 'rm -rf "$0" && mkdir "$0" && cd "$0" && exec ninja -f "$INPUTS/build.ninja" "$@"')

# As BUILD_AFRESH, and then prints the listings that the commands wrote.
LIST_AFRESH=(sh -c 'rm -rf "$0" && mkdir "$0" && cd "$0" && ninja -f "$INPUTS/build.ninja" "$@" >ninja.out && cat "$@"')

@test "a command whose output ninja collects holds nothing that ninja was given" {
    folder=$BATS_TEST_TMPDIR/afresh
    assert_sealed "$LEAK" "${HOLDING[@]}" "$LEAK" "${LIST_AFRESH[@]}" "$folder" buffered-1
}

@test "commands that ninja runs side by side hold neither each other's pipes nor what ninja was given" {
    folder=$BATS_TEST_TMPDIR/afresh
    assert_sealed "$LEAK" "${HOLDING[@]}" "$LEAK" "${LIST_AFRESH[@]}" "$folder" buffered-1 buffered-2
}

@test "a command in ninja's console pool holds nothing that ninja was given" {
    folder=$BATS_TEST_TMPDIR/afresh
    assert_sealed "$LEAK" "${HOLDING[@]}" "$LEAK" "${LIST_AFRESH[@]}" "$folder" console
}

@test "what commands print through ninja is the same" {
    assert_same "${BUILD_AFRESH[@]}" "$BATS_TEST_TMPDIR/afresh" -j1 said complained responded
}

@test "a command that fails is reported by ninja in the same words" {
    assert_same "${BUILD_AFRESH[@]}" "$BATS_TEST_TMPDIR/afresh" -j1 failed
    assert_same "${BUILD_AFRESH[@]}" "$BATS_TEST_TMPDIR/afresh" -j1 -k0 failed said
}

@test "a command that does not exist or is killed is reported by ninja in the same words" {
    assert_same "${BUILD_AFRESH[@]}" "$BATS_TEST_TMPDIR/afresh" -j1 absent
    assert_same "${BUILD_AFRESH[@]}" "$BATS_TEST_TMPDIR/afresh" -j1 dead
}

@test "eight commands under ninja -j4 print the same words" {
    afresh=("${BUILD_AFRESH[@]}")
    assert_same sh -c '"$@" | sed "s/^[^ ]* //" | sort' sh "${afresh[@]}" "$BATS_TEST_TMPDIR/afresh" -j4 many
}
