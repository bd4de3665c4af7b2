#!/usr/bin/env bats
# shellcheck disable=SC2016 # most programs here are words for another shell
# shellcheck disable=SC2154 # bats assigns stderr and stderr_lines
#
# The command airlock: what it accepts, what it refuses, how it becomes the program, and what it says about programs that
# the library cannot reach.

bats_require_minimum_version 1.8.0
load helpers

airlock() {
    plain "$AIRLOCK" "$@"
}

# refuses TEXT OPTION… : the refusal is exit code 125 and one line on stderr that contains TEXT; nothing was started.
refuses() {
    local text=$1 started=$BATS_TEST_TMPDIR/started
    shift
    run -125 --separate-stderr airlock "$@" touch "$started"
    [ -z "$output" ]
    [ "${#stderr_lines[@]}" -eq 1 ]
    [[ $stderr == "airlock: "*"$text"* ]] || { echo "no '$text' in: $stderr" && return 1; }
    [ ! -e "$started" ]
}

# says_uncovered TEXT PROGRAM… : one line that contains TEXT comes first, and the program runs and succeeds all the same.
says_uncovered() {
    local text=$1
    shift
    run -0 --separate-stderr "$@"
    [ "${#stderr_lines[@]}" -eq 1 ]
    [[ $stderr == "airlock: "*"cannot be covered"*"$text"* ]] || { echo "no '$text' in: $stderr" && return 1; }
}

# A program that prints what of the library it has mapped, as a copy that a test may change.
copy_of_grep() {
    cp "$(type -P grep)" "$1"
}

# A folder laid out like a build, with the command and the library in it, that every user may enter.
copy_of_build() {
    chmod a+rx "$BATS_RUN_TMPDIR" "$BATS_RUN_TMPDIR/test" "$BATS_TEST_TMPDIR"
    mkdir -p "$1/tools" "$1/shim"
    cp "$AIRLOCK" "$1/tools/airlock"
    cp "$PRELOAD" "$1/shim/libairlock-preload.so"
    chmod -R a+rX "$1"
}

as_nobody() {
    plain setpriv --reuid=nobody --regid=nogroup --clear-groups "$@"
}

need_root() {
    [ "$(id -u)" -eq 0 ] || skip "only root can make files of other users"
    command -v setpriv >/dev/null || skip "needs setpriv"
}

compile() {
    printf '%s\n' '#include <stdio.h>' 'int main(void) { return puts("ran") < 0; }' >"$BATS_TEST_TMPDIR/ran.c"
    "${CC:-cc}" "$@" "$BATS_TEST_TMPDIR/ran.c"
}

# Help, version, usage

@test "--help explains itself on stdout and succeeds" {
    run -0 --separate-stderr airlock --help
    [ -z "$stderr" ]
    for word in run --mode --keep --signals --mask --version AIRLOCK_MODE AIRLOCK_KEEP AIRLOCK_SIGNALS AIRLOCK_MASK \
        LD_PRELOAD 125 126 127 Examples; do
        [[ $output == *"$word"* ]] || { echo "no $word" && return 1; }
    done
}

@test "run --help explains run on stdout and starts nothing" {
    run -0 --separate-stderr airlock run --help touch "$BATS_TEST_TMPDIR/started"
    [ -z "$stderr" ]
    [[ $output == "Usage: airlock run "*"--keep LIST"*"Exit codes:"* ]]
    [ ! -e "$BATS_TEST_TMPDIR/started" ]
}

@test "no line of the help is wider than a terminal, but for the synopsis" {
    run -0 airlock --help
    for line in "${lines[@]}"; do
        [[ $line == *" airlock "*" ["* ]] || [ "${#line}" -le 80 ] || { echo "$line" && return 1; }
    done
}

@test "--version prints the version of the build" {
    run -0 --separate-stderr airlock --version
    version=$(sed -n "s/^ *version: '\(.*\)',$/\1/p" "$ROOT/meson.build")
    [ "$output" = "airlock $version" ]
    [ -z "$stderr" ]
}

@test "an answer that cannot be written is an error" {
    [ -c /dev/full ] || skip "needs /dev/full"
    answer_to_full() { airlock "$1" >/dev/full; }
    for option in --help --version; do
        run -125 answer_to_full "$option"
        [ "$output" = "airlock: standard output: No space left on device" ]
    done
}

@test "without arguments a short usage goes to stderr" {
    run -125 --separate-stderr airlock
    [ -z "$output" ]
    [[ ${stderr_lines[0]} == "Usage: airlock run "* ]]
    [ "${#stderr_lines[@]}" -le 10 ]
}

@test "a wrong command is named together with the accepted ones" {
    for word in rnu --mode -h ""; do
        run -125 --separate-stderr airlock "$word" true
        [ "${#stderr_lines[@]}" -eq 1 ]
        [[ $stderr == "airlock: '$word' is no command; accepted are run, "*"--help and --version" ]]
    done
}

