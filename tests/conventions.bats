#!/usr/bin/env bats
# The table of deliberate inheritance: each way in which a real program tells its child the number of a descriptor keeps
# that descriptor and no other, can be switched off by its name, and nothing that only looks like it keeps anything.

# Strings in single quotes are meant for another shell.
# shellcheck disable=SC2016
# shellcheck disable=SC2030,SC2031  # every test is a shell of its own

load helpers

# The parent holds two files, 3 and 4, a pipe, 6 and 7, and two more files, 8 and 9. All are inheritable, and a child
# without airlock has them all.
setup() {
    HELD=(have 3 /dev/null have 4 /dev/null pipe 6 7 have 8 /dev/null have 9 /dev/null)
    ALL="0 1 2 3 4 6 7 8 9"
    cd "$BATS_TEST_TMPDIR" || return
    unset AIRLOCK_MODE AIRLOCK_KEEP AIRLOCK_POLICY
    ok=$'spawn: ok\nchild: exit 0'
}

# assert_children HOW EXPECTED [WORD…] -- [ARG…]   a child started with the arguments holds these numbers
assert_children() {
    local how=$1 expected=$2 words=()
    shift 2
    while [ "$1" != -- ]; do
        words+=("$1")
        shift
    done
    shift
    run "$how" "$PROBES/spawn" how empty-envp "${HELD[@]}" "${words[@]}" -- "${CHILD:-$PROBES/numbers}" "$@"
    assert_run "$expected"$'\n'"$ok" "$how" "${words[@]}" -- "$@"
}

# assert_row NAME NUMBERS [WORD…] -- [ARG…]   the row keeps the numbers, and nothing when it is switched off
assert_row() {
    local name=$1 numbers=$2
    shift 2
    assert_children plain "$ALL" "$@"
    assert_children enforced "0 1 2 $numbers" "$@"
    echo "convention $name off" >policy
    AIRLOCK_POLICY=$PWD/policy assert_children enforced "0 1 2" "$@"
}

# assert_nothing [WORD…] -- [ARG…]   no row speaks of any number in this
assert_nothing() {
    assert_children enforced "0 1 2" "$@"
}

# assert_line NAME NUMBERS LINE   the same as assert_row for a line that system() is given
assert_line() {
    local name=$1 numbers=$2 line=$3
    run enforced "$PROBES/shell" "${HELD[@]}" system "$line; $PROBES/numbers"
    assert_run "0 1 2${numbers:+ $numbers}"$'\n'"system: exit 0" "with airlock" "$line"
    [ -n "$name" ] || return 0
    echo "convention $name off" >policy
    AIRLOCK_POLICY=$PWD/policy run enforced "$PROBES/shell" "${HELD[@]}" system "{ $line; } 2>/dev/null; $PROBES/numbers"
    assert_lines "0 1 2" "system: exit 0"
}

# ---- No row

@test "a number in an argument that no row speaks of keeps nothing" {
    assert_children plain "$ALL" -- 8
    assert_nothing -- 8
    assert_nothing -- sleep 8
    assert_nothing -- -8 --jobs=8 -j8 --level 8 -n 8 fd 8 8:9 x=8 --fdx 8 --fd-8 '<&8'
}

@test "a number in a variable that no row speaks of keeps nothing" {
    assert_nothing envp LEVEL=8 envp NUMBER=8 envp 8=8 envp =8 envp EIGHT envp F_D=8 envp fd=8 --
}

# ---- Paths

@test "a descriptor named as /dev/fd/N in an argument is kept" {
    assert_row path 8 -- /dev/fd/8
}

@test "a descriptor named as /proc/self/fd/N or /proc/thread-self/fd/N inside an argument is kept" {
    assert_row path "8 9" -- --files=/proc/self/fd/8,/proc/thread-self/fd/9
}

@test "a descriptor named by a path in a variable is kept" {
    assert_row path 9 envp "SOME_FILE=/etc/passwd:/dev/fd/9" --
}

