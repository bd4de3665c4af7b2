#!/usr/bin/env bats
# shellcheck disable=SC2016  # the programs that the tests start expand their own variables
# GNU make starts recipes and $(shell) with posix_spawn.

load programs/common.bash

# Files that a recipe cannot run as it stands.
make_scratch() {
    SCRATCH=$BATS_TEST_TMPDIR/scratch
    export SCRATCH
    mkdir -p "$SCRATCH/directory"
    echo 'echo not reached' >"$SCRATCH/not-executable"
    echo 'echo "run by the shell with $1"' >"$SCRATCH/no-interpreter"
    chmod +x "$SCRATCH/no-interpreter"
}


@test "a recipe that make starts without a shell holds nothing that make was given" {
    assert_sealed "$LEAK" "${HOLDING[@]}" "$LEAK" make -f "$INPUTS/recipes.mk" direct
}

@test "a recipe that make starts through a shell holds nothing that make was given" {
    assert_sealed "$LEAK" "${HOLDING[@]}" "$LEAK" make -f "$INPUTS/recipes.mk" shell
}

@test "a command of make's shell function holds nothing that make was given" {
    target=$LEAK
    expand=("${HOLDING[@]}" "$target" make -f "$INPUTS/recipes.mk" expansion)
    [[ $(plain "${expand[@]}") == *"9 $target"* ]]
    listing=$(enforced "${expand[@]}" </dev/null)
    # make joins the lines of the listing: the numbers are every other word.
    [ "$(xargs -n 2 <<<"$listing" | numbers)" = "0 1 2" ]
}

@test "recipes that run side by side with -j hold nothing that make was given, nor its jobserver" {
    assert_sealed "$LEAK" "${HOLDING[@]}" "$LEAK" make -j2 -f "$INPUTS/recipes.mk" pair
}

@test "what recipes print is the same" {
    assert_same make -f "$INPUTS/recipes.mk" output one-shell
}

@test "a recipe that fails, or is ignored, is reported by make in the same words" {
    assert_same make -f "$INPUTS/recipes.mk" fails
    assert_same make -f "$INPUTS/recipes.mk" ignored
    assert_same make -k -f "$INPUTS/recipes.mk" fails output
}

@test "a recipe that is killed is reported by make in the same words" {
    assert_same make -f "$INPUTS/recipes.mk" killed
}

@test "a program that does not exist, may not run or is a directory is reported by make in the same words" {
    make_scratch
    assert_same make -f "$INPUTS/recipes.mk" missing
    assert_same make -f "$INPUTS/recipes.mk" no-permission
    assert_same make -f "$INPUTS/recipes.mk" directory
}

@test "a recipe that is a text without an interpreter line is run by make in the same way" {
    make_scratch
    assert_same make -f "$INPUTS/recipes.mk" no-interpreter
    [[ $(enforced make -f "$INPUTS/recipes.mk" no-interpreter) == "run by the shell with argument" ]]
}

@test "twenty recipes under -j4 print the same lines" {
    assert_same sh -c 'make -j4 -f "$0" many | sort' "$INPUTS/recipes.mk"
}

@test "make -j with synchronised output prints the same lines" {
    assert_same sh -c 'make -j4 -O -f "$0" many | sort' "$INPUTS/recipes.mk"
}
