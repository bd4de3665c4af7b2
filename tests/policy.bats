#!/usr/bin/env bats
# shellcheck disable=SC2016 # most programs here are words for another language
# shellcheck disable=SC2154 # bats assigns stderr and stderr_lines
# shellcheck disable=SC2030,SC2031 # a test may change what setup has set, for itself
# shellcheck disable=SC2054 # commas belong to the words
#
# A policy as a file: what its lines do to the children of an unmodified program, which line wins, where a mistake is
# said to be, and that nothing that can be found at its path keeps a program from starting.

bats_require_minimum_version 1.8.0
load helpers

spawn=$PROBES/spawn
look=$PROBES/look

setup() {
    cd "$BATS_TEST_TMPDIR" || return
    file=$BATS_TEST_TMPDIR/policy
    echo data >data.txt
}

# Writes the policy: one argument a line.
policy() {
    printf '%s\n' "$@" >"$file"
}

# The descriptors above 2 that a child of CMD holds, under the policy.
children_hold() {
    local expected=$1
    shift
    run enforced env AIRLOCK_POLICY="$file" "$@"
    assert_lines "descriptors: 0 1 2${expected:+ $expected}" "spawn: ok" "child: exit 0"
}

# ... of a process that holds 7, 8 and 9.
numbers_kept() {
    children_hold "$1" "$spawn" how empty-envp have 7 /dev/null have 8 /dev/null have 9 /dev/null "${@:2}" -- "$look" descriptors
}

# ... of a process that holds one of each kind: 10 socket, 11 and 12 pipe, 13 file, 14 directory, 15 device,
# 16 anonymous, 17 removed file.
kinds_kept() {
    children_hold "$1" "$PROBES/kinds" "$PWD/data.txt" "$spawn" how empty-envp -- "$look" descriptors
}

# The program says WORDS… in one line on standard error, and runs.
says() {
    run -0 --separate-stderr enforced env AIRLOCK_POLICY="$file" "$look" say "it runs"
    [ "$output" = "it runs" ]
    echo "stderr: $stderr"
    [ "${#stderr_lines[@]}" -eq 1 ]
    local word
    for word in "$@"; do
        [[ $stderr == *"$word"* ]] || { echo "no '$word'" && return 1; }
    done
}

# The program starts without a word.
says_nothing() {
    run -0 --separate-stderr enforced env AIRLOCK_POLICY="$file" "$look" say "it runs"
    [ "$output" = "it runs" ] && [ -z "$stderr" ]
}