@test "a descriptor named by the path that is executed is kept" {
    cp "$PROBES/numbers" program
    HELD=(have 8 "$PWD/program" have 9 /dev/null)
    ALL="0 1 2 8 9"
    CHILD=/proc/self/fd/8 assert_row path 8 --
}

@test "what only resembles a path of a descriptor keeps nothing" {
    assert_nothing envp "A=/dev/fd/" envp "B=/dev/fdx/8" -- /dev/fd8 dev/fds/8 /fd/8 /proc/1/fd/8 /proc/self/fd/8x \
        /dev/fd/99999999999999999999 /dev/fd/-8 /dev/fd /dev/fd/ 8/dev/fd/
}

# ---- Shell strings

@test "a descriptor that a line for system() reads from is kept" {
    assert_line shell 8 'cat <&8'
    assert_line shell 8 'cat 0<&8'
    assert_line shell 8 'cat <& 8'
}

@test "a descriptor that a line for system() writes to is kept" {
    assert_line shell 7 'true >&7'
    assert_line shell "7 8" 'true 1>&7 2>&8'
}

@test "a descriptor that a line for popen() reads from is kept" {
    run enforced "$PROBES/stream" "${HELD[@]}" popen r "cat <&8; $PROBES/numbers" read 0 pclose 0
    [[ $output == *"0 1 2 8"$'\n'* ]]
}

@test "a descriptor that a line behind sh -c reads from is kept" {
    assert_row shell 8 -- sh -c 'cat <&8'
    assert_row shell 8 -- bash -ec 'cat <&8'
}

@test "redirections of 0 to 2, closings, files and descriptors that the line opens for itself keep nothing" {
    assert_line "" "" '(true 3>&1 4>/dev/null 8</dev/null 9<&-) 2>&1 >/dev/null </dev/null'
    assert_line "" "" ': "8 < 9 && 7 & 6"'
    assert_line "" "" 'true >&2; : & wait'
}

@test "a path, an option and a variable in a line for system() are read as anywhere" {
    assert_line path 8 'cat /dev/fd/8'
    assert_line --status-fd 8 ': --status-fd 8'
    assert_line --log-fd 8 ': "--log-fd=8"'
    assert_line --status-fd 8 ': --status-fd="8"'
    assert_line NODE_CHANNEL_FD 8 'NODE_CHANNEL_FD=8 true'
    assert_line other-variables 8 'MY_SOCKET="8" true'
}

@test "a number in a line for system() that no row speaks of keeps nothing" {
    assert_line "" "" ': sleep 8; test 8 -gt 7; : -n 8 a=8'
}

# ---- Variables

@test "MAKEFLAGS keeps the jobserver" {
    assert_row MAKEFLAGS "6 7" envp "MAKEFLAGS= -j4 --jobserver-auth=6,7" --
    assert_row MAKEFLAGS "6 7" envp "MAKEFLAGS= --jobserver-fds=6,7 -j" --
}

@test "CARGO_MAKEFLAGS and MFLAGS keep the jobserver" {
    assert_row CARGO_MAKEFLAGS "6 7" envp "CARGO_MAKEFLAGS=-j --jobserver-fds=6,7 --jobserver-auth=6,7" --
    assert_row MFLAGS "6 7" envp "MFLAGS=-j4 --jobserver-auth=6,7" --
}

@test "the last jobserver in MAKEFLAGS wins" {
    assert_nothing envp "MAKEFLAGS=--jobserver-auth=6,7 --jobserver-auth=-2,-2" --
    assert_children enforced "0 1 2 6 7" envp "MAKEFLAGS=--jobserver-auth=-2,-2 --jobserver-auth=6,7" --
}

@test "a jobserver that is off, named, or no pipe keeps nothing" {
    assert_nothing envp "MAKEFLAGS=-j --jobserver-auth=-2,-2" --
    assert_nothing envp "MAKEFLAGS=-j --jobserver-auth=fifo:/tmp/8" --
    assert_nothing envp "MAKEFLAGS=-j --jobserver-auth=8,9" --
    assert_nothing envp "MAKEFLAGS=-j --jobserver-auth=6" --
    assert_nothing envp "MAKEFLAGS=-j --jobserver-style=6,7" --
}

