#!/usr/bin/env bats
# shellcheck disable=SC2154 # bats assigns stderr and stderr_lines
# shellcheck disable=SC2016 # the loader expands $ORIGIN and its likes
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

@test "the folder of a program that is reached by a symbolic link is where it really is" {
    local first=real/libraries
    away real/libraries
    user '-Wl,-rpath,$ORIGIN/libraries'
    mv user real/user
    mkdir elsewhere
    ln -s "$PWD/real/user" user
    found_in real/libraries
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

# Where a library is found: what the loader itself takes is the measure.

# away FOLDER… : in each of them a library libaway.so that imports wordexp.
away() {
    local folder
    mkdir -p "$@"
    echo 'int wordexp(); int away(void) { return wordexp("", 0, 0); }' >away.c
    for folder in "$@"; do
        "${CC:-cc}" -w -shared -fPIC away.c -o "$folder/libaway.so"
    done
}

# user OPTION… : a program that needs libaway.so, linked with these options.
user() {
    program user system -Wl,--no-as-needed "-L$first" -laway "$@"
}

# found_in FOLDER : check finds libaway.so there, and so does the loader.
found_in() {
    local by_loader by_check
    by_loader=$(plain env LD_TRACE_LOADED_OBJECTS=1 ./user | sed -n 's/.*libaway.so => \(.*\) (0x.*/\1/p')
    by_check=$(check --json ./user | grep -o '"path":"[^"]*libaway.so"' | cut -d '"' -f 4)
    echo "loader: $by_loader, check: $by_check"
    [ "$(realpath "$by_loader")" = "$PWD/$1/libaway.so" ]
    [ "$(realpath "$by_check")" = "$PWD/$1/libaway.so" ]
}

# not_found : neither of them finds it.
not_found() {
    plain env LD_TRACE_LOADED_OBJECTS=1 ./user | grep -q 'libaway.so => not found'
    run -1 check ./user
    [[ $output == *"libaway.so: it was not found"* ]]
}

loader() {
    LC_ALL=C readelf -l "$AIRLOCK" | sed -n 's/.*interpreter: \(.*\)\]/\1/p'
}

@test "a library for this processor in a glibc-hwcaps folder comes first, and one for another processor never" {
    local level first=plain
    level=$("$(loader)" --help | sed -n 's/^ *\([^ ]*\) (supported, searched)$/\1/p' | head -n 1)
    [ -n "$level" ] || skip "the loader looks into no such folder here"
    away plain plain/glibc-hwcaps/nothing-like-it
    user "-Wl,-rpath,$PWD/plain"
    found_in plain
    away "plain/glibc-hwcaps/$level"
    found_in "plain/glibc-hwcaps/$level"
    user
    LD_LIBRARY_PATH=$PWD/plain found_in "plain/glibc-hwcaps/$level"
}

@test "\$LIB and \$PLATFORM in a search path are what the loader puts there, with and without braces" {
    local lib platform first
    lib=$("$(loader)" --list-diagnostics | sed -n 's/^dl_dst_lib="\(.*\)"$/\1/p')
    platform=$("$(loader)" --list-diagnostics | sed -n 's/^dl_platform="\(.*\)"$/\1/p')
    [ -n "$lib" ] && [ -n "$platform" ]
    first=deep/$lib/x-$platform
    away "$first"
    for path in '$ORIGIN/deep/$LIB/x-$PLATFORM' '${ORIGIN}/deep/${LIB}/x-${PLATFORM}' "$PWD/nowhere:$PWD/deep/\$LIB/x-\${PLATFORM}"; do
        for tags in --enable-new-dtags --disable-new-dtags; do
            user "-Wl,$tags,-rpath,$path"
            found_in "$first"
        done
    done
    for path in '$ORIGIN/deep/$LIBRARY/x-$PLATFORM' '$ORIGIN/deep/$LIB/x-$OTHER'; do
        user "-Wl,-rpath,$path"
        not_found
    done
}

@test "DT_RPATH counts for what is needed further down, DT_RUNPATH does not, and hides the other" {
    local first=libraries/deeper
    away libraries/deeper
    echo 'int away(void); int middle(void) { return away(); }' >middle.c
    echo 'int middle(void); int top(void) { return middle(); }' >top.c
    local options=(-w -shared -fPIC '-Wl,--no-as-needed')
    link() {
        "${CC:-cc}" "${options[@]}" middle.c -o libraries/libmiddle.so -Llibraries/deeper -laway
        "${CC:-cc}" "${options[@]}" top.c -o libraries/libtop.so -Llibraries -lmiddle "$@"
        program user system -Wl,--no-as-needed -Llibraries -ltop -Wl,--allow-shlib-undefined "${program_path[@]}"
    }
    # The library between has it, as DT_RPATH.
    local program_path=("-Wl,--enable-new-dtags,-rpath,$PWD/libraries")
    link "-Wl,--disable-new-dtags,-rpath,$PWD/libraries/deeper:$PWD/libraries"
    found_in "$first"
    # As DT_RUNPATH it is its own.
    link "-Wl,--enable-new-dtags,-rpath,$PWD/libraries/deeper:$PWD/libraries"
    not_found
    # The program has it as DT_RPATH, but the one that needs it has a DT_RUNPATH of its own.
    program_path=("-Wl,--disable-new-dtags,-rpath,$PWD/libraries/deeper:$PWD/libraries")
    link
    found_in "$first"
    command -v patchelf >/dev/null || skip "needs patchelf"
    patchelf --set-rpath "$PWD/nowhere" libraries/libmiddle.so
    not_found
}

@test "a program linked with -z nodefaultlib finds nothing in the loader's own folders" {
    program user system -Wl,-z,nodefaultlib
    run -127 plain ./user
    [[ $output == *"libc.so.6: cannot open shared object file"* ]]
    verdict 1 "partly covered: not every file" ./user
    [[ $output == *"libc.so.6: it was not found"* ]]
    program user system -Wl,-z,nodefaultlib "-Wl,-rpath,$(dirname "$(realpath "$(loader)")")"
    verdict 0 covered ./user
    run -0 plain ./user
}

@test "a file without section headers is read as the loader reads it" {
    local hash more
    for hash in sysv gnu both; do
        for more in -O1 -rdynamic "-no-pie -fno-pie"; do
            # shellcheck disable=SC2086 # words
            program mixed system fork execvp "-Wl,--hash-style=$hash" $more
            # e_shoff, and e_shnum with e_shstrndx, of a 64-bit file; then the headers themselves.
            head -c 8 /dev/zero | dd of=mixed bs=1 seek=40 conv=notrunc status=none
            head -c 4 /dev/zero | dd of=mixed bs=1 seek=60 conv=notrunc status=none
            LC_ALL=C readelf -S mixed 2>&1 | grep -q "There are no sections"
            verdict 1 "partly covered: some calls" ./mixed
            row system mixed
            row fork mixed
            row execvp mixed
            row libraries 2
            plain ./mixed
            rm was-run
        done
    done
}

@test "a program of musl is not covered, and its libraries are found where its own loader looks" {
    command -v musl-gcc >/dev/null || skip "needs musl-tools"
    local first=libraries
    CC=musl-gcc away libraries
    # musl makes no difference between the two, and looks along both for what is needed further down.
    for tags in --enable-new-dtags --disable-new-dtags; do
        CC=musl-gcc user "-Wl,$tags,-rpath,$PWD/libraries"
        verdict 2 "not covered: $PWD/user is loaded by /lib/ld-musl-" "$PWD/user"
        [[ $output != *"Nothing is known"* ]]
        row libraries 2
        row wordexp libaway.so
    done
    CC=musl-gcc user
    verdict 2 "not covered" ./user
    [[ $output == *"libaway.so: it was not found"* ]]
    LD_LIBRARY_PATH=$PWD/libraries verdict 2 "not covered" ./user
    row wordexp libaway.so
}

@test "a program of glibc is not covered by a library of musl" {
    command -v patchelf >/dev/null || skip "needs patchelf"
    mkdir -p build/tools build/shim
    cp "$AIRLOCK" build/tools
    cp "$PRELOAD" build/shim
    # Musl by name, which is all that tells them apart.
    ln -s "$(loader)" ld-musl-x86_64.so.1
    patchelf --set-interpreter "$PWD/ld-musl-x86_64.so.1" build/tools/airlock
    program good system
    run -2 plain build/tools/airlock check ./good
    [[ ${lines[0]} == "./good: not covered: ./good is loaded by $(loader), the library by $PWD/ld-musl-x86_64.so.1" ]]
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
    row script ./script
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

@test "of a socket both ends are told, as in a record" {
    cat >holder.py <<'END'
import os, socket, time
listener = socket.create_server(("127.0.0.1", 0))
client = socket.create_connection(listener.getsockname())
local = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
local.bind("local.socket")
for number, one in (10, listener), (11, client), (12, local):
    os.dup2(one.fileno(), number)
print("tcp 127.0.0.1:%d" % listener.getsockname()[1])
print("tcp 127.0.0.1:%d <- 127.0.0.1:%d" % (client.getsockname()[1], listener.getsockname()[1]), flush=True)
time.sleep(60)
END
    mkfifo ready
    (become_clean /usr/bin/python3 holder.py) >ready 2>/dev/null &
    PROCESS=$!
    timeout 20 head -n 2 ready >ends
    verdict 2 "not covered" "$PROCESS"
    row 10 "socket:\\[[0-9]+\\] $(sed -n 1p ends)"
    row 11 "socket:\\[[0-9]+\\] $(sed -n 2p ends)"
    row 12 'socket:\[[0-9]+\] unix datagram local.socket'
}

@test "a process in mode audit is covered, and it is said that nothing is held back" {
    echo data >data
    start env LD_PRELOAD="$PRELOAD" AIRLOCK_MODE=audit AIRLOCK_POLICY=/no/policy
    run -0 --separate-stderr check "$PROCESS"
    [[ ${lines[0]} == *"; in mode audit nothing is held back" ]]
    row AIRLOCK_MODE audit
    row AIRLOCK_POLICY /no/policy
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