# airlock policy check prints exactly these lines, without the name of the file in front, and fails.
mistakes_are() {
    run -1 --separate-stderr plain "$AIRLOCK" policy check "$file"
    [ -z "$stderr" ]
    output=${output//"$file:"/}
    assert_lines "$@"
}

# What lines do

@test "an empty policy changes nothing" {
    policy "" "# nothing" "   "
    numbers_kept ""
    says_nothing
}

@test "keep passes on the numbers of its list" {
    policy "keep 7,9-20"
    numbers_kept "7 9"
}

@test "keep all passes on everything" {
    policy "keep all"
    numbers_kept "7 8 9"
}

@test "keep leaves a descriptor close-on-exec when the program made it so" {
    policy "keep all"
    numbers_kept "7 8 9" have-cloexec 10 /dev/null
}

@test "mode off passes on everything, mode enforce nothing" {
    policy "mode off"
    numbers_kept "7 8 9"
    policy "mode enforce"
    numbers_kept ""
}

@test "mode audit passes on everything" {
    policy "mode audit"
    numbers_kept "7 8 9"
}

@test "signals and mask reset what they name" {
    local words=(how empty-envp ignore HUP block USR1 -- "$look" ignored blocked)
    policy "signals all" "mask clear"
    run -0 enforced env AIRLOCK_POLICY="$file" "$spawn" "${words[@]}"
    assert_lines "ignored: none" "blocked: none" "spawn: ok" "child: exit 0"
    policy "signals inherit" "mask inherit"
    run -0 enforced env AIRLOCK_POLICY="$file" "$spawn" "${words[@]}"
    assert_lines "ignored: HUP" "blocked: USR1" "spawn: ok" "child: exit 0"
}

@test "keep socket, pipe, file, directory, device and anonymous each pass on that kind" {
    policy "keep socket" && kinds_kept "10"
    policy "keep pipe" && kinds_kept "11 12"
    policy "keep file" && kinds_kept "13 17"
    policy "keep directory" && kinds_kept "14"
    policy "keep device" && kinds_kept "15"
    policy "keep anonymous" && kinds_kept "16"
}

@test "seal takes a kind out of what is kept" {
    policy "keep all" "seal socket" && kinds_kept "11 12 13 14 15 16 17"
    policy "keep all" "seal pipe" "seal file" "seal anonymous" && kinds_kept "10 14 15"
    policy "keep all" "seal all" && kinds_kept ""
}

@test "keep path passes on what lies at a path" {
    policy "keep path $PWD/data.txt" && kinds_kept "13"
    policy "keep path $PWD/*.txt" && kinds_kept "13"
    policy "keep path *.txt" && kinds_kept "13"
    policy "keep path /**" && kinds_kept "13 14 15 17"
    policy "keep path /dev/nul[k-m]" && kinds_kept "15"
    policy "keep path /*" && kinds_kept ""
    policy "keep path data" && kinds_kept ""
}

@test "a removed file has the path that it had" {
    policy "keep path data.txt.removed" && kinds_kept "17"
}

@test "kinds are told apart with every descriptor in use" {
    policy "keep path /dev/zero"
    children_hold "7" "$spawn" how empty-envp have 7 /dev/zero have 8 /etc/passwd nofile 64 fill -- "$look" descriptors
}

@test "more kept descriptors than the library can tell apart are all kept" {
    policy "keep device"
    local words=() number expected=()
    for ((number = 300; number < 700; number += 4)); do
        words+=(have "$number" /dev/zero have "$((number + 2))" "$PWD/data.txt")
        expected+=("$number" "$((number + 2))")
    done
    children_hold "${expected[*]}" "$spawn" how empty-envp "${words[@]}" -- "$look" descriptors
}

@test "many descriptors of a kind are told from one of another kind" {
    policy "keep device"
    local words=(have 298 "$PWD/data.txt" have 701 "$PWD/data.txt") number expected=()
    for ((number = 300; number < 700; number += 2)); do
        words+=(have "$number" /dev/zero)
        expected+=("$number")
    done
    children_hold "${expected[*]}" "$spawn" how empty-envp "${words[@]}" -- "$look" descriptors
}

@test "a program that makes a descriptor inheritable passes it on unless the policy seals it" {
    [ -n "$(type -P python3)" ] || skip "needs python3"
    local program='import os; os.set_inheritable(os.dup2(os.open("/dev/zero", 0), 7, False), True); os.system("exec \"$0\" descriptors".replace("$0", os.environ["LOOK_AT"]))'
    policy "" && run -0 enforced env LOOK_AT="$look" AIRLOCK_POLICY="$file" python3 -c "$program"
    assert_lines "descriptors: 0 1 2 7"
    policy "seal 7" && run -0 enforced env LOOK_AT="$look" AIRLOCK_POLICY="$file" python3 -c "$program"
    assert_lines "descriptors: 0 1 2"
    policy "convention intent off" && run -0 enforced env LOOK_AT="$look" AIRLOCK_POLICY="$file" python3 -c "$program"
    assert_lines "descriptors: 0 1 2"
    policy "convention intent off" "convention intent on" &&
        run -0 enforced env LOOK_AT="$look" AIRLOCK_POLICY="$file" python3 -c "$program"
    assert_lines "descriptors: 0 1 2 7"
}

@test "a convention that is switched off no longer keeps, and one that is switched on again does" {
    local words=(how empty-envp have 7 /dev/zero envp WAYLAND_SOCKET=7 -- "$look" descriptors)
    policy "" && children_hold "7" "$spawn" "${words[@]}"
    policy "convention WAYLAND_SOCKET off" && children_hold "" "$spawn" "${words[@]}"
    policy "convention WAYLAND_SOCKET off" "convention WAYLAND_SOCKET on" && children_hold "7" "$spawn" "${words[@]}"
}

@test "what a process was given at its start is passed on when the policy says so" {
    local holder=("$PROBES/kinds" "$PWD/data.txt" "$spawn" how empty-envp have 30 /dev/zero -- "$look" descriptors)
    policy "convention inherited on" && children_hold "10 11 12 13 14 15 16 17" "${holder[@]}"
    policy "convention inherited off" && children_hold "" "${holder[@]}"
    policy "[program look]" "convention inherited on" && children_hold "10 11 12 13 14 15 16 17" "${holder[@]}"
    policy "[program cat]" "convention inherited on" && children_hold "" "${holder[@]}"
}

# Sections

@test "a section about a program holds for that program alone" {
    policy "[program $look]" "keep 7" && numbers_kept "7"
    policy "[program /bin/cat]" "keep 7" && numbers_kept ""
    policy "[program look]" "keep 7" "[program loo]" "keep 8" "[program l*]" "keep 9" && numbers_kept "7 9"
}

@test "a section about a caller holds for that caller alone" {
    policy "[caller $spawn]" "keep 7" && numbers_kept "7"
    policy "[caller $look]" "keep 7" && numbers_kept ""
    policy "[caller spawn]" "keep 7" "[caller sp?wn]" "keep 8" "[caller sp?]" "keep 9" && numbers_kept "7 8"
}

@test "a section about both needs both" {
    policy "[caller spawn program look]" "keep 7" "[program look caller spawn]" "keep 8" \
        "[caller spawn program cat]" "keep 9" && numbers_kept "7 8"
    policy "[caller cat program look]" "keep 7" && numbers_kept ""
}

@test "lines behind [all] hold for everything again" {
    policy "[program cat]" "keep 7" "[all]" "keep 8" && numbers_kept "8"
}

@test "a section about a path holds for a name that is found there in PATH" {
    policy "[program ${look%/*}/*]" "keep 7"
    children_hold "7" env PATH="/nowhere::${look%/*}" "$spawn" call spawnp how empty-envp have 7 /dev/null -- look descriptors
    policy "[program /bin/look]" "keep 7"
    children_hold "" env PATH="/nowhere::${look%/*}" "$spawn" call spawnp how empty-envp have 7 /dev/null -- look descriptors
}

@test "system executes the shell" {
    policy "[program /bin/sh]" "keep 7"
    run -0 enforced env AIRLOCK_POLICY="$file" "$PROBES/shell" have 7 /dev/null have 8 /dev/null system "exec '$look' descriptors"
    assert_lines "descriptors: 0 1 2 7" "system: exit 0"
}

@test "a section can enforce where the default is off, and the other way round" {
    policy "mode off" "[program look]" "mode enforce" && numbers_kept ""
    policy "mode off" "[program cat]" "mode enforce" && numbers_kept "7 8 9"
    policy "[program look]" "mode off" && numbers_kept "7 8 9"
}

# Which line wins

@test "the later of two lines wins" {
    policy "mode off" "mode enforce" && numbers_kept ""
    policy "mode enforce" "mode off" && numbers_kept "7 8 9"
    policy "keep 7-9" "seal 8" && numbers_kept "7 9"
    policy "seal 7-9" "keep 8" && numbers_kept "8"
    policy "keep 7-9" "seal 7-8" "keep 7" && numbers_kept "7 9"
    policy "seal socket" "keep 10-12" && kinds_kept "10 11 12"
    policy "keep 10-12" "seal socket" && kinds_kept "11 12"
    policy "keep file" "seal path *.txt" "keep 10" && kinds_kept "10 17"
}

@test "the later of two sections wins, whichever is narrower" {
    policy "[program look]" "seal 7" "[all]" "keep 7-8" && numbers_kept "7 8"
    policy "keep 7-8" "[program look]" "seal 7" && numbers_kept "8"
}

@test "a variable wins over the file, in every section" {
    policy "mode off" "[program look]" "mode off" "seal 8"
    AIRLOCK_MODE=enforce numbers_kept ""
    AIRLOCK_MODE=enforce AIRLOCK_KEEP=7-8 numbers_kept "7 8"
    policy "mode enforce" && AIRLOCK_MODE=off numbers_kept "7 8 9"
}

@test "AIRLOCK_KEEP keeps besides what the file keeps" {
    policy "keep 7" && AIRLOCK_KEEP=9 numbers_kept "7 9"
}

@test "a wrong variable counts as its default" {
    policy "mode off"
    run -0 --separate-stderr enforced env AIRLOCK_POLICY="$file" AIRLOCK_MODE=x "$look" say "it runs"
    [ "${#stderr_lines[@]}" -eq 1 ]
}

@test "an option wins over the file" {
    policy "mode off"
    run -0 plain "$AIRLOCK" run --mode enforce --policy policy -- "$spawn" how empty-envp have 7 /dev/null -- "$look" descriptors
    assert_lines "descriptors: 0 1 2" "spawn: ok" "child: exit 0"
    run -0 plain "$AIRLOCK" run --policy policy -- "$spawn" how empty-envp have 7 /dev/null -- "$look" descriptors
    assert_lines "descriptors: 0 1 2 7" "spawn: ok" "child: exit 0"
}

@test "run --policy names the file so that it is found from everywhere" {
    policy "keep 7"
    run -0 plain "$AIRLOCK" run --policy ./policy printenv AIRLOCK_POLICY
    [ "$output" = "$(realpath "$file")" ]
}

@test "run --policy refuses a file that the library would not take as it is" {
    policy "keep x" "mode y"
    run -125 --separate-stderr plain "$AIRLOCK" run --policy policy touch started
    [ "${#stderr_lines[@]}" -eq 1 ] && [[ $stderr == "airlock: the policy policy:1:6: 'x' is neither a number nor a range"*"2 in all"* ]]
    run -125 --separate-stderr plain "$AIRLOCK" run --policy nothing touch started
    [ "$stderr" = "airlock: the policy 'nothing' does not exist" ]
    [ ! -e started ]
}

@test "a grandchild reads the same policy" {
    policy "[caller spawn]" "keep 7"
    run -0 enforced env AIRLOCK_POLICY="$file" sh -c "'$spawn' have 7 /dev/zero -- '$spawn' have 8 /dev/zero -- '$look' descriptors"
    [ "${lines[0]}" = "descriptors: 0 1 2" ] || [ "${lines[0]}" = "descriptors: 0 1 2 7" ]
    [[ $output == *"child: exit 0"* ]]
}

# Words

@test "comments, blanks, tabs, carriage returns and escapes are read as the manual says" {
    printf '  keep\t7  # and a comment\r\n#keep 8\r\n\t[program look] # a section\r\nkeep path %s/a\\ b\\#c' "$PWD" >"$file"
    echo data >'a b#c'
    children_hold "7 9" "$spawn" how empty-envp have 7 /dev/null have 8 /dev/null have 9 "$PWD/a b#c" -- "$look" descriptors
    says_nothing
}

@test "a pattern that is made to take long does not" {
    local stars
    stars=$(printf '**a%.0s' {1..80})
    local name
    name=$(printf 'a%.0s' {1..200})
    : >"$name"
    policy "keep path /${stars}b" "keep path $(printf '*a%.0s' {1..80})b"
    AIRLOCK_TEST_LIMIT=20 children_hold "" "$spawn" how empty-envp have 7 "$PWD/$name" -- "$look" descriptors
}

# Mistakes

@test "every mistake has its line, its column, what is accepted and what is done instead" {
    policy "mode foo" "convention MAKEFLAGS off extra" "convention XX off" "convention MAKEFLAGS maybe" "  keep 3,9-7" \
        "keep path" "seal path /a[bc" "keep socket pipe" "[program]" "[program a" "[prog a]" "[]" "kep 3" "[program a program b]"
    local list="accepted are all, a list like 3,7-9, path PATTERN, socket, pipe, file, directory, device and anonymous"
    local sections="accepted are [program PATTERN], [caller PATTERN], both in one, and [all]; the section is left out"
    mistakes_are \
        "1:6: mode 'foo' is unknown; accepted are enforce, audit or off; using enforce" \
        "2:26: 'extra' is one word too many; the line is left out" \
        "3:12: convention 'XX' is unknown; accepted are those that airlock policy conventions prints; the line is left out" \
        "4:22: 'maybe' is unknown; accepted are on or off; the line is left out" \
        "5:10: '9-7' is reversed; $list; the line is left out" \
        "6:10: path needs a pattern; the line is left out" \
        "7:13: the pattern '/a[bc' has a [ without its ]; the line is left out" \
        "8:13: 'pipe' is one word too many; the line is left out" \
        "9:9: program needs a pattern; the section is left out" \
        "10:10: the section has no ] at its end; the section is left out" \
        "11:2: 'prog' is unknown; $sections" \
        "12:2: the section is about nothing; $sections" \
        "13:1: 'kep' is unknown; accepted are mode, signals, mask, keep, seal, convention and a [section]; the line is left out" \
        "14:12: 'program' is given twice; the section is left out"
}

@test "a policy without a mistake is said to be right" {
    policy "mode audit" "[program a]" "keep 3,4"
    run -0 --separate-stderr plain "$AIRLOCK" policy check "$file"
    [ "$output" = "$file: 3 rules, no mistake" ]
    [ -z "$stderr" ]
}

@test "every name that policy conventions prints can be switched off and on" {
    run -0 --separate-stderr plain "$AIRLOCK" policy conventions
    [[ $'\n'$output$'\n' == *$'\nMAKEFLAGS\n'* && $'\n'$output$'\n' == *$'\ninherited (off)\n'* ]]
    local name list=()
    for name in "${lines[@]}"; do
        list+=("convention ${name% (off)} off" "convention ${name% (off)} on")
    done
    policy "${list[@]}"
    run -0 plain "$AIRLOCK" policy check "$file"
    [ "$output" = "$file: ${#list[@]} rules, no mistake" ]
}

@test "policy says how it is used" {
    for words in "" "look" "check" "check a b" "conventions a"; do
        # shellcheck disable=SC2086 # words
        run -125 --separate-stderr plain "$AIRLOCK" policy $words
        [ -z "$output" ] && [ "${#stderr_lines[@]}" -eq 1 ] && [[ $stderr == "airlock: policy"* ]]
    done
    run -0 plain "$AIRLOCK" policy --help
    [[ $output == "Usage: airlock policy check FILE"* ]]
}

@test "the program says the first mistake and how many there are, and what is right holds" {
    policy "keep 7" "mode foo" "keep 8,x" "keep 9"
    says "airlock: $file:2:6: mode 'foo' is unknown" "accepted are enforce, audit or off" "using enforce" "and 1 more mistake,"
    run enforced env AIRLOCK_POLICY="$file" sh -c "exec '$spawn' how empty-envp have 7 /dev/null have 8 /dev/null have 9 /dev/null -- '$look' descriptors 2>/dev/null"
    [ "${lines[-3]}" = "descriptors: 0 1 2 7 9" ]
}

@test "lines below the wrong head of a section hold for nobody" {
    policy "[prgram cat]" "keep 7" "mode off" "[all]" "keep 8"
    run enforced env AIRLOCK_POLICY="$file" sh -c "exec '$spawn' how empty-envp have 7 /dev/null have 8 /dev/null -- '$look' descriptors 2>/dev/null"
    [ "${lines[-3]}" = "descriptors: 0 1 2 8" ]
}

@test "too many rules and too many sections are mistakes, and the first ones hold" {
    printf 'keep %d\n' {1000..1600} >"$file"
    says ":513:1: there are more than 512 rules" "88 more mistakes"
    printf '[program p%d]\nkeep 3\n' {1..200} >"$file"
    says ":255:1: there are more than 127 sections"
    local list
    list=$(seq -s , 1000 1064)
    policy "keep $list" && says ":1:326: '1064' is one item too many"
    printf "keep ${list%,*}\n%.0s" {1..10} >"$file"
    says ":9:1: there are more than 512 rules" "1 more mistake"
    policy "keep path $(printf '%256s' '' | tr ' ' x)" && says "is longer than 255 bytes"
}

# Bad files

@test "a policy of a megabyte is refused in one line" {
    yes 'keep 3' | head -c 1048576 >"$file"
    says "AIRLOCK_POLICY=$file: the file is larger than 64 KiB; using none"
}

@test "a policy of exactly 64 KiB is read, one byte more is refused" {
    { printf 'keep 7\n#' && head -c 65528 /dev/zero | tr '\0' x; } >"$file"
    [ "$(wc -c <"$file")" -eq 65536 ]
    says_nothing
    numbers_kept "7"
    echo >>"$file"
    says "larger than 64 KiB"
}

@test "a line of 64 KiB is a mistake like any other" {
    head -c 65536 /dev/zero | tr '\0' x >"$file"
    says ":1:1: 'xxxxxxxxxx" "is unknown"
    [ "${#stderr}" -lt 1000 ]
    { echo -n "keep " && head -c 60000 /dev/zero | tr '\0' 9; } >"$file"
    says ":1:6: '9999" "is too large"
}

@test "NUL bytes are a mistake, and the other lines hold" {
    printf 'keep 8\0\nkeep 7\n\0' >"$file"
    says ":1:7: there is a NUL byte" "1 more mistake"
    run enforced env AIRLOCK_POLICY="$file" sh -c "exec '$spawn' how empty-envp have 7 /dev/null have 8 /dev/null -- '$look' descriptors 2>/dev/null"
    [ "${lines[-3]}" = "descriptors: 0 1 2 7" ]
    head -c 60000 /dev/zero >"$file"
    says ":1:1: there is a NUL byte"
}

@test "bytes that would change a terminal are not repeated" {
    printf 'mode \033[31mred\n' >"$file"
    says "mode '?[31mred' is unknown"
}

@test "what is no readable regular file is refused in one line" {
    mkdir "$file" && says "is a directory; using none"
    rmdir "$file" && mkfifo "$file" && says "is no regular file; using none"
    rm "$file" && says "does not exist; using none"
    ln -s "$file" "$file" && says "cannot be opened; using none"
    rm "$file" && ln -s /dev/zero "$file" && says "is no regular file; using none"
    file=policy && says "accepted is an absolute path; using none"
    file=/$(printf '%5000s' '' | tr ' ' x) && says "cannot be opened; using none"
}

@test "an empty AIRLOCK_POLICY is none" {
    file=
    says_nothing
}

@test "root believes no file of another user, and none that others can write to" {
    needs_root
    policy "keep 7"
    chmod 666 "$file" && says "can be written to by everybody, who could change what root passes on; using none"
    chmod 664 "$file" && chgrp nogroup "$file" && says "can be written to by its group"
    chgrp root "$file" && says_nothing
    chmod 644 "$file" && chown nobody "$file" && says "belongs to another user"
    chown root "$file" && numbers_kept "7"
}

@test "another user may use a file that is his, and is told of one that he may not read" {
    needs_root
    local everywhere
    everywhere=$(mktemp -d /tmp/airlock-policy.XXXXXX)
    chmod 755 "$everywhere"
    cp "$PRELOAD" "$look" "$everywhere"
    file=$everywhere/policy
    policy "mode foo"
    as_nobody() {
        plain setpriv --reuid=nobody --regid=nogroup --clear-groups env LD_PRELOAD="$everywhere/${PRELOAD##*/}" \
            AIRLOCK_POLICY="$file" "$everywhere/look" say "it runs"
    }
    chown nobody "$file" && chmod 666 "$file"
    run -0 --separate-stderr as_nobody
    local own=$stderr
    chown root "$file" && chmod 600 "$file"
    run -0 --separate-stderr as_nobody
    rm -r "$everywhere"
    [[ $own == *":1:6: mode 'foo' is unknown"* ]]
    [[ $stderr == *"may not be read; using none"* ]]
}

@test "a program that gains privileges opens no policy and reads no variable" {
    needs_root
    policy "mode foo"
    # The loader heeds no LD_PRELOAD here: the program is linked with the library.
    printf '%s\n' '#include <stdio.h>' '#include <stdlib.h>' 'int main(void) { return puts("it runs") < 0 || system(NULL) == 0; }' >own.c
    "${CC:-cc}" own.c -o own "$PRELOAD" -Wl,-rpath,"${PRELOAD%/*}"
    run -0 --separate-stderr plain env AIRLOCK_POLICY="$file" AIRLOCK_MODE=x ./own
    [ "${#stderr_lines[@]}" -eq 2 ]
    chown nobody own && chmod 4755 own
    run -0 --separate-stderr plain env AIRLOCK_POLICY="$file" AIRLOCK_MODE=x ./own
    [ "$output" = "it runs" ] && [ -z "$stderr" ]
}

@test "nothing of the file stays open, and it is read once" {
    command -v strace >/dev/null || skip "needs strace"
    policy "keep 7" "[program look]" "keep socket"
    LIMIT=20 run -0 plain strace -f -e trace=openat,close -o trace env LD_PRELOAD="$PRELOAD" AIRLOCK_POLICY="$file" \
        "$spawn" how empty-envp times 3 -- "$look" descriptors
    # One reading by each of env and spawn: the preload is in both.
    [ "$(grep -c "openat.*\"$file\"" trace)" -eq 2 ] || [ "$(grep -c "openat.*\"$file\"" trace)" -eq 1 ]
    local fd
    fd=$(sed -n "s/.*openat.*\"${file//\//\\/}\".*O_CLOEXEC.* = \([0-9]*\)$/\1/p" trace | tail -1)
    grep -A 4 "openat.*\"$file\"" trace | grep -q "close($fd)"
}

@test "a mistake in a program whose standard error is a broken pipe does not end it" {
    policy "mode foo"
    run -0 enforced env AIRLOCK_POLICY="$file" LOOK="$look" bash -c \
        'mkfifo broken; exec 4<>broken 5>broken 4<&-; exec "$LOOK" say "it runs" 2>&5'
    [ "$output" = "it runs" ] || [ "${lines[-1]}" = "it runs" ]
}

@test "the man page of policies is accepted by the formatter without a warning" {
    command -v man >/dev/null || skip "needs man"
    run -0 --separate-stderr plain man --warnings -E UTF-8 -l -Tutf8 "$ROOT/tools/man/airlock-policy.5"
    [ -z "$stderr" ]
    for word in mode signals mask keep seal convention path socket pipe file directory device anonymous program caller; do
        grep -qE "^\.(It|Sh|Bl)?.*\b$word\b" "$ROOT/tools/man/airlock-policy.5" || { echo "no $word" && return 1; }
    done
}