@test "LISTEN_FDS keeps so many from 3 on" {
    assert_row LISTEN_FDS "3 4" envp LISTEN_FDS=2 --
}

@test "LISTEN_FDS that are meant for another process, or are none, keep nothing" {
    assert_nothing envp LISTEN_FDS=2 envp LISTEN_PID=1 --
    assert_nothing envp LISTEN_PID=1 envp LISTEN_FDS=2 --
    assert_nothing envp LISTEN_FDS=0 --
    assert_nothing envp LISTEN_FDS=-1 --
    assert_nothing envp LISTEN_FDS=many --
}

@test "LISTEN_FDS without end keeps what there is" {
    assert_children enforced "$ALL" envp LISTEN_FDS=2147483647 --
    assert_nothing envp LISTEN_FDS=2147483648 --
}

@test "a variable that holds one number keeps it" {
    for name in NODE_CHANNEL_FD WAYLAND_SOCKET BASH_XTRACEFD UNCACHED_ERR_FD _FUSE_COMMFD APT_HOOK_INFO_FD APT_HOOK_SOCKET \
        TAR_FD WINESERVERSOCKET; do
        assert_row "$name" 8 envp "$name=8" --
    done
}

@test "git's trace variables keep the number that they hold" {
    assert_row GIT_TRACE 8 envp GIT_TRACE=8 --
    assert_row GIT_TRACE "8 9" envp GIT_TRACE_SETUP=8 envp GIT_TRACE2_EVENT=9 --
    assert_nothing envp GIT_TRACE=/tmp/8 envp GIT_TRACE_SETUP=true envp GIT_TRACE2=2 --
}

@test "lists that a server leaves to its next binary keep every number in them" {
    assert_row NGINX "8 9" envp "NGINX=8;9;" --
    assert_row GUNICORN_FD "8 9" envp "GUNICORN_FD=8,9" --
    assert_row UPSTART_FDS "8 9" envp "UPSTART_FDS=8 9" --
}

@test "lists of addresses keep the descriptors and not the ports" {
    assert_row FPM_SOCKETS "8 9" envp "FPM_SOCKETS=127.0.0.1:4=8,/run/fpm-3.sock=9" --
    assert_row SERVER_STARTER_PORT "8 9" envp "SERVER_STARTER_PORT=0.0.0.0:4=8;3=9" --
    assert_row PUMA_INHERIT_ 8 envp "PUMA_INHERIT_0=8:tcp://0.0.0.0:9" --
    assert_row EINHORN_FD_ "8 9" envp EINHORN_FD_0=8 envp EINHORN_FD_12=9 --
}

@test "any variable with FD, SOCK or PIPE in its name keeps the number that it is" {
    assert_row other-variables "6 8 9" envp MY_FD=8 envp XSOCKET=9 envp PIPES=6 --
}

@test "a variable with FD in its name keeps nothing when it is not one number, not open or standard" {
    assert_nothing envp MY_FD=8x envp A_FD= envp B_FD=-8 envp C_FD=/tmp/8 envp D_FD=" 8" envp E_FD=8,9 envp F_FD=1 envp G_FD=5 \
        envp H_FD=99999999999999999999 envp I_FD=4294967304 --
}

# ---- Arguments

@test "--status-fd, --command-fd, --passphrase-fd and --log-fd keep their descriptor, behind an equals sign or a blank" {
    for name in --status-fd --command-fd --passphrase-fd --log-fd; do
        assert_row "$name" 8 -- "$name" 8
        assert_row "$name" 9 -- "$name=9"
    done
}

@test "any option that begins with -- and ends in -fd keeps its descriptor" {
    assert_row --NAME-fd "8 9" -- --info-fd 8 x --json-status-fd=9
    assert_nothing -- --status-fd --other 8 --status-fds 8 -status-fd 8 --fd8 status-fd 8
}

@test "-displayfd keeps its descriptor" {
    assert_row -displayfd 8 -- :0 -displayfd 8
}