@test "the man page documents every option and every variable of the help" {
    page=$ROOT/tools/man/airlock.1
    run -0 airlock --help
    options=$(grep -oE -e '--[a-z]+' <<<"$output" | sort -u)
    variables=$(grep -oE '\b(AIRLOCK_[A-Z]+|LD_PRELOAD)\b' <<<"$output" | sort -u)
    [ "$(wc -w <<<"$options $variables")" -ge 11 ]
    for option in $options; do
        # Options in examples are those of the example's program.
        [[ $option == --port || $option == --verbose ]] || grep -q "^\.It Fl -${option#--}\b" "$page" || {
            echo "$option is not in the man page" && return 1
        }
    done
    for variable in $variables; do
        grep -q "^\.It Ev $variable$" "$page" || { echo "$variable is not in the man page" && return 1; }
    done
}

@test "the man page is accepted by the formatter without a warning" {
    command -v man >/dev/null || skip "needs man"
    run -0 --separate-stderr plain man --warnings -E UTF-8 -l -Tutf8 "$ROOT/tools/man/airlock.1"
    [ -z "$stderr" ]
    [[ $output == *"AIRLOCK(1)"* ]]
}

# Options of run

@test "each option reaches the program as its variable" {
    run -0 airlock run --mode audit --keep 3,7-9 --signals all --mask clear \
        printenv AIRLOCK_MODE AIRLOCK_KEEP AIRLOCK_SIGNALS AIRLOCK_MASK
    [ "$output" = $'audit\n3,7-9\nall\nclear' ]
}

@test "every accepted word is accepted" {
    for given in mode=enforce mode=audit mode=off signals=inherit signals=pipe signals=all mask=inherit mask=clear \
        keep=all keep=0 keep=3,7-9 keep=7-7 keep=2147483647 keep=0-2147483647 keep=9,3,3; do
        name=${given%%=*}
        run -0 --separate-stderr airlock run "--$given" printenv "AIRLOCK_${name^^}"
        [ "$output" = "${given#*=}" ]
        [ -z "$stderr" ]
    done
}

@test "an option that is not given leaves its variable alone" {
    run -0 plain env AIRLOCK_MODE=off "$AIRLOCK" run --keep 3 printenv AIRLOCK_MODE AIRLOCK_KEEP
    [ "$output" = $'off\n3' ]
    run -1 plain env -u AIRLOCK_MODE -u AIRLOCK_KEEP "$AIRLOCK" run printenv AIRLOCK_MODE AIRLOCK_KEEP
    [ -z "$output" ]
}

@test "an option wins over its variable, and a later one over an earlier one" {
    run -0 plain env AIRLOCK_MODE=off "$AIRLOCK" run --mode audit --mode enforce printenv AIRLOCK_MODE
    [ "$output" = enforce ]
}

@test "a wrong mode is named together with the accepted ones" {
    for value in loud "" Enforce enforce,off; do
        refuses "--mode '$value' is unknown; accepted are enforce, audit or off" run --mode "$value"
    done
}

@test "a wrong value of --signals is named together with the accepted ones" {
    refuses "--signals 'none' is unknown; accepted are inherit, pipe or all" run --signals none
}

@test "a wrong value of --mask is named together with the accepted ones" {
    refuses "--mask 'all' is unknown; accepted are inherit or clear" run --mask all
}

@test "a negative descriptor to keep is refused by name" {
    refuses "--keep '3,-1': the item '-1' is negative; accepted are 'all' or up to 64 numbers and ranges" run --keep 3,-1
    refuses "the item '-1-3' is negative" run --keep=-1-3
    refuses "the item '3--1' is negative" run --keep=3--1
}

@test "a reversed range to keep is refused by name" {
    refuses "--keep '3,9-7': the item '9-7' is reversed" run --keep 3,9-7
}

@test "a descriptor to keep that no table could hold is refused by name" {
    refuses "the item '2147483648' is too large" run --keep 2147483648
    refuses "the item '3-2147483648' is too large" run --keep 3-2147483648
    refuses "the item '99999999999999999999999' is too large" run --keep 99999999999999999999999
}

@test "an empty item in a list to keep is refused" {
    for list in "" "," ",3" "3," "3,,4"; do
        refuses "--keep '$list': the item '' is empty" run --keep "$list"
    done
}

@test "a half-open range to keep is refused by name" {
    refuses "the item '3-' has no end" run --keep 3-
}

@test "a list to keep is accepted as long as the library accepts it, and refused beyond" {
    list=$(seq -s, 64)
    run -0 --separate-stderr airlock run --keep "$list" true
    [ -z "$stderr" ]
    refuses "the list has more than 64 items" run --keep "$list,65"
}

@test "what is no number in a list to keep is refused by name" {
    for item in x 3x 0x3 +3 " 3" "3 " 3-x 3-4-5 - all; do
        refuses "the item '$item' is neither a number nor a range" run --keep "5,$item"
    done
}

@test "a value that holds a newline is still refused in one line" {
    refuses "--mode 'a?b' is unknown" run --mode $'a\nb'
}

@test "an option without a value is refused" {
    for option in mode keep signals mask; do
        run -125 --separate-stderr airlock run "--$option"
        [ "${#stderr_lines[@]}" -eq 1 ]
        [[ $stderr == "airlock: the option --$option needs a value; accepted are "* ]]
    done
}

@test "an unknown option is named together with the accepted ones" {
    accepted="accepted are --mode, --keep, --signals, --mask, --policy and --help"
    refuses "unknown option '--moed'; $accepted" run --moed off
    refuses "unknown option '--m'; $accepted" run --m off
    refuses "unknown option '-x'; $accepted" run -xv
    refuses "the option --help takes no value" run --help=mode
}

