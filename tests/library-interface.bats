#!/usr/bin/env bats
# The library as others get it: what is installed, compiled against and exported, and what its child half may call.

load helpers

setup_file() {
    DESTDIR=$BATS_FILE_TMPDIR/root
    export DESTDIR
    meson install -C "$BUILD" --no-rebuild --quiet
    PC=$(dirname "$(find "$DESTDIR" -name airlock.pc)")
    export PC
}

# pkg-config as an application's build calls it, for the installed tree.
flags() {
    PKG_CONFIG_PATH=$PC PKG_CONFIG_SYSROOT_DIR=$DESTDIR pkg-config "$@" airlock
}

library() {
    dirname "$PC"
}

public_functions() {
    sed -nE 's/^AIRLOCK_API .*[ *](airlock_[a-z0-9_]+)\(.*/\1/p' "$ROOT/core/airlock.h" | sort
}

write_program() {
    cat >"$BATS_TEST_TMPDIR/$1" <<'END'
#include <airlock.h>

#include <stdio.h>
#include <string.h>

int main(void) {
    char name[] = "sh", option[] = "-c", script[] = "echo from the child; exit 3", text[64];
    char *argv[] = {name, option, script, 0};
    struct airlock_action actions[] = {AIRLOCK_CHDIR("/"), AIRLOCK_DUP2(1, 5), AIRLOCK_CLOSE(5)};
    struct airlock_command command;
    struct airlock_process process = AIRLOCK_PROCESS_NONE;
    struct airlock_output output;
    struct airlock_error error;
    memset(&command, 0, sizeof command);
    command.path = "/bin/sh";
    command.argv = argv;
    command.actions = actions;
    command.action_count = 3;
    command.seal = AIRLOCK_SEAL;
    command.flags = AIRLOCK_SETSID | AIRLOCK_SETMASK;
    airlock_process_close(&process);
    if (airlock_collect(&command, 0, &output, &error) != 0)
        return 1;
    airlock_status_text(output.status, text, sizeof text);
    printf("%s%s\n", output.out, text);
    airlock_output_free(&output);
    return 0;
}
END
}

expected=$'from the child\nexited with 3'

@test "a C program compiles without warnings, links with the shared library and runs" {
    write_program program.c
    # shellcheck disable=SC2046
    gcc -std=c99 -pedantic -Wall -Wextra -Werror "$BATS_TEST_TMPDIR/program.c" -o "$BATS_TEST_TMPDIR/program" \
        $(flags --cflags --libs)
    run env LD_LIBRARY_PATH="$(library)" "$BATS_TEST_TMPDIR/program"
    [ "$output" = "$expected" ]
}

@test "a C++ program does the same" {
    write_program program.cc
    # shellcheck disable=SC2046
    g++ -std=c++11 -Wall -Wextra -Werror "$BATS_TEST_TMPDIR/program.cc" -o "$BATS_TEST_TMPDIR/program" \
        $(flags --cflags --libs)
    run env LD_LIBRARY_PATH="$(library)" "$BATS_TEST_TMPDIR/program"
    [ "$output" = "$expected" ]
}

@test "a program links with the static library and needs no other file" {
    write_program program.c
    # shellcheck disable=SC2046
    gcc "$BATS_TEST_TMPDIR/program.c" -o "$BATS_TEST_TMPDIR/program" $(flags --cflags) -static "$(library)/libairlock.a"
    run env -i "$BATS_TEST_TMPDIR/program"
    [ "$output" = "$expected" ]
}

@test "the shared library has a soname, needs libc alone and exports exactly what the header declares, with a version" {
    local file
    file=$(library)/libairlock.so
    [ "$(readelf -d "$file" | sed -nE 's/.*\(SONAME\).*\[(.*)\]/\1/p')" = libairlock.so.0 ]
    [ "$(readelf -d "$file" | sed -nE 's/.*\(NEEDED\).*\[(.*)\]/\1/p')" = libc.so.6 ]
    diff -u <(public_functions | sed 's/$/@@AIRLOCK_0/') \
        <(nm -D --defined-only "$file" | awk '$2 == "T" { print $3 }' | sort)
    [ "$(public_functions | wc -l)" -ge 18 ]
}

