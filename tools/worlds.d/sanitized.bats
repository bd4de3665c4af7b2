#!/usr/bin/env bats
# The preload, built as always, in programs that were built with AddressSanitizer and UBSan.

load ../../tests/helpers

spawn=$PROBES/spawn
look=$PROBES/look
ordinary=$BUILD/../native

setup() {
    cd "$BATS_TEST_TMPDIR" || return
    echo text >file
}

# The sanitizer's runtime wants to be the first library.
behind_runtime() {
    PRELOAD="$(gcc -print-file-name=libasan.so):$ordinary/shim/libairlock-preload.so" enforced "$@"
}

@test "the programs here are instrumented, the library is not" {
    nm -D "$spawn" | grep -q __asan_init
    run nm -D "$ordinary/shim/libairlock-preload.so"
    [[ $output != *asan* ]]
}

@test "behind the runtime the library seals the children of an instrumented program" {
    run behind_runtime "$spawn" have 7 file many 30 -- "$look" descriptors
    assert_lines "descriptors: 0 1 2" "spawn: ok" "child: exit 0"
    run behind_runtime "$PROBES/shell" have 7 file system "exec '$look' descriptors"
    assert_lines "descriptors: 0 1 2" "system: exit 0"
    run behind_runtime "$PROBES/stream" have 7 file popen r "exec '$look' descriptors" read 0 pclose 0
    assert_lines "popen: ok" "descriptors: 0 1 2" "pclose: exit 0"
}

@test "errors and actions are what they are elsewhere" {
    run behind_runtime "$spawn" -- /nonexistent
    assert_lines "spawn: ENOENT"
    run behind_runtime "$spawn" have 7 file dup2 7 9 chdir / -- "$look" descriptors directory
    assert_lines "descriptors: 0 1 2 9" "directory: /" "spawn: ok" "child: exit 0"
}

@test "before the runtime the sanitizer refuses by itself, and says which order it wants" {
    PRELOAD=$ordinary/shim/libairlock-preload.so run enforced "$spawn" -- "$look" descriptors
    [ "$status" -ne 0 ]
    [[ $output == *"runtime does not come first"* ]]
}

@test "a program of clang, which holds the runtime itself, needs no order" {
    command -v clang >/dev/null || skip "needs clang"
    cat >program.c <<'END'
#include <fcntl.h>
#include <stdlib.h>
int main(int argc, char **argv) {
    open("file", O_RDONLY);
    return argc < 2 || system(argv[1]) != 0;
}
END
    clang -fsanitize=address -o program program.c || skip "this clang has no runtime"
    PRELOAD=$ordinary/shim/libairlock-preload.so run enforced ./program "exec '$ordinary/tests/probes/look' descriptors"
    [ "$status" -eq 0 ]
    assert_lines "descriptors: 0 1 2"
}
