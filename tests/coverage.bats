#!/usr/bin/env bats
# tools/coverage itself. Its run is longer than all other tests and no part of them.

bats_require_minimum_version 1.5.0
load helpers

reader=$ROOT/tools/coverage.d/lines.py

setup() {
    TREE=$BATS_TEST_TMPDIR/tree
    mkdir -p "$TREE/core" "$TREE/data"
    cat >"$TREE/core/one.c" <<'END'
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>
static volatile int count;
void in_the_child(void) {
    count++;
}
void after_exec(void) {
    count++;
}
void never(void) {
    count++;
}
int main(int argc, char **argv) {
    if (argc > 1) {
        after_exec();
        _exit(0);
    }
    int pid = fork();
    if (pid == 0) {
        in_the_child();
        kill(getpid(), SIGKILL);
    }
    waitpid(pid, NULL, 0);
    char *again[] = {argv[0], "again", NULL};
    execv(argv[0], again);
    return 1;
}
END
}

# Compiles one.c as tools/coverage compiles the tree, runs it, and writes what it counted.
count_one() {
    local order
    cd "$TREE" || return 1
    gcc -std=gnu17 -D_GNU_SOURCE -fPIC -c "$ROOT/tools/coverage.d/counters.c" -o counters.o
    gcc -g "@$ROOT/tools/coverage.d/options" -c "$TREE/core/one.c" -o one.o
    gcc -o one one.o counters.o -Wl,-T,"$ROOT/tools/coverage.d/counters.ld" -Wl,--build-id=sha1 -lgcov
    AIRLOCK_COVERAGE="make" ./one || skip "no shared memory of System V"
    ./one
    for order in write remove; do
        AIRLOCK_COVERAGE=$order AIRLOCK_COVERAGE_FOLDER=$TREE/data ./one
    done
}

accept() {
    printf '%s\t%s\t%s\t%s\n' "$@" >"$TREE/accepted"
}

@test "every reason of tools/coverage.accepted is one for a line of the sources" {
    run "$ROOT/tools/coverage" --check
    echo "$output"
    [ "$status" -eq 0 ]
    [[ ${lines[-1]} =~ ^[1-9][0-9]*\ reasons,\ 0\ for\ lines ]]
}

@test "a reason for a file, a function or a line that does not exist is named" {
    accept core/one.c never 'count++;' 'nobody calls it'
    run -0 python3 "$reader" check "$TREE" "$TREE/accepted"
    accept core/two.c never 'count++;' 'nobody calls it'
    run -1 python3 "$reader" check "$TREE" "$TREE/accepted"
    [ "${lines[0]}" = "core/two.c: no such file" ]
    accept core/one.c ever 'count++;' 'nobody calls it'
    run -1 python3 "$reader" check "$TREE" "$TREE/accepted"
    [ "${lines[0]}" = "core/one.c: no such function: ever" ]
    accept core/one.c never 'count--;' 'nobody calls it'
    run -1 python3 "$reader" check "$TREE" "$TREE/accepted"
    [ "${lines[0]}" = "core/one.c: never: there is no such line, or not so often: count--;" ]
}

@test "a line without a reason is refused" {
    printf 'core/one.c\tnever\tcount++;\t\n' >"$TREE/accepted"
    run -1 python3 "$reader" check "$TREE" "$TREE/accepted"
    [ "$output" = "$TREE/accepted:1: not a file, a function, a line and a reason with tabs between them" ]
}

@test "what a killed child, a program before its exec and one that ends by _exit ran is counted" {
    count_one
    accept core/one.c never 'count++;' 'nobody calls it'
    run python3 "$reader" report "$TREE" "$TREE/accepted" "$TREE/data" "$TREE/page"
    echo "$output"
    # What is left are the lines of never, and the one behind execv.
    [ "$(grep -c '^not covered: ' <<<"$output")" -eq 3 ]
    [ "$(grep -c $'^core/one.c\tnever\t' <<<"$output")" -eq 2 ]
    grep -q $'^core/one.c\tmain\treturn 1;\t' <<<"$output"
    [ "$status" -eq 1 ]
}

@test "a line has to be covered or have a reason, and a reason has to have a line that does not run" {
    count_one
    {
        printf 'core/one.c\tnever\t%s\tnobody calls it\n' 'void never(void) {' 'count++;' '}'
        printf 'core/one.c\tmain\treturn 1;\texecv does not fail\n'
    } >"$TREE/accepted"
    run -0 python3 "$reader" report "$TREE" "$TREE/accepted" "$TREE/data" "$TREE/page"
    [[ ${lines[-1]} == *" lines covered ("*" %), 4 with a reason, 0 without, 0 reasons for other lines" ]]
    printf 'core/one.c\tin_the_child\tcount++;\tnobody calls it\n' >>"$TREE/accepted"
    run -1 python3 "$reader" report "$TREE" "$TREE/accepted" "$TREE/data" "$TREE/page"
    grep -qF 'a reason, but the line ran or is gone: core/one.c: in_the_child: count++;' <<<"$output"
    sed -i '$s/nobody/by chance: nobody/' "$TREE/accepted"
    run -0 python3 "$reader" report "$TREE" "$TREE/accepted" "$TREE/data" "$TREE/page"
}

@test "the page of coverage adds up, and knows as many reasons as there are" {
    local total reasons
    total=$(sed -nE 's/^([0-9]+) of ([0-9]+) lines covered.*, ([0-9]+) with a reason\.$/\2 \1 \3/p' "$ROOT/tools/coverage.md")
    reasons=$(grep -cvE '^(#|$)' "$ROOT/tools/coverage.accepted")
    echo "$total; $reasons reasons"
    [ "$(awk -F'|' '$2 ~ /\.[ch] $/ { lines += $3; ran += $4 } END { print lines, ran }' "$ROOT/tools/coverage.md")" = \
        "${total% *}" ]
    [ "${total##* }" -le "$reasons" ]
}

@test "tools/coverage refuses an option that it does not know" {
    run -2 "$ROOT/tools/coverage" --quickly
    [ "$output" = "tools/coverage: no such option: --quickly (see --help)" ]
}
