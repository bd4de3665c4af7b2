#!/usr/bin/env bats
# shellcheck disable=SC2154 # bats assigns stderr and stderr_lines
# shellcheck disable=SC2030,SC2031 # a test keeps its process for its own teardown
#
# airlock check: what it says about a program or a process before the library is anywhere near it, and that it runs
# nothing of either.

bats_require_minimum_version 1.8.0
load helpers

setup() {
    cd "$BATS_TEST_TMPDIR" || return
}

teardown() {
    if [ -n "${PROCESS:-}" ]; then
        kill "$PROCESS" 2>/dev/null || true
    fi
}

check() {
    plain "$AIRLOCK" check "$@"
}

# program NAME CALL… FLAG… : a program that leaves a file behind when it is run, and could make these calls.
program() {
    local name=$1 word flags=()
    shift
    {
        printf '#define _GNU_SOURCE\n'
        printf '#include <%s.h>\n' dlfcn fcntl sched spawn stdio stdlib sys/wait unistd wordexp
        printf 'void *volatile used[] = {'
        for word in "$@"; do
            case $word in
            -*) flags+=("$word") ;;
            *) printf '(void *)%s, ' "$word" ;;
            esac
        done
        printf 'NULL};\nint main(void) { return open("%s/was-run", O_CREAT | O_WRONLY, 0600) < 0; }\n' "$PWD"
    } >"$name.c"
    "${CC:-cc}" -w "$name.c" -o "$name" "${flags[@]}"
}

# The verdict is the exit code and in the first line; the program was not run.
verdict() {
    local code=$1 words=$2
    shift 2
    run "-$code" --separate-stderr check "$@"
    echo "$output"
    [ -z "$stderr" ]
    [[ ${lines[0]} == *": $words"* ]]
    [ ! -e was-run ]
}

# A line of the answer begins with LABEL and ends with VALUE.
row() {
    grep -qE "^  $1 +$2\$" <<<"$output" || { echo "no row $1 $2" && return 1; }
}

# Programs

@test "a program that starts others by posix_spawn, system and popen alone is covered" {
    program good posix_spawn posix_spawnp system popen
    verdict 0 covered ./good
    for call in posix_spawn posix_spawnp system popen; do
        row "$call" good
    done
    [[ $output != *"Out of reach"* ]]
}

@test "a program that also forks and executes by itself is covered in part" {
    program mixed system fork execvp
    verdict 1 "partly covered" ./mixed
    row system mixed
    row fork mixed
    row execvp mixed
}

@test "a program that starts others by fork and exec alone is not covered" {
    for pair in "fork execve" "vfork execl" "clone fexecve"; do
        # shellcheck disable=SC2086 # two words
        program forker $pair
        verdict 2 "not covered" ./forker
    done
}

@test "fork without exec and exec without fork start no program" {
    program worker fork
    verdict 0 "covered: it imports no call that starts a process" ./worker
    program wrapper execvp
    verdict 0 covered ./wrapper
    [[ $output == *"can become another program"* ]]
}

@test "wordexp is out of reach" {
    program words wordexp system
    verdict 1 "partly covered" ./words
    row wordexp words
}

@test "calls of a library count, and say whose they are" {
    program good system
    mkdir libraries
    echo 'int fork(void); int execv(const char *, char **); int away(void) { return fork() + execv("", 0); }' >away.c
    "${CC:-cc}" -w -shared -fPIC away.c -o libraries/libaway.so
    program user system -Wl,--no-as-needed -Llibraries -laway "-Wl,-rpath,\$ORIGIN/libraries"
    verdict 1 "partly covered" ./user
    row fork libaway.so
    row execv libaway.so
    row system user
}

@test "a library is found by LD_LIBRARY_PATH, by DT_RPATH and in the standard folders" {
    mkdir libraries
    echo 'int wordexp(); int away(void) { return wordexp("", 0, 0); }' >away.c
    "${CC:-cc}" -w -shared -fPIC away.c -o libraries/libaway.so
    program user system -Wl,--no-as-needed -Llibraries -laway
    verdict 1 "partly covered: not every file that it needs could be read" ./user
    [[ $output == *"libaway.so: it was not found"* ]]
    LD_LIBRARY_PATH=$PWD/libraries verdict 1 "partly covered: some calls" ./user
    program user system -Wl,--no-as-needed -Llibraries -laway "-Wl,--disable-new-dtags,-rpath,$PWD/libraries"
    verdict 1 "partly covered: some calls" ./user
    row libraries 3
}

@test "a library that another one needs is found by that one's own path" {
    mkdir -p libraries/deeper
    echo 'int wordexp(); int deep(void) { return wordexp("", 0, 0); }' >deep.c
    echo 'int deep(void); int away(void) { return deep(); }' >away.c
    "${CC:-cc}" -w -shared -fPIC deep.c -o libraries/deeper/libdeep.so
    for tags in --enable-new-dtags --disable-new-dtags; do
        "${CC:-cc}" -w -shared -fPIC away.c -o libraries/libaway.so -Llibraries/deeper -ldeep "-Wl,$tags,-rpath,\$ORIGIN/deeper"
        program user system -Wl,--no-as-needed -Llibraries -laway "-Wl,--enable-new-dtags,-rpath,$PWD/libraries" \
            -Wl,--allow-shlib-undefined
        verdict 1 "partly covered: some calls" ./user
        row wordexp libdeep.so
    done
}

