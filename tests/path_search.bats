#!/usr/bin/env bats
# Where posix_spawnp looks for a program: libc's rules, each with its reason to exist.

# Programs in single quotes are meant for another shell.
# shellcheck disable=SC2016

load helpers

spawn=$PROBES/spawn
look_ok=$'spawn: ok\nchild: exit 0'

setup() {
    cd "$BATS_TEST_TMPDIR" || return
    mkdir one two refused
    for place in one two; do
        printf '#!/bin/sh\necho "from %s"\n' "$place" >"$place/program"
        chmod +x "$place/program"
    done
    echo data >refused/program
    echo data >file
}

# posix_spawnp of "program" with PATH, both with and without airlock, prints EXPECTED.
found_in() {
    local expected=$1 path=$2
    shift 2
    assert_both "$expected" "$spawn" call spawnp setenv PATH "$path" "$@" -- program
}

one=$'from one\n'"$look_ok"
two=$'from two\n'"$look_ok"

@test "the first element that has the program wins" {
    found_in "$one" "$PWD/one:$PWD/two"
    found_in "$two" "$PWD/two:$PWD/one"
}

@test "an element without the program is passed over" {
    found_in "$two" "$PWD/missing:$PWD:$PWD/two"
}

@test "the parent's PATH is searched, whatever envp says" {
    assert_both "$one" "$spawn" call spawnp setenv PATH "$PWD/one" envp PATH="$PWD/two" -- program
    assert_both "spawn: ENOENT" "$spawn" call spawnp setenv PATH "$PWD/missing" envp PATH="$PWD/two" -- program
    assert_both "$one" "$spawn" call spawnp setenv PATH "$PWD/one" how no-envp -- program
}

@test "nowhere in PATH is ENOENT" {
    found_in "spawn: ENOENT" "$PWD/missing:$PWD"
}

@test "a file without permission is passed over and remembered" {
    found_in "$one" "$PWD/refused:$PWD/one"
    found_in "spawn: EACCES" "$PWD/refused:$PWD/missing"
    found_in "spawn: EACCES" "$PWD/missing:$PWD/refused"
}

@test "a directory of the program's name is passed over and remembered" {
    mkdir -p three/program
    found_in "$one" "$PWD/three:$PWD/one"
    found_in "spawn: EACCES" "$PWD/three"
}

@test "an element that is no directory is passed over and not remembered" {
    found_in "$one" "$PWD/file:$PWD/one"
    assert_same "$spawn" call spawnp setenv PATH "$PWD/file" -- program
    found_in "spawn: ENOENT" "$PWD/file:$PWD/missing"
}

@test "a file that is no program ends the search" {
    mkdir four
    echo 'echo text' >four/program
    chmod +x four/program
    found_in "spawn: ENOEXEC" "$PWD/four:$PWD/one"
}

@test "a loop of links ends the search" {
    mkdir five
    ln -s program five/program
    found_in "spawn: ELOOP" "$PWD/five:$PWD/one"
}

@test "an empty element is the current directory, first, last or in the middle" {
    cp one/program .
    found_in "$one" ":$PWD/two"
    found_in "$one" "$PWD/missing:"
    found_in "$one" "$PWD/missing::$PWD/two"
    found_in "$one" ""
}

@test "a relative element is taken from the directory of the chdir action" {
    mkdir elsewhere
    cp -r two elsewhere/one
    found_in "$one" "one"
    found_in "$two" "one" chdir elsewhere
    found_in "$two" "" chdir two
    found_in "$two" "" have 7 two fchdir 7
}

@test "an unset PATH is libc's default, which has the system's programs and not the current directory" {
    cp one/program .
    assert_both "spawn: ENOENT" "$spawn" call spawnp unsetenv PATH -- program
    assert_both "$look_ok" "$spawn" call spawnp unsetenv PATH -- true
}

@test "a name with a slash is not searched" {
    assert_both "spawn: ENOENT" "$spawn" call spawnp setenv PATH "$PWD" -- missing/program
    assert_both "$one" "$spawn" call spawnp setenv PATH /nonexistent -- one/program
    assert_both "$one" "$spawn" call spawnp setenv PATH /nonexistent -- ./one/program
    assert_both "spawn: EACCES" "$spawn" call spawnp setenv PATH "$PWD/one" -- refused/program
}

@test "posix_spawn does not search at all" {
    assert_both "spawn: ENOENT" "$spawn" call spawn setenv PATH "$PWD/one" -- program
    cp one/program .
    assert_both "$one" "$spawn" call spawn setenv PATH "$PWD/two" -- program
}

@test "an empty name is ENOENT even where PATH has a current directory" {
    assert_both "spawn: ENOENT" "$spawn" call spawnp setenv PATH ":$PWD" path "" -- x
}

@test "a name of the greatest length is searched, one longer is ENAMETOOLONG" {
    local name
    name=$(printf '%255s' '' | tr ' ' n)
    cp one/program "two/$name"
    assert_both "$one" "$spawn" call spawnp setenv PATH "$PWD/one:$PWD/two" -- "$name"
    assert_both "spawn: ENAMETOOLONG" "$spawn" call spawnp setenv PATH "$PWD/one:$PWD/two" -- "${name}n"
}

@test "an element longer than any path is passed over" {
    local long
    long=/$(printf '%5000s' '' | tr ' ' x)
    found_in "$one" "$long:$PWD/one"
    found_in "spawn: ENOENT" "$PWD/missing:$long"
    # With libc the error is whatever errno was before.
    assert_enforced "spawn: ENOENT" "$spawn" call spawnp setenv PATH "$long" -- program
}

@test "an element of the greatest length that a path may have is searched" {
    local long path=$PWD
    while [ ${#path} -lt 3800 ]; do path=$path/$(printf '%200s' '' | tr ' ' d); done
    mkdir -p "$path"
    cp one/program "$path"
    found_in "$one" "$PWD/missing:$path"
    long=$(printf '%4095s' '' | tr ' ' /)
    assert_same "$spawn" call spawnp setenv PATH "$long:$PWD/one" -- program
    assert_same "$spawn" call spawnp setenv PATH "${long%/}:$PWD/one" -- program
}

@test "a PATH of thousands of elements is searched to its end" {
    local path=
    for number in {1..3000}; do path+=/missing/$number:; done
    found_in "$one" "$path$PWD/one"
}

@test "an error that is the file system's trouble is passed over, any other ends the search" {
    for code in ESTALE ENODEV ETIMEDOUT EIO; do
        assert_same "$PROBES/deny" execve=$code "$spawn" call spawnp setenv PATH "$PWD/one:$PWD/two" -- program
    done
}

@test "elements and names that are not UTF-8 are searched byte for byte" {
    local place=$PWD/$'\xff\xfe' name=$'\xc3\x28'
    mkdir "$place"
    cp one/program "$place/$name"
    assert_both "$one" "$spawn" call spawnp setenv PATH "$place" -- "$name"
}

@test "a spawn that needs another way to make the child searches by the same rules" {
    found_in "$one" "$PWD/refused:$PWD/file:$PWD/one" resetids
    found_in "spawn: EACCES" "$PWD/refused:$PWD/file" resetids
    cp two/program .
    found_in "$two" "one:" resetids chdir two
}
