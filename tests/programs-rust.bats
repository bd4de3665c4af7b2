#!/usr/bin/env bats
# Rust's std::process::Command starts programs with posix_spawnp, which it finds as a weak symbol. With a callback before
# exec it forks by hand: there only the results are compared.

load programs/common.bash

setup_file() {
    compiler=rustc
    rustc --version >/dev/null 2>&1 || compiler=/usr/bin/rustc
    "$compiler" --edition 2021 -o "$BATS_FILE_TMPDIR/spawns" "$BATS_TEST_DIRNAME/programs/spawns.rs"
}

@test "a child of Command::status holds no file that C code opened" {
    assert_sealed "$LEAK" "$BATS_FILE_TMPDIR/spawns" status
}

@test "a child of Command::output holds no file that C code opened" {
    assert_sealed "$LEAK" "$BATS_FILE_TMPDIR/spawns" output
}

@test "a child of a Command with another folder holds no file that C code opened" {
    assert_sealed "$LEAK" "$BATS_FILE_TMPDIR/spawns" folder
}

@test "a child of a Command with a callback, out of airlock's reach, holds the same as without it" {
    assert_leaks "$LEAK" "$BATS_FILE_TMPDIR/spawns" by-hand
    assert_holds "0 1 2 3" plain "$BATS_FILE_TMPDIR/spawns" by-hand
    assert_holds "0 1 2 3" enforced "$BATS_FILE_TMPDIR/spawns" by-hand
}

@test "what Command gives back is the same" {
    assert_same "$BATS_FILE_TMPDIR/spawns" results
}

@test "threads that run commands at the same time get the same answers" {
    assert_same "$BATS_FILE_TMPDIR/spawns" threads
}