@test "a wrong option after good ones still starts nothing" {
    refuses "--mask 'x' is unknown" run --mode off --keep 3 --mask x --
}

@test "run without a program says how it is used" {
    for arguments in "run" "run --" "run --mode off" "run --mode off --"; do
        # shellcheck disable=SC2086 # the words are separate arguments
        run -125 --separate-stderr airlock $arguments
        [ "${#stderr_lines[@]}" -eq 1 ]
        [[ $stderr == "airlock: run: no program given; usage: airlock run "* ]]
    done
}

# Becoming the program

@test "options after the program are the program's own" {
    run -0 airlock run printf '%s.' --mode loud --help
    [ "$output" = "--mode.loud.--help." ]
}

@test "after -- comes the program, even when its name begins with a dash" {
    mkdir "$BATS_TEST_TMPDIR/bin"
    printf '#!/bin/sh\necho "dashed $*"\n' >"$BATS_TEST_TMPDIR/bin/--mode"
    chmod +x "$BATS_TEST_TMPDIR/bin/--mode"
    run -0 plain env PATH="$BATS_TEST_TMPDIR/bin:$PATH" "$AIRLOCK" run -- --mode -- off
    [ "$output" = "dashed -- off" ]
}

@test "arguments reach the program byte for byte" {
    run -0 airlock run printf '[%s]' "" "a b" $'new\nline' $'\xff\xfe' '$HOME' '*'
    [ "$output" = $'[][a b][new\nline][\xff\xfe][$HOME][*]' ]
}

@test "the program keeps the process id of the command" {
    run -0 plain bash -c 'echo $$; exec "$AIRLOCK" run bash -c "echo \$\$"'
    [ "${lines[0]}" = "${lines[1]}" ]
}

@test "the exit status is the program's own" {
    run -3 airlock run sh -c 'exit 3'
    run -125 --separate-stderr airlock run sh -c 'exit 125'
    [ -z "$stderr" ]
}

@test "a signal that ends the program is seen by the caller" {
    run -0 plain bash -c '"$AIRLOCK" run sh -c "kill -TERM \$\$"; echo $?'
    [ "${lines[-1]}" = 143 ]
}

@test "the program inherits the descriptors of the command, and none of the command's own" {
    with_seven() { plain bash -c 'exec 7</dev/null; exec "$@"' - "$@"; }
    run -0 with_seven "$PROBES/fds" numbers
    expected=$output
    run -0 with_seven "$AIRLOCK" run "$PROBES/fds" numbers
    [ "$output" = "$expected" ]
    [ "$output" = $'0\n1\n2\n7' ]
}

@test "ignored and blocked signals of the caller reach the program unchanged" {
    signals='/^Sig(Blk|Ign)/ { print }'
    run -0 plain env --ignore-signal=USR1 --block-signal=USR2 awk "$signals" /proc/self/status
    expected=$output
    run -0 plain env --ignore-signal=USR1 --block-signal=USR2 "$AIRLOCK" run awk "$signals" /proc/self/status
    [ "$output" = "$expected" ]
}

@test "children of a program started by run inherit what --keep names, and nothing else" {
    child='exec 7</dev/null 8</dev/null; exec "$AIRLOCK" run "$@" "$PROBES/shell" system "$PROBES/fds numbers"'
    run -0 plain bash -c "$child" - --mode off
    [[ $output == $'0\n1\n2\n7\n8\n'* ]]
    run -0 plain bash -c "$child" - --mode enforce
    [[ $output == $'0\n1\n2\n'[!0-9]* ]]
    run -0 plain bash -c "$child" - --keep 7
    [[ $output == $'0\n1\n2\n7\n'[!0-9]* ]]
}

@test "a program that is not found is exit code 127" {
    run -127 --separate-stderr airlock run no-such-program
    [ "$stderr" = "airlock: 'no-such-program': No such file or directory" ]
    run -127 airlock run "$BATS_TEST_TMPDIR/none"
    run -127 airlock run ""
}

@test "a program that cannot be executed is exit code 126" {
    touch "$BATS_TEST_TMPDIR/plain-file"
    run -126 --separate-stderr airlock run "$BATS_TEST_TMPDIR/plain-file"
    [ "$stderr" = "airlock: '$BATS_TEST_TMPDIR/plain-file': Permission denied" ]
    run -126 airlock run "$BATS_TEST_TMPDIR"
}

@test "a file in PATH that cannot be executed does not hide a later one that can" {
    mkdir "$BATS_TEST_TMPDIR/one" "$BATS_TEST_TMPDIR/two"
    echo 'echo wrong' >"$BATS_TEST_TMPDIR/one/tool"
    printf '#!/bin/sh\necho right\n' >"$BATS_TEST_TMPDIR/two/tool"
    chmod +x "$BATS_TEST_TMPDIR/two/tool"
    run -0 plain env PATH="$BATS_TEST_TMPDIR/one:$BATS_TEST_TMPDIR/two" "$AIRLOCK" run tool
    [ "$output" = right ]
    run -126 plain env PATH="$BATS_TEST_TMPDIR/one" "$AIRLOCK" run tool
}