@test "fd= and fds= keep what qemu is given" {
    assert_row fd= "8 9" -- -netdev tap,id=n,fd=8,vhostfd=9
    assert_row fds= "6 8 9" -- -netdev tap,fds=8:9,vhostfds=6
    assert_row fd= 8 -- -add-fd fd=8,set=3
}

@test "apt's settings keep the descriptors that they name" {
    assert_row APT::Status-Fd 8 -- -o APT::Status-Fd=8
    assert_row APT::Status-Fd 8 -- -oAPT::Status-Fd=8
    assert_row APT::Keep-Fds "8 9" -- -o APT::Keep-Fds::=8 -oAPT::Keep-Fds::=9
}

@test "fd:N keeps what openssl and perf are given" {
    assert_row fd: 8 -- -passin fd:8
    assert_row fd: "8 9" -- --control=fd:8,9
    assert_nothing -- xfd:8 fd:x fd: 8
}

@test "fd::N keeps what git's remote helper is given" {
    assert_row fd:: 8 -- fd::8
    assert_row fd:: "8 9" -- fd::8,9/remote
}

@test "--print-address and --print-pid keep what dbus-daemon is given" {
    assert_row --print-address 8 -- --print-address=8
    assert_row --print-address 8 -- --print-address 8
    assert_row --print-pid 9 -- --print-pid=9
    assert_nothing -- --print-address --print-pid
}

@test "--deserialize keeps its descriptor" {
    assert_row --deserialize 8 -- --deserialize 8
    assert_row --deserialize 8 -- --deserialize=8
}

@test "--remote-debugging-pipe keeps 3 and 4" {
    assert_row --remote-debugging-pipe "3 4" -- --remote-debugging-pipe about:blank
}

@test "--preserve-fds keeps so many from 3 on" {
    assert_row --preserve-fds "3 4" -- run --preserve-fds 2 x
    assert_row --preserve-fds "3 4" -- run --preserve-fds=2 x
}

@test "bubblewrap's options without fd in their names keep their descriptors" {
    ln -s "$PROBES/numbers" bwrap
    for option in --args --seccomp --file --bind-data --ro-bind-data --userns --userns2 --pidns; do
        CHILD=$PWD/bwrap assert_row bwrap 8 -- "$option" 8 x
        assert_nothing -- "$option" 8 x
    done
    assert_line bwrap 8 ': /usr/bin/bwrap --args 8'
}

# ---- The rest

@test "jspawnhelper is given everything, for it closes everything itself" {
    ln -s "$PROBES/numbers" jspawnhelper
    CHILD=$PWD/jspawnhelper assert_children enforced "$ALL" --
    echo "convention jspawnhelper off" >policy
    AIRLOCK_POLICY=$PWD/policy CHILD=$PWD/jspawnhelper assert_nothing --
    ln -s "$PROBES/numbers" notjspawnhelper
    CHILD=$PWD/notjspawnhelper assert_nothing --
}

@test "what the program was given at its own start is sealed, and kept when the policy says so" {
    run enforced sh -c 'exec 8</dev/null 9</etc/passwd && exec "$@"' sh "$PROBES/spawn" have 5 /dev/null -- "$PROBES/numbers"
    assert_run "0 1 2"$'\n'"$ok" "with airlock"
    echo "convention inherited on" >policy
    AIRLOCK_POLICY=$PWD/policy run enforced sh -c 'exec 8</dev/null 9</etc/passwd && exec "$@"' sh "$PROBES/spawn" \
        have 5 /dev/null -- "$PROBES/numbers"
    assert_run "0 1 2 8 9"$'\n'"$ok" "with airlock"
}

@test "what took the place of an inherited descriptor is not inherited" {
    echo "convention inherited on" >policy
    AIRLOCK_POLICY=$PWD/policy run enforced sh -c 'exec 8</dev/null 9</etc/passwd && exec "$@"' sh "$PROBES/spawn" \
        have 8 /etc/passwd shut 9 -- "$PROBES/numbers"
    assert_run "0 1 2"$'\n'"$ok" "with airlock"
}

