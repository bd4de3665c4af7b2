#!/usr/bin/env bats
# Trees of 32-bit and 64-bit programs: $LIB in LD_PRELOAD lets each loader complete the name to its own library.

load ../../tests/helpers

here=$PROBES
there=$BUILD/../native/tests/probes
look_ok=$'spawn: ok\nchild: exit 0'

setup() {
    cd "$BATS_TEST_TMPDIR" || return
    echo text >file
}

@test "the name to preload is completed by the loader" {
    # shellcheck disable=SC2016  # by the loader, and not by a shell
    [[ $PRELOAD == *'/$LIB/'* ]]
    [[ $(readelf -h "$here/spawn") == *ELF32* && $(readelf -h "$there/spawn") == *ELF64* ]]
}

@test "a 32-bit and a 64-bit program seal each other's children, whoever begins" {
    local one other
    for one in "$here" "$there"; do
        for other in "$here" "$there"; do
            assert_enforced $'descriptors: 0 1 2\n'"$look_ok" "$one/spawn" have 7 file -- "$other/look" descriptors
            run plain "$one/spawn" have 7 file -- "$other/look" descriptors
            assert_lines "descriptors: 0 1 2 7" "spawn: ok" "child: exit 0"
        done
    done
}

@test "a tree whose generations alternate is covered all the way down" {
    # The second generation leaks a descriptor of its own to the third.
    assert_enforced $'descriptors: 0 1 2\n'"$look_ok"$'\n'"$look_ok" \
        "$there/spawn" have 7 file -- "$here/spawn" have 8 file -- "$there/look" descriptors
    assert_enforced $'descriptors: 0 1 2\n'"$look_ok"$'\n'"$look_ok" \
        "$here/spawn" have 7 file -- "$there/spawn" have 8 file -- "$here/look" descriptors
}

@test "no loader complains of a library of the other kind" {
    run enforced "$here/shell" system "exit 3"
    assert_lines "system: exit 3"
    run enforced "$there/shell" system "exec '$here/look' exit 4"
    assert_lines "system: exit 4"
}

@test "both versions of posix_spawn are exported under libc's own names" {
    local name version
    for name in posix_spawn posix_spawnp; do
        for version in GLIBC_2.2 GLIBC_2.15; do
            nm -D --defined-only "$BUILD/shim/libairlock-preload.so" | grep -qE " $name@@?$version\$"
        done
    done
}

@test "32-bit programs are spawned through clone3, with the cut" {
    run plain "$here/library_command" paths
    [[ ${lines[0]} == "plain: clone3, shared memory, cut" ]]
}
