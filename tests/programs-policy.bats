#!/usr/bin/env bats
# What the owner of a real program can choose: which descriptors its children keep, and whether anything is sealed at all.

load programs/common.bash

# Lua with the file open three times, as 3, 4 and 5, and a child that lists what it holds.
THREE='a, b, c = io.open(os.getenv("LEAK")), io.open(os.getenv("LEAK")), io.open(os.getenv("LEAK")) os.execute(os.getenv("FDS"))'

@test "nothing above 2 is kept by default" {
    assert_holds "0 1 2 3 4 5" plain lua5.4 -e "$THREE"
    assert_holds "0 1 2" enforced lua5.4 -e "$THREE"
}

@test "AIRLOCK_MODE=enforce is the default" {
    AIRLOCK_MODE=enforce assert_holds "0 1 2" enforced lua5.4 -e "$THREE"
}

@test "AIRLOCK_MODE=off changes nothing" {
    AIRLOCK_MODE=off assert_holds "0 1 2 3 4 5" enforced lua5.4 -e "$THREE"
}

@test "AIRLOCK_MODE=audit changes nothing" {
    AIRLOCK_MODE=audit assert_holds "0 1 2 3 4 5" enforced lua5.4 -e "$THREE"
}

@test "AIRLOCK_KEEP with a number keeps that descriptor alone" {
    AIRLOCK_KEEP=4 assert_holds "0 1 2 4" enforced lua5.4 -e "$THREE"
}

@test "AIRLOCK_KEEP with a list and a range keeps what they name" {
    AIRLOCK_KEEP=3,5-9 assert_holds "0 1 2 3 5" enforced lua5.4 -e "$THREE"
}

@test "AIRLOCK_KEEP=all keeps everything" {
    AIRLOCK_KEEP=all assert_holds "0 1 2 3 4 5" enforced lua5.4 -e "$THREE"
}

@test "AIRLOCK_KEEP keeps nothing that is close-on-exec" {
    keep='import os; held = os.open("/dev/null", os.O_RDONLY); os.system(os.environ["FDS"])'
    AIRLOCK_KEEP=3-9 assert_holds "0 1 2" enforced "$PYTHON" -c "$keep"
}

@test "children of io.popen follow AIRLOCK_KEEP too" {
    AIRLOCK_KEEP=3 assert_holds "0 1 2 3" enforced lua5.4 -e 'a, b = io.open(os.getenv("LEAK")), io.open(os.getenv("LEAK"))
        io.write(io.popen(os.getenv("FDS")):read("a"))'
}

@test "a grandchild gets what its parent was allowed to keep, and no more" {
    AIRLOCK_KEEP=4 assert_holds "0 1 2 4" enforced lua5.4 -e 'a, b = io.open(os.getenv("LEAK")), io.open(os.getenv("LEAK"))
        os.execute([[lua5.4 -e "os.execute(os.getenv(\"FDS\"))"]])'
}