@test "a name of no row is a mistake of the policy" {
    echo "convention NO_SUCH off" >policy
    AIRLOCK_POLICY=$PWD/policy run enforced "$PROBES/numbers"
    [[ $output == *NO_SUCH* ]]
}

@test "a descriptor that is named and close-on-exec stays close-on-exec" {
    run enforced "$PROBES/spawn" how empty-envp have-cloexec 8 /dev/null have 9 /dev/null -- "$PROBES/numbers" --status-fd 8
    assert_run "0 1 2"$'\n'"$ok" "with airlock"
}

@test "more names than can be told apart keep everything rather than break the program" {
    words=() names=()
    for number in {300..420}; do
        words+=(have "$number" /dev/null)
        names+=("/dev/fd/$number")
    done
    run enforced "$PROBES/spawn" how empty-envp have 8 /dev/null "${words[@]}" -- "$PROBES/numbers" "${names[@]}"
    [[ $output == "0 1 2 8 300 301 "*" 420"$'\n'* ]]
}

@test "the same name again and again counts once" {
    names=()
    for number in {1..400}; do
        names+=("/dev/fd/8" --status-fd 8)
    done
    assert_children enforced "0 1 2 8" -- "${names[@]}"
}

@test "arguments and variables of 100 KB and of any bytes pass through and keep nothing" {
    long=$(head -c 100000 /dev/zero | tr '\0' f)
    assert_nothing envp "A_FD=$long" envp "MAKEFLAGS=$long" envp "$long=8" -- "$long" "--$long" "fd=$long" $'\xff\xfe--\xf0fd=x' "-" "--" ""
}

@test "a program without arguments or environment keeps nothing" {
    run enforced "$PROBES/spawn" how no-envp how no-argv "${HELD[@]}" path "$PROBES/numbers"
    [[ $output == "0 1 2"$'\n'* ]]
}

# ---- The environment that the program itself was given, which is read once

# given CODE [NAME=VALUE…]   a Python program with these variables, with descriptors 3 to 8 open, and with numbers(),
# which starts a child by system
given() {
    local code=$1
    shift
    run enforced env "$@" /usr/bin/python3 -c '
import ctypes, os, sys
libc = ctypes.CDLL(None)
libc.getenv.restype = ctypes.c_void_p
while libc.open(b"/dev/null", os.O_RDONLY) < 8:
    pass
def numbers():
    libc.system(sys.argv[1].encode())
'"$code" "$PROBES/numbers"
}

@test "a variable that the program changes where it stands is read again" {
    given '
variable = libc.getenv(b"SAYS")
for text in b"nothing", b"/dev/fd/7", b"nothing":
    ctypes.memmove(variable, text + bytes(1), len(text) + 1)
    numbers()' SAYS="nothing at all"
    assert_lines "0 1 2" "0 1 2 7" "0 1 2"
}

@test "a variable that the program adds to those it was given is read" {
    given '
numbers()
libc.setenv(b"NODE_CHANNEL_FD", b"8", 1)
numbers()
libc.setenv(b"HOME", b"/dev/fd/7", 1)
numbers()
libc.unsetenv(b"NODE_CHANNEL_FD")
numbers()'
    assert_lines "0 1 2" "0 1 2 8" "0 1 2 7 8" "0 1 2 7"
}

@test "the end of a variable that the program was given is a variable of its own" {
    given '
numbers()
pid = ctypes.c_int()
file = sys.argv[1].encode()
arguments = (ctypes.c_char_p * 2)(file, None)
environment = (ctypes.c_void_p * 2)(libc.getenv(b"WORDS"), None)
libc.posix_spawn(ctypes.byref(pid), file, None, None, arguments, environment)
os.waitpid(pid.value, 0)' WORDS=NODE_CHANNEL_FD=8
    assert_lines "0 1 2" "0 1 2 8"
}

@test "a variable that means something when the program starts keeps its descriptor in every child" {
    given '
numbers()
numbers()' MAKEFLAGS= TAR_FD=6
    assert_lines "0 1 2 6" "0 1 2 6"
}
