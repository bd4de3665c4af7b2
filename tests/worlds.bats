#!/usr/bin/env bats
# The quick part of tools/worlds: other libcs, word sizes, processors and optimisations, where their packages are here.

load helpers

# A world passes, or says why it cannot be entered. Only CI installs packages for it.
world() {
    local options=(--quick --no-install)
    if [ "${CI:-}" = true ]; then
        options=(--quick)
    fi
    run env AIRLOCK_BUILD="$BUILD" timeout -k 5 240 "$ROOT/tools/worlds" "${options[@]}" "$1"
    if [[ $output =~ skipped:\ ([^$'\n']*) ]]; then
        skip "${BASH_REMATCH[1]}"
    fi
    echo "$output" | grep -vE '^ok ' | head -n 60
    [ "$status" -eq 0 ]
    [[ ${lines[-1]} =~ ^[1-9][0-9]*\ passed,\ 0\ failed$ ]]
}

@test "under musl the library is loaded, reads musl's file actions and answers what musl answers" {
    world musl
}

@test "32-bit programs are covered, and trees of both word sizes by one name" {
    world i386
}

@test "under an emulator that copies memory, where libc loses every error, the errors are exact" {
    world aarch64
}

@test "for riscv64, which exchanges no single byte, everything links without libatomic, and the errors are exact, too" {
    world riscv64
}

@test "link-time optimisation leaves the child half without libc, and the symbol versions in place" {
    world lto
}

@test "with ThreadSanitizer the storm shows no data race, and each child has the mask that it should have" {
    world tsan
}

@test "tools/worlds names its worlds, and refuses one that it does not know" {
    run "$ROOT/tools/worlds" --list
    [ "$status" -eq 0 ]
    for name in musl i386 aarch64 riscv64 kernel-old kernel-new kernel-aarch64 kernel-riscv64 clang O0 lto asan tsan valgrind; do
        grep -q "^$name " <<<"$output"
    done
    run "$ROOT/tools/worlds" --no-install nowhere
    [ "$status" -eq 2 ]
}

@test "a world that cannot be entered is skipped with its reason, and is no success" {
    # Nothing was ever fetched to this folder.
    AIRLOCK_BUILD=$BATS_TEST_TMPDIR run "$ROOT/tools/worlds" --quick --no-install kernel-old
    [ "$status" -eq 1 ]
    [[ $output == *"skipped: "* && ${lines[-1]} == "0 passed, 0 failed, 1 skipped" ]]
}
