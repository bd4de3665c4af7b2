#!/usr/bin/env bats
# The sqlite3 shell runs .system and .shell with libc's system, and .output, .once and .import with popen. Its database is
# close-on-exec; its log file and its output file are not.

load programs/common.bash

@test "a child of sqlite3's .system does not hold its log file" {
    assert_sealed "$LEAK" sqlite3 :memory: ".log $LEAK" ".system $FDS"
}

@test "a child of sqlite3's .shell does not hold its log file" {
    assert_sealed "$LEAK" sqlite3 :memory: ".log $LEAK" ".shell $FDS"
}

@test "a child of sqlite3's .system does not hold the file that output goes to" {
    assert_sealed "$LEAK" sqlite3 :memory: ".output $LEAK" ".system $FDS"
}

@test "a command that sqlite3 prints to does not hold its log file" {
    assert_sealed "$LEAK" sqlite3 :memory: ".log $LEAK" ".once '|$FDS && cat >/dev/null'" "select 1;"
}

@test "a command that sqlite3 imports from does not hold its log file" {
    assert_sealed "$LEAK" sqlite3 :memory: ".log $LEAK" "create table t(line);" ".import '|$FDS' t" "select * from t;"
}

@test "what commands print and give back in sqlite3 is the same" {
    assert_same sqlite3 :memory: ".read $INPUTS/spawns.sql"
}