@test "every public function has a manual page" {
    local name missing=()
    for name in $(public_functions); do
        [ -n "$(find "$DESTDIR" -path "*/man3/$name.3*")" ] || missing+=("$name")
    done
    echo "${missing[@]}"
    [ "${#missing[@]}" -eq 0 ]
}

@test "the child half calls nothing but itself" {
    # What its object files need and none of them has; environ is a variable.
    run bash -c '
        nm -u "$1"/*.o | sed -nE "s/^ +U //p" | sort -u |
            grep -vxFf <(nm --defined-only "$1"/*.o | awk "NF == 3 { print \$3 }") |
            grep -vxE "environ|_GLOBAL_OFFSET_TABLE_|\.TOC\."' check "$BUILD/core/libairlock-child.a.p"
    echo "$output"
    [ -z "$output" ]
    [ "$(find "$BUILD/core/libairlock-child.a.p" -name '*.o' | wc -l)" -ge 6 ]
}

@test "the header can be included twice, and before everything else" {
    printf '#include <airlock.h>\n#include <airlock.h>\nint main(void) { return 0; }\n' >"$BATS_TEST_TMPDIR/twice.c"
    # shellcheck disable=SC2046
    gcc -std=c11 -pedantic -Wall -Wextra -Werror -c "$BATS_TEST_TMPDIR/twice.c" -o /dev/null $(flags --cflags)
}

# ---- The examples

examples=$BUILD/core/examples

@test "the example of a safe popen sends far more than a pipe holds through a program" {
    seq 300000 >"$BATS_TEST_TMPDIR/numbers"
    run plain bash -c "'$examples/example-filter' tac <'$BATS_TEST_TMPDIR/numbers' >'$BATS_TEST_TMPDIR/back'"
    [ "$output" = "tac exited with 0" ]
    cmp "$BATS_TEST_TMPDIR/back" <(tac "$BATS_TEST_TMPDIR/numbers")
}

@test "the example of a safe popen says what is wrong with a program that is not there" {
    run plain bash -c "'$examples/example-filter' no-such-program </dev/null; echo \$?"
    [ "$output" = $'example-filter: exec no-such-program: ENOENT\n127' ]
}

@test "the example of a supervisor starts its commands again and says how each ended" {
    run plain "$examples/example-supervisor" 2 'exit 3' 'kill -KILL $$'
    [ "$status" -eq 0 ]
    [ "$(sort <<<"$output")" = 'exit 3: exited with 3
exit 3: exited with 3
kill -KILL $$: killed by SIGKILL (9)
kill -KILL $$: killed by SIGKILL (9)' ]
}

@test "the example of a supervisor ends where SIGCHLD is ignored, too" {
    run plain timeout -k 1 20 env --ignore-signal=CHLD "$examples/example-supervisor" 2 'exit 3'
    [ "$status" -eq 0 ]
    [ "$output" = $'exit 3: ended, and its status is lost\nexit 3: ended, and its status is lost' ]
}

@test "the example of a pipeline passes everything through three programs, and the first ends when the last does" {
    plain "$examples/example-pipeline" 'seq 10' 'tail -n 2' 'tac' >"$BATS_TEST_TMPDIR/out" 2>"$BATS_TEST_TMPDIR/err"
    [ "$(<"$BATS_TEST_TMPDIR/out")" = $'10\n9' ]
    [ "$(<"$BATS_TEST_TMPDIR/err")" = $'seq 10: exited with 0\ntail -n 2: exited with 0\ntac: exited with 0' ]
    plain "$examples/example-pipeline" 'exec yes' 'exec cat' 'exec head -n 1' >"$BATS_TEST_TMPDIR/out" 2>"$BATS_TEST_TMPDIR/err"
    [ "$(<"$BATS_TEST_TMPDIR/out")" = y ]
    [ "$(<"$BATS_TEST_TMPDIR/err")" = \
        $'exec yes: killed by SIGPIPE (13)\nexec cat: killed by SIGPIPE (13)\nexec head -n 1: exited with 0' ]
}