@test "without PATH the standard folders are searched" {
    run -0 --separate-stderr plain env -u PATH "$AIRLOCK" run true
    [ -z "$stderr" ]
}

# LD_PRELOAD

@test "the library is what LD_PRELOAD holds when it was empty" {
    run -0 airlock run printenv LD_PRELOAD
    [ "$output" = "$(realpath "$PRELOAD")" ]
    run -0 plain env LD_PRELOAD= "$AIRLOCK" run printenv LD_PRELOAD
    [ "$output" = "$(realpath "$PRELOAD")" ]
}

@test "the library is really loaded into the program" {
    run -0 airlock run grep -c libairlock-preload /proc/self/maps
}

@test "other entries of LD_PRELOAD stay behind the library, in their order" {
    library=$(realpath "$PRELOAD")
    for present in libm.so.6:libresolv.so.2 "libm.so.6 libresolv.so.2" " :libm.so.6 : libresolv.so.2: "; do
        run -0 --separate-stderr plain env LD_PRELOAD="$present" "$AIRLOCK" run printenv LD_PRELOAD
        [ "$output" = "$library:libm.so.6:libresolv.so.2" ]
        [ -z "$stderr" ]
    done
    run -0 plain env LD_PRELOAD=libm.so.6:libresolv.so.2 "$AIRLOCK" run grep -c -e /libm -e /libresolv /proc/self/maps
}

@test "an entry of the library that is there already moves to the front" {
    library=$(realpath "$PRELOAD")
    ln -s "$library" "$BATS_TEST_TMPDIR/alias.so"
    cp "$library" "$BATS_TEST_TMPDIR/libairlock-preload.so"
    for present in "$library" "$BATS_TEST_TMPDIR/alias.so" "$BATS_TEST_TMPDIR/libairlock-preload.so"; do
        run -0 plain env LD_PRELOAD="libm.so.6:$present libresolv.so.2" "$AIRLOCK" run printenv LD_PRELOAD
        [ "$output" = "$library:libm.so.6:libresolv.so.2" ]
    done
}

@test "a run within a run names the library once" {
    run -0 airlock run "$AIRLOCK" run printenv LD_PRELOAD
    [ "$output" = "$(realpath "$PRELOAD")" ]
}

# Where the library is

@test "a library that is nowhere is one line and exit code 125" {
    mkdir "$BATS_TEST_TMPDIR/tools"
    cp "$AIRLOCK" "$BATS_TEST_TMPDIR/tools/airlock"
    run --separate-stderr plain "$BATS_TEST_TMPDIR/tools/airlock" run echo started
    [ "$status" -ne 0 ] || skip "airlock is installed on this machine"
    [ "$status" -eq 125 ]
    [ -z "$output" ]
    [ "${#stderr_lines[@]}" -eq 1 ]
    [[ $stderr == "airlock: the library libairlock-preload.so is neither"*"/airlock/libairlock-preload.so" ]]
}

@test "a library that LD_PRELOAD cannot name is named, and nothing is started" {
    for name in "a folder" "a:folder"; do
        copy_of_build "$BATS_TEST_TMPDIR/$name"
        run -125 --separate-stderr plain "$BATS_TEST_TMPDIR/$name/tools/airlock" run echo started
        [ -z "$output" ]
        [ "${#stderr_lines[@]}" -eq 1 ]
        [[ $stderr == "airlock: LD_PRELOAD cannot name"*"/$name/shim/libairlock-preload.so"*"space or a colon" ]]
    done
}

@test "a library that cannot be read is named, and nothing is started" {
    need_root
    copy_of_build "$BATS_TEST_TMPDIR/build"
    chmod 600 "$BATS_TEST_TMPDIR/build/shim/libairlock-preload.so"
    run -125 --separate-stderr as_nobody "$BATS_TEST_TMPDIR/build/tools/airlock" run echo started
    [ -z "$output" ]
    [ "${#stderr_lines[@]}" -eq 1 ]
    [[ $stderr == "airlock: the library '"*"/shim/libairlock-preload.so' cannot be read: Permission denied" ]]
}

@test "a file that is no library is named, and nothing is started" {
    copy_of_build "$BATS_TEST_TMPDIR/build"
    echo "not a library" >"$BATS_TEST_TMPDIR/build/shim/libairlock-preload.so"
    run -125 --separate-stderr plain "$BATS_TEST_TMPDIR/build/tools/airlock" run echo started
    [ -z "$output" ]
    [[ $stderr == "airlock: the library '"*"' is not a shared library" ]]
}

@test "the command finds its library through a symbolic link to itself" {
    ln -s "$AIRLOCK" "$BATS_TEST_TMPDIR/link"
    run -0 plain "$BATS_TEST_TMPDIR/link" run printenv LD_PRELOAD
    [ "$output" = "$(realpath "$PRELOAD")" ]
}

# Programs that cannot be covered

@test "nothing is said about a program that can be covered" {
    run -0 --separate-stderr airlock run true
    [ -z "$stderr" ]
}

@test "a statically linked program is announced and run" {
    compile -static -o "$BATS_TEST_TMPDIR/static" || skip "no static C library"
    says_uncovered "$BATS_TEST_TMPDIR/static is statically linked" airlock run "$BATS_TEST_TMPDIR/static"
    [ "$output" = ran ]
}