@test "a library for another machine is passed over" {
    mkdir wrong right
    echo 'int away(void) { return 0; }' >away.c
    "${CC:-cc}" -w -shared -fPIC away.c -o right/libaway.so
    program user system -Wl,--no-as-needed -Lright -laway "-Wl,-rpath,$PWD/wrong:$PWD/right"
    echo 'int wordexp(); int away(void) { return wordexp("", 0, 0); }' >away.c
    "${CC:-cc}" -w -shared -fPIC away.c -o wrong/libaway.so
    verdict 1 "partly covered" ./user
    printf '\xff\x7f' | dd of=wrong/libaway.so bs=1 seek=18 conv=notrunc status=none
    verdict 0 covered ./user
    echo "no library" >wrong/libaway.so
    verdict 0 covered ./user
}

@test "a static program is not covered" {
    program static system -static
    verdict 2 "not covered" ./static
    [[ $output == *"statically linked"* ]]
}

@test "a set-user-id program is not covered" {
    needs_root
    program good system
    chown nobody good && chmod 4755 good
    verdict 2 "not covered" ./good
    [[ ${lines[0]} == *"set-user-id"* ]]
}

@test "a program of another word size is not covered" {
    program good system
    printf '\x01' | dd of=good bs=1 seek=4 conv=notrunc status=none
    run check ./good
    [ "$status" -eq 2 ] || [ "$status" -eq 125 ]
    program good system
    printf '\xb7\x00' | dd of=good bs=1 seek=18 conv=notrunc status=none
    verdict 2 "not covered" ./good
    [[ ${lines[0]} == *"64-bit aarch64"* || ${lines[0]} == *"another"* || ${lines[0]} == *"64-bit"* ]]
}

@test "a program that has system of its own is told from one that calls libc's" {
    echo 'int system(const char *line) { return line != 0; } int main(void) { return system("x"); }' >own.c
    "${CC:-cc}" -w -fno-builtin -rdynamic own.c -o own
    verdict 1 "partly covered: it has some of these calls of its own making" ./own
}

@test "what an import cannot tell is said" {
    program loader system dlopen syscall
    verdict 0 covered ./loader
    [[ $output == *RTLD_DEEPBIND* ]]
    [[ $output == *"system calls of its own"* ]]
    program good system
    verdict 0 covered ./good
    [[ $output != *RTLD_DEEPBIND* ]]
}

@test "a script is judged by its interpreter, and a name is searched in PATH" {
    program good system
    printf '#!%s\n' "$PWD/good" >script
    chmod +x script
    verdict 0 covered ./script
    row runs "$PWD/good"
    PATH=$PWD:$PATH verdict 0 covered script
}

@test "a script that is run by env is judged by the program that env becomes" {
    program good system
    for line in "env good" "env -S good -x" "env -S A=1 good"; do
        printf '#!/usr/bin/%s\n' "$line" >script
        chmod +x script
        PATH=$PWD:$PATH verdict 0 "covered: every call" ./script
        row runs "$PWD/good"
    done
}

@test "a program whose name is a number is asked about with its folder" {
    program 123 system
    verdict 0 covered ./123
}

@test "damaged files are no reason to crash" {
    program good system fork execve
    local size
    size=$(stat -c %s good)
    for ((i = 0; i < 60; i++)); do
        cp good damaged
        # Another place each time, in the headers and in the tables behind the code.
        printf '\xff\xff\xff\xff' | dd of=damaged bs=1 seek=$(((i * 7919) % (size - 4))) conv=notrunc status=none
        printf '\xff\xff' | dd of=damaged bs=1 seek=$((16 + i)) conv=notrunc status=none
        run check ./damaged
        [[ $status -le 2 || $status -eq 125 ]] || { echo "$i: $status: $output" && return 1; }
    done
    for ((i = 1; i < size; i += size / 20)); do
        head -c "$i" good >damaged
        run check ./damaged
        [[ $status -le 2 || $status -eq 125 ]] || { echo "cut at $i: $status: $output" && return 1; }
    done
}

# Processes

# A process that holds descriptors, and has run for a moment when this returns.
start() {
    mkfifo ready
    (become_clean "$@" sh -c 'exec 7</dev/null 8<data; echo >ready; exec sleep 60') >/dev/null 2>&1 &
    PROCESS=$!
    timeout 20 cat ready
    local i
    for ((i = 0; i < 200; i++)); do
        [ "$(cat "/proc/$PROCESS/comm")" = sleep ] && [ -n "$(readlink "/proc/$PROCESS/exe")" ] && return
        sleep 0.05
    done
    return 1
}

@test "of a process it is said whether the library is loaded there" {
    echo data >data
    start env LD_PRELOAD="$PRELOAD"
    verdict 0 covered "$PROCESS"
    row airlock loaded
}

