#!/usr/bin/env bats
# The storm with ThreadSanitizer in the program and in the preload.

load ../../tests/helpers

setup_file() {
    # What it counted, and in files of their own what the sanitizer says.
    TSAN_OPTIONS=$TSAN_OPTIONS:log_path=$BATS_FILE_TMPDIR/report \
        "$ROOT/tools/storm" --spawns 3000 --seconds 300 >"$BATS_FILE_TMPDIR/tally" 2>&1 ||
        echo "ended with $?" >>"$BATS_FILE_TMPDIR/tally"
}

setup() {
    cat "$BATS_FILE_TMPDIR/tally"
}

@test "the program and the library are instrumented" {
    nm -D "$PROBES/hurricane" | grep -q __tsan_atomic
    nm -D "$PRELOAD" | grep -q __tsan_atomic
}

@test "in the storm the sanitizer finds no data race" {
    local report
    for report in "$BATS_FILE_TMPDIR"/report*; do
        [ ! -e "$report" ] || { head -n 60 "$report"; return 1; }
    done
    # 1: the sanitizer's own memory grows.
    [ "$(grep '^ended' "$BATS_FILE_TMPDIR/tally" | grep -cvx 'ended with 1')" -eq 0 ]
}

@test "the children of an instrumented program are as they should be, and none is lost" {
    [ "$(sed -nE 's/^children: ([0-9]+) .*/\1/p' "$BATS_FILE_TMPDIR/tally")" -ge 3000 ]
    local what
    for what in "children that hold too much" "exit statuses lost" "exit statuses doubled" \
        "exit statuses of another child" "children that ended in another way" "handlers that ran in a child" \
        "calls that answered wrongly" zombies "descriptors that stayed"; do
        grep -qxF "$what: 0" "$BATS_FILE_TMPDIR/tally"
    done
}