@test "a position-independent static program is announced and run" {
    compile -static-pie -o "$BATS_TEST_TMPDIR/static" || skip "no static C library"
    says_uncovered "$BATS_TEST_TMPDIR/static is statically linked" airlock run "$BATS_TEST_TMPDIR/static"
    [ "$output" = ran ]
}

@test "a static program is found through PATH for the announcement" {
    compile -static -o "$BATS_TEST_TMPDIR/static" || skip "no static C library"
    says_uncovered "$BATS_TEST_TMPDIR/static is statically linked" \
        plain env PATH="/nowhere:$BATS_TEST_TMPDIR" "$AIRLOCK" run static
    cd "$BATS_TEST_TMPDIR"
    says_uncovered "./static is statically linked" plain env PATH="/nowhere:" "$AIRLOCK" run static
}

@test "the announcement comes before the program's own output" {
    compile -static -o "$BATS_TEST_TMPDIR/static" || skip "no static C library"
    run -0 airlock run "$BATS_TEST_TMPDIR/static"
    [[ ${lines[0]} == "airlock: "* ]]
    [ "${lines[1]}" = ran ]
}

@test "a script is judged by its interpreter" {
    compile -static -o "$BATS_TEST_TMPDIR/static" || skip "no static C library"
    printf '#! %s argument\n' "$BATS_TEST_TMPDIR/static" >"$BATS_TEST_TMPDIR/script"
    printf '#!%s\n' "$BATS_TEST_TMPDIR/script" >"$BATS_TEST_TMPDIR/script-of-script"
    printf '#!/bin/sh\n' >"$BATS_TEST_TMPDIR/covered"
    chmod +x "$BATS_TEST_TMPDIR/script" "$BATS_TEST_TMPDIR/script-of-script" "$BATS_TEST_TMPDIR/covered"
    for script in script script-of-script; do
        says_uncovered "$BATS_TEST_TMPDIR/static is statically linked" airlock run "$BATS_TEST_TMPDIR/$script"
        [[ $stderr == "airlock: '$BATS_TEST_TMPDIR/$script' cannot be covered"* ]]
        [ "$output" = ran ]
    done
    run -0 --separate-stderr airlock run "$BATS_TEST_TMPDIR/covered"
    [ -z "$stderr" ]
}

@test "a text file without an interpreter is run by the shell, and nothing is said" {
    echo 'echo "run by a shell: $1"' >"$BATS_TEST_TMPDIR/text"
    chmod +x "$BATS_TEST_TMPDIR/text"
    run -0 --separate-stderr airlock run "$BATS_TEST_TMPDIR/text" word
    [ "$output" = "run by a shell: word" ]
    [ -z "$stderr" ]
}

@test "a script whose interpreter is missing names the interpreter" {
    printf '#!/no/such/interpreter -x\n' >"$BATS_TEST_TMPDIR/script"
    chmod +x "$BATS_TEST_TMPDIR/script"
    run -127 --separate-stderr airlock run "$BATS_TEST_TMPDIR/script"
    [ "$stderr" = "airlock: '$BATS_TEST_TMPDIR/script': its interpreter '/no/such/interpreter': No such file or directory" ]
}

@test "scripts that run each other in a circle end in an error" {
    printf '#!%s\n' "$BATS_TEST_TMPDIR/circle" >"$BATS_TEST_TMPDIR/circle"
    chmod +x "$BATS_TEST_TMPDIR/circle"
    run -126 --separate-stderr airlock run "$BATS_TEST_TMPDIR/circle"
    [ "${#stderr_lines[@]}" -eq 1 ]
}

@test "a program for another machine is announced" {
    # No more than an ELF header, with EM_S390 at byte 18. The kernel refuses it, so execvp gives it to the shell: it has
    # to be a harmless script as well.
    printf '\177ELF\2\1\1\nexit 3\n###\026\0%044d\n' 0 | tr 0 '\0' >"$BATS_TEST_TMPDIR/foreign"
    chmod +x "$BATS_TEST_TMPDIR/foreign"
    run -3 --separate-stderr airlock run "$BATS_TEST_TMPDIR/foreign"
    [[ ${stderr_lines[0]} == "airlock: "*"cannot be covered"*"/foreign is a 64-bit s390 program, the library is "* ]]
}

@test "a program of another loader is announced and run" {
    loader=$(LC_ALL=C readelf -l "$AIRLOCK" 2>/dev/null | sed -n 's/.*interpreter: \(.*\)\]/\1/p')
    [ -n "$loader" ] || skip "needs readelf"
    ln -s "$loader" "$BATS_TEST_TMPDIR/ld-other.so.1"
    compile "-Wl,--dynamic-linker=$BATS_TEST_TMPDIR/ld-other.so.1" -o "$BATS_TEST_TMPDIR/other"
    says_uncovered "is loaded by $BATS_TEST_TMPDIR/ld-other.so.1, the library by $loader" \
        airlock run "$BATS_TEST_TMPDIR/other"
    [ "$output" = ran ]
}

# Other word sizes, and other C libraries