@test "a process without the library is not covered" {
    echo data >data
    start env -u LD_PRELOAD
    verdict 2 "not covered: the library is not loaded in this process" "$PROCESS"
    row airlock "not loaded"
}

@test "a process in mode off is not covered" {
    echo data >data
    start env LD_PRELOAD="$PRELOAD" AIRLOCK_MODE=off
    verdict 2 "not covered: its AIRLOCK_MODE is off" "$PROCESS"
}

@test "the descriptors that a process would pass on are listed" {
    echo data >data
    start env LD_PRELOAD="$PRELOAD"
    verdict 0 covered "$PROCESS"
    [[ $output == *"children would inherit without airlock: 2"* ]]
    row 7 /dev/null
    row 8 "$PWD/data"
}

@test "a descriptor that exec closes is not listed" {
    printf '%s\n' '#define _GNU_SOURCE' '#include <fcntl.h>' '#include <stdio.h>' '#include <unistd.h>' 'int main(void) {' \
        'int one = open("/dev/null", O_RDONLY | O_CLOEXEC), other = open("/dev/zero", O_RDONLY);' \
        'dprintf(1, "%d %d\n", one, other); pause(); }' >holder.c
    "${CC:-cc}" -w holder.c -o holder
    mkfifo ready
    (become_clean timeout 60 ./holder) >ready 2>/dev/null &
    PROCESS=$!
    timeout 20 head -n 1 ready >numbers
    # timeout is the parent: its child is the program.
    local holder
    holder=$(pgrep -P "$PROCESS" -x holder)
    verdict 2 "not covered" "$holder"
    [[ $output == *"without airlock: 1"* ]]
    row "$(cut -d ' ' -f 2 numbers)" /dev/zero
}

@test "a process that is not there, or may not be looked at, is an error" {
    run -125 --separate-stderr check 999999999
    [ "$stderr" = "airlock: check: process 999999999: no such process" ]
    needs_root
    echo data >data
    start env -u LD_PRELOAD
    local everywhere
    everywhere=$(mktemp -d /tmp/airlock-check.XXXXXX)
    mkdir "$everywhere/tools" "$everywhere/shim"
    cp "$AIRLOCK" "$everywhere/tools/airlock"
    cp "$PRELOAD" "$everywhere/shim"
    chmod -R a+rX "$everywhere"
    run -125 --separate-stderr plain setpriv --reuid=nobody --regid=nogroup --clear-groups "$everywhere/tools/airlock" check "$PROCESS"
    rm -r "$everywhere"
    [ "$stderr" = "airlock: check: process $PROCESS: Permission denied" ]
}

# The kernel, and the form of the answer

@test "the answer says how children are made on this kernel" {
    program good system
    verdict 0 covered ./good
    row release "$(uname -r)"
    grep -qE '^  children made by +(clone3|clone|vfork|fork), memory (shared|copied), descriptors ' <<<"$output"
}

@test "what a sandbox takes away is seen, and how children are made then" {
    program good system
    run -0 plain "$PROBES/deny" clone3=ENOSYS,close_range=EPERM "$AIRLOCK" check ./good
    row clone3 'no \(ENOSYS\)'
    row close_range 'no \(EPERM\)'
    grep -qE '^  children made by +(clone|vfork|fork), .*, descriptors copied and then sealed' <<<"$output"
}

@test "--json says the same" {
    [ -n "$(type -P python3)" ] || skip "needs python3"
    program mixed system fork execvp
    run -1 --separate-stderr check --json ./mixed
    [ "${#lines[@]}" -eq 1 ]
    python3 -c '
import json, sys
answer = json.loads(sys.argv[1])
assert answer["verdict"] == "partly covered"
assert answer["intercepted"] == ["system"] and answer["out_of_reach"] == ["fork", "execvp"]
assert "fork" in answer["objects"][0]["imports"]
assert answer["kernel"]["primitive"]' "$output"
    echo data >data
    start env LD_PRELOAD="$PRELOAD"
    run -0 --separate-stderr check --json "$PROCESS"
    python3 -c '
import json, sys
answer = json.loads(sys.argv[1])
assert answer["loaded"] and answer["pid"] == int(sys.argv[2])
assert [held["fd"] for held in answer["inheritable"]] == [7, 8]' "$output" "$PROCESS"
}

@test "a name that would change a terminal is not repeated as it is" {
    local name=$'bad\e[31mname'
    program good system
    cp good "$name"
    run -0 check "./$name"
    [[ $output != *$'\e'* ]]
}

@test "check says how it is used" {
    for words in "" "a b" "--jsn a"; do
        # shellcheck disable=SC2086 # words
        run -125 --separate-stderr check $words
        [ -z "$output" ] && [ "${#stderr_lines[@]}" -eq 1 ]
        [[ $stderr == "airlock: check: "* ]]
    done
    run -125 --separate-stderr check ./no-such-program
    [ "$stderr" = "airlock: check: './no-such-program': no such program" ]
    run -0 check --help
    [[ $output == "Usage: airlock check "* ]]
}