# A program for musl, or a skip.
musl_program() {
    command -v musl-gcc >/dev/null || skip "needs musl-tools"
    CC=musl-gcc compile -o "$1"
}

# A 32-bit program and a stand-in for a library of its word size that says when it is loaded, without a 32-bit libc to
# build them with. Only its loader is needed.
word_size_of_32() {
    [ "$(uname -m)" = x86_64 ] || skip "needs x86_64"
    [ -e /lib/ld-linux.so.2 ] || skip "needs libc6-i386"
    cd "$BATS_TEST_TMPDIR" || return
    cat >small.c <<'END'
#ifdef LIBRARY
__attribute__((constructor)) static void loaded(void) {
    __asm__ volatile("int $0x80" : : "a"(4), "b"(1), "c"("loaded\n"), "d"(7) : "memory");
}
#else
void _start(void) {
    __asm__ volatile("int $0x80" : : "a"(4), "b"(1), "c"("ran\n"), "d"(4) : "memory");
    __asm__ volatile("int $0x80" : : "a"(1), "b"(0));
}
#endif
END
    "${CC:-cc}" -m32 -nostdlib -fPIE -pie -Wl,--dynamic-linker=/lib/ld-linux.so.2 small.c -o small
    "${CC:-cc}" -m32 -nostdlib -fPIC -shared -DLIBRARY small.c -o small.so
    FOLDER_OF_32=$(dirname "$(realpath /lib/ld-linux.so.2)")
    FOLDER_OF_32=${FOLDER_OF_32#/usr}
}

# The command as `meson install` with the prefix $INSTALLED would leave it: the name of its library is built in.
installed() {
    local commands folder
    INSTALLED=$BATS_TEST_TMPDIR/installed
    folder=$(dirname "$(realpath "$(LC_ALL=C readelf -l "$AIRLOCK" | sed -n 's/.*interpreter: \(.*\)\]/\1/p')")")
    INSTALLED_LIBRARY=$INSTALLED${folder#/usr}/airlock/libairlock-preload.so
    NAME=$INSTALLED/'$LIB'/airlock/libairlock-preload.so
    mkdir -p "$INSTALLED/bin" "${INSTALLED_LIBRARY%/*}"
    cp "$PRELOAD" "$INSTALLED_LIBRARY"
    commands=$(ninja -C "$BUILD" -t commands tools/airlock |
        sed "s|tools/airlock.p/command_library.c.o|$INSTALLED/library.o|g; s| -o tools/airlock | -o $INSTALLED/bin/airlock |
            s|AIRLOCK_INSTALLED_LIBRARY=\"[^\"]*\"|AIRLOCK_INSTALLED_LIBRARY=\"$INSTALLED_LIBRARY\"|")
    (cd "$BUILD" && eval "$(grep -F "$INSTALLED/library.o -c" <<<"$commands")" && eval "$(tail -n 1 <<<"$commands")")
}

@test "an installed library is named so that each loader finds its own" {
    installed
    run -0 --separate-stderr plain "$INSTALLED/bin/airlock" run sh -c 'echo "$LD_PRELOAD"; grep -c "$0" /proc/self/maps' "$INSTALLED_LIBRARY"
    [ "${lines[0]}" = "$NAME" ]
    [ "${lines[1]}" -ge 1 ]
    [ -z "$stderr" ]
    # A run in it names the library once, and a drop-in names it the same way.
    run -0 plain "$INSTALLED/bin/airlock" run "$INSTALLED/bin/airlock" run printenv LD_PRELOAD
    [ "$output" = "$NAME" ]
    run -0 plain "$INSTALLED/bin/airlock" unit demo
    grep -qxF "Environment=\"LD_PRELOAD=$NAME\"" <<<"$output"
}

@test "a program of another word size is reached when a library for it is installed" {
    word_size_of_32
    installed
    mkdir -p "$INSTALLED$FOLDER_OF_32/airlock"
    cp small.so "$INSTALLED$FOLDER_OF_32/airlock/libairlock-preload.so"
    run -0 --separate-stderr plain "$INSTALLED/bin/airlock" run ./small
    assert_lines loaded ran
    [ -z "$stderr" ]
    run -0 --separate-stderr plain "$INSTALLED/bin/airlock" run sh -c "./small; true"
    assert_lines loaded ran
    [ -z "$stderr" ]
}

@test "a program of another word size without a library for it: what to install, and where, is said in one line" {
    word_size_of_32
    installed
    twin=$INSTALLED$FOLDER_OF_32/airlock/libairlock-preload.so
    run -0 --separate-stderr plain "$INSTALLED/bin/airlock" run ./small
    [ "$output" = ran ]
    [ "${stderr_lines[0]}" = "airlock: './small' cannot be covered and runs without airlock: ./small is a 32-bit i386 program, the library is 64-bit x86-64; one built for i386 and installed as $twin would cover it" ]
    # A library of the wrong kind there is none.
    mkdir -p "${twin%/*}"
    cp "$PRELOAD" "$twin"
    run -0 --separate-stderr plain "$INSTALLED/bin/airlock" run ./small
    [[ ${stderr_lines[0]} == *"; one built for i386 and installed as $twin would cover it" ]]
}

@test "a library of a build tree names what installed ones would be named" {
    word_size_of_32
    installed
    mkdir -p "$INSTALLED/shim" "$INSTALLED$FOLDER_OF_32/airlock"
    cp "$PRELOAD" "$INSTALLED/shim"
    run -0 --separate-stderr plain "$INSTALLED/bin/airlock" run ./small
    [[ ${stderr_lines[0]} == *"; one for each, both installed as $NAME, would cover it" ]]
    cp small.so "$INSTALLED$FOLDER_OF_32/airlock/libairlock-preload.so"
    run -0 --separate-stderr plain "$INSTALLED/bin/airlock" run ./small
    [ "$output" = ran ]
    [[ ${stderr_lines[0]} == *"; LD_PRELOAD='$NAME' covers both" ]]
    # What was said is true.
    run -0 --separate-stderr plain env LD_PRELOAD="$NAME" sh -c './small; grep -c "$0" /proc/self/maps' "$INSTALLED_LIBRARY"
    [[ $output == $'loaded\nran\n'[1-9]* ]]
    [ -z "$stderr" ]
}

@test "a program of musl is announced and run without the library, which would end it" {
    musl_program "$BATS_TEST_TMPDIR/musl"
    says_uncovered "/musl is loaded by /lib/ld-musl-" airlock run "$BATS_TEST_TMPDIR/musl"
    [ "$output" = ran ]
    # An outer run is taken back, and what others preload stays.
    says_uncovered "/musl is loaded by /lib/ld-musl-" airlock run "$AIRLOCK" run "$BATS_TEST_TMPDIR/musl"
    printf '%s\n' '#include <stdio.h>' '#include <stdlib.h>' \
        'int main(void) { char *entries = getenv("LD_PRELOAD"); return puts(entries ? entries : "none") < 0; }' \
        >"$BATS_TEST_TMPDIR/entries.c"
    musl-gcc "$BATS_TEST_TMPDIR/entries.c" -o "$BATS_TEST_TMPDIR/entries"
    for entries in "$PRELOAD:libm.so.6" "libm.so.6 $PRELOAD" libm.so.6; do
        run -0 --separate-stderr plain env LD_PRELOAD="$entries" "$AIRLOCK" run "$BATS_TEST_TMPDIR/entries"
        [ "$output" = libm.so.6 ]
    done
    run -0 --separate-stderr airlock run "$BATS_TEST_TMPDIR/entries"
    [ "$output" = none ]
}

@test "a program of musl that a covered one starts survives an installed library, and not one named in full" {
    musl_program "$BATS_TEST_TMPDIR/musl"
    installed
    for program in "sh -c $BATS_TEST_TMPDIR/musl;true" "$PROBES/spawn -- $BATS_TEST_TMPDIR/musl"; do
        # shellcheck disable=SC2086  # words
        run -0 --separate-stderr plain "$INSTALLED/bin/airlock" run $program
        [[ $output == ran* ]]
        [ -z "$stderr" ]
    done
    says_uncovered "/musl is loaded by" plain "$INSTALLED/bin/airlock" run "$BATS_TEST_TMPDIR/musl"
    run airlock run "$PROBES/spawn" -- "$BATS_TEST_TMPDIR/musl"
    [[ $output == *"Error relocating"*"symbol not found"*"exit 127"* ]]
    run -0 --separate-stderr airlock run "$PROBES/spawn" -- "$(type -P env)" -u LD_PRELOAD "$BATS_TEST_TMPDIR/musl"
    [[ $output == ran* && -z $stderr ]]
}

@test "a command and a library of musl leave a program of glibc alone" {
    command -v patchelf >/dev/null || skip "needs patchelf"
    copy_of_build "$BATS_TEST_TMPDIR/build"
    loader=$(patchelf --print-interpreter "$AIRLOCK")
    # Musl by name, which is all that tells them apart.
    ln -s "$loader" "$BATS_TEST_TMPDIR/ld-musl-x86_64.so.1"
    patchelf --set-interpreter "$BATS_TEST_TMPDIR/ld-musl-x86_64.so.1" "$BATS_TEST_TMPDIR/build/tools/airlock"
    says_uncovered "is loaded by $loader, the library by $BATS_TEST_TMPDIR/ld-musl-x86_64.so.1" \
        plain "$BATS_TEST_TMPDIR/build/tools/airlock" run sh -c 'echo "${LD_PRELOAD-none}"'
    [ "$output" = none ]
}

@test "the loader started by hand is no static program" {
    loader=$(LC_ALL=C readelf -l "$AIRLOCK" 2>/dev/null | sed -n 's/.*interpreter: \(.*\)\]/\1/p')
    [ -n "$loader" ] || skip "needs readelf"
    run -0 --separate-stderr airlock run "$loader" "$(type -P grep)" -c libairlock-preload /proc/self/maps
    [ -z "$stderr" ]
}

@test "a damaged program file is left to exec, and no reason to crash" {
    # The kernel refuses these, so execvp gives them to the shell: they have to be harmless scripts as well.
    printf '\177ELF\nexit 3\n' >"$BATS_TEST_TMPDIR/cut-off"
    printf '\177ELF\2\1\1\nexit 3\n%0100d\n' 0 >"$BATS_TEST_TMPDIR/absurd"
    printf '\177ELF\1\2\1\nexit 3\n%04000d\n' 0 >"$BATS_TEST_TMPDIR/absurd-and-long"
    for file in cut-off absurd absurd-and-long; do
        chmod +x "$BATS_TEST_TMPDIR/$file"
        run -3 airlock run "$BATS_TEST_TMPDIR/$file"
    done
}

@test "a set-user-id program is announced and run" {
    need_root
    copy_of_build "$BATS_TEST_TMPDIR/build"
    copy_of_grep "$BATS_TEST_TMPDIR/build/set-user-id"
    chown root "$BATS_TEST_TMPDIR/build/set-user-id"
    chmod 4755 "$BATS_TEST_TMPDIR/build/set-user-id"
    says_uncovered "/set-user-id is set-user-id, its loader ignores LD_PRELOAD" \
        as_nobody "$BATS_TEST_TMPDIR/build/tools/airlock" run "$BATS_TEST_TMPDIR/build/set-user-id" -c '^Uid' /proc/self/status
    [ "$output" = 1 ]
    # What was said is true: the loader has not loaded the library.
    run -1 as_nobody "$BATS_TEST_TMPDIR/build/tools/airlock" run "$BATS_TEST_TMPDIR/build/set-user-id" \
        libairlock-preload /proc/self/maps
}

@test "a set-user-id program of the user who runs it is covered" {
    need_root
    copy_of_grep "$BATS_TEST_TMPDIR/own"
    chmod 4755 "$BATS_TEST_TMPDIR/own"
    run -0 --separate-stderr airlock run "$BATS_TEST_TMPDIR/own" -c libairlock-preload /proc/self/maps
    [ -z "$stderr" ]
    chown nobody "$BATS_TEST_TMPDIR/own"
    chmod 4755 "$BATS_TEST_TMPDIR/own"
    says_uncovered "is set-user-id" airlock run "$BATS_TEST_TMPDIR/own" -c '^Uid' /proc/self/status
}

@test "a set-group-id program is announced, unless its group may not execute it" {
    need_root
    copy_of_grep "$BATS_TEST_TMPDIR/set-group-id"
    chgrp nogroup "$BATS_TEST_TMPDIR/set-group-id"
    chmod 2755 "$BATS_TEST_TMPDIR/set-group-id"
    says_uncovered "is set-group-id" airlock run "$BATS_TEST_TMPDIR/set-group-id" -c '^Gid' /proc/self/status
    chmod 2745 "$BATS_TEST_TMPDIR/set-group-id"
    run -0 --separate-stderr airlock run "$BATS_TEST_TMPDIR/set-group-id" -c libairlock-preload /proc/self/maps
    [ -z "$stderr" ]
}

@test "a set-user-id program that may not gain privileges is covered" {
    need_root
    copy_of_build "$BATS_TEST_TMPDIR/build"
    copy_of_grep "$BATS_TEST_TMPDIR/build/set-user-id"
    chmod 4755 "$BATS_TEST_TMPDIR/build/set-user-id"
    run -0 --separate-stderr plain setpriv --reuid=nobody --regid=nogroup --clear-groups --no-new-privs \
        "$BATS_TEST_TMPDIR/build/tools/airlock" run "$BATS_TEST_TMPDIR/build/set-user-id" -c libairlock-preload /proc/self/maps
    [ -z "$stderr" ]
}

@test "the set-user-id bit of a script means nothing" {
    need_root
    printf '#!/bin/sh\n' >"$BATS_TEST_TMPDIR/script"
    chown nobody "$BATS_TEST_TMPDIR/script"
    chmod 4755 "$BATS_TEST_TMPDIR/script"
    run -0 --separate-stderr airlock run "$BATS_TEST_TMPDIR/script"
    [ -z "$stderr" ]
}

@test "a program with file capabilities is announced to a user, and covered for root" {
    need_root
    copy_of_build "$BATS_TEST_TMPDIR/build"
    copy_of_grep "$BATS_TEST_TMPDIR/build/capable"
    PATH=$PATH:/usr/sbin:/sbin setcap cap_net_raw+ep "$BATS_TEST_TMPDIR/build/capable" || skip "cannot set file capabilities"
    says_uncovered "is given file capabilities" \
        as_nobody "$BATS_TEST_TMPDIR/build/tools/airlock" run "$BATS_TEST_TMPDIR/build/capable" -c '^CapEff' /proc/self/status
    run -0 --separate-stderr airlock run "$BATS_TEST_TMPDIR/build/capable" -c libairlock-preload /proc/self/maps
    [ -z "$stderr" ]
}

@test "a program that may be executed but not read is announced as unknown and run" {
    need_root
    copy_of_build "$BATS_TEST_TMPDIR/build"
    cp "$(type -P echo)" "$BATS_TEST_TMPDIR/build/unreadable"
    chmod 711 "$BATS_TEST_TMPDIR/build/unreadable"
    run -0 --separate-stderr as_nobody "$BATS_TEST_TMPDIR/build/tools/airlock" run "$BATS_TEST_TMPDIR/build/unreadable" ran
    [ "$output" = ran ]
    [ "${#stderr_lines[@]}" -eq 1 ]
    [[ $stderr == "airlock: "*"may run without airlock: "*"/unreadable cannot be read to tell" ]]
}
