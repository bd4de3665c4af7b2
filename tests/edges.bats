#!/usr/bin/env bats
# Records and policies at their edges: what is longer, more or stranger than a line has room for.

bats_require_minimum_version 1.5.0
load helpers

spawn=$PROBES/spawn

setup() {
    LOG=$BATS_TEST_TMPDIR/log
    POLICY=$BATS_TEST_TMPDIR/policy
}

# Runs CMD with a log that has all there is; has TEXT looks for it there.
recorded() {
    enforced env AIRLOCK_LOG="$LOG" AIRLOCK_LOG_FDS=1 "$@"
}

has() {
    grep -qF -- "$1" "$LOG" || { cut -c 1-2000 "$LOG" && return 1; }
}

# ---- Records

@test "a record says when arguments, actions or descriptors are more than it has room for" {
    local many i
    for ((i = 0; i < 900; i++)); do many+=(word-number-"$i"); done
    recorded "$spawn" -- /bin/true "${many[@]}"
    has '"argv_cut":true'
    recorded "$spawn" closes 400 -- /bin/true
    has '"actions_cut":true'
    recorded /usr/bin/python3 -c '
import os
held = [os.open("/etc/passwd", os.O_RDONLY) for _ in range(1200)]
[os.set_inheritable(fd, True) for fd in held]
os.posix_spawn("/bin/true", ["true"], {})'
    has '"fds_cut":true'
    [ "$(grep -cE '^\{.*\}$' "$LOG")" -eq "$(wc -l <"$LOG")" ]
}

@test "a record of a call without arguments has none, and scheduling and a control group are told" {
    recorded "$spawn" how no-argv -- /bin/true
    [ "$(wc -l <"$LOG")" -eq 1 ]
    ! grep -q '"argv"' "$LOG" || return 1
    recorded "$spawn" schedparam 0 -- /bin/true
    has '"attributes":["schedparam 0"]'
    recorded "$spawn" scheduler 0 0 -- /bin/true
    has '"scheduler 0"'
    recorded "$PROBES/stranger" cgroup
    has '"cgroup -1"'
}

@test "a descriptor that closefrom closes is neither kept nor sealed in a record" {
    recorded "$spawn" have 7 /etc/passwd have 9 /etc/passwd closefrom 8 -- /bin/true
    has '{"fd":7,'
    ! grep -q '{"fd":9,' "$LOG" || return 1
}

@test "a log with a relative name stays in the folder where the program began" {
    mkdir "$BATS_TEST_TMPDIR/here"
    cd "$BATS_TEST_TMPDIR/here" || return 1
    AIRLOCK_LOG=relative enforced /usr/bin/python3 -c '
import os
os.chdir("/proc")
os.posix_spawn("/bin/true", ["true"], {})'
    LOG=$BATS_TEST_TMPDIR/here/relative
    has '"type":"spawn"'
}

@test "a log whose name is longer than any path, or than a socket's, costs the records and nothing else" {
    local long
    long=$(printf '%0200d' 0)
    assert_same env AIRLOCK_LOG="unix:/tmp/$long" "$spawn" -- /bin/sh -c 'exit 7'
    long=$(printf '%05000d' 0)
    assert_same env AIRLOCK_LOG="/$long" "$spawn" -- /bin/sh -c 'exit 7'
}

@test "standard error takes a record when it is open, and the program goes on when it is not" {
    run --separate-stderr -0 enforced env AIRLOCK_LOG=stderr "$spawn" -- /bin/true
    # shellcheck disable=SC2154  # bats sets stderr
    [[ $stderr == *'"type":"spawn"'* ]]
    run -0 enforced env AIRLOCK_LOG=stderr sh -c "exec $spawn -- /bin/true 2>&-"
    [[ $output != *'"type"'* ]]
}

@test "sockets of all sorts are described with both ends" {
    recorded /usr/bin/python3 -c '
import os, socket
kept = []
def keep(s):
    s.set_inheritable(True)
    kept.append(s)
    return s
four = keep(socket.socket()); four.bind(("127.0.0.1", 0)); four.listen()
keep(socket.create_connection(four.getsockname())); keep(four.accept()[0])
six = keep(socket.socket(socket.AF_INET6, socket.SOCK_DGRAM))
try: six.bind(("::1", 0))
except OSError: pass
named = keep(socket.socket(socket.AF_UNIX)); named.bind("\0airlock-edges-%d" % os.getpid())
for one in socket.socketpair(): keep(one)
keep(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM))
keep(socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET))
keep(socket.socket(socket.AF_NETLINK, socket.SOCK_RAW))
os.posix_spawn("/bin/true", ["true"], {})'
    has ' tcp 127.0.0.1:'
    has ' <- 127.0.0.1:'
    has ' udp '
    has ' unix stream @airlock-edges-'
    has ' unix datagram'
}

@test "a real-time signal that is ignored and becomes default has a name in the record" {
    AIRLOCK_SIGNALS=all recorded "$spawn" ignore 40 -- /bin/true
    has '"signals_reset":["SIGRTMIN+6"]'
}

# ---- Policies

@test "a policy beyond its number of rules says which line is left out" {
    local line
    for line in 'keep 7' 'keep socket' 'mask clear'; do
        for ((i = 0; i < 600; i++)); do echo "$line"; done >"$POLICY"
        run -0 enforced env AIRLOCK_POLICY="$POLICY" "$spawn" -- /bin/true
        [[ $output == *"there are more than 512 rules"* ]]
    done
    echo 'mask clear twice' >"$POLICY"
    run -0 enforced env AIRLOCK_POLICY="$POLICY" "$spawn" -- /bin/true
    [[ $output == *"one word too many"* ]]
}

@test "brackets in a pattern may be inverted, begin with their end, hold an escape and a range" {
    local folder=$BATS_TEST_TMPDIR/files pattern expected
    mkdir "$folder"
    touch "$folder"/{a,b,z,]}
    while read -r pattern expected; do
        printf 'keep path %s/%s\n' "$folder" "$pattern" >"$POLICY"
        run -0 enforced env AIRLOCK_POLICY="$POLICY" sh -c \
            "exec $spawn -- $PROBES/numbers 6<$folder/a 7<$folder/b 8<$folder/z 9<$folder/]"
        [[ ${lines[0]} == "0 1 2 $expected" ]] || { echo "$pattern: ${lines[*]}" && return 1; }
    done <<'END'
[a-b] 6 7
[!a-b] 8 9
[^ab] 8 9
[]z] 8 9
[\]a] 6 9
END
}

@test "a policy that is a socket is no policy" {
    /usr/bin/python3 -c 'import socket, sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])' "$POLICY"
    run -0 enforced env AIRLOCK_POLICY="$POLICY" "$spawn" -- /bin/true
    [[ $output == *"is no regular file"* ]]
}

@test "without statx descriptors are told apart by fstat" {
    echo 'keep device' >"$POLICY"
    # The first statx is for the policy itself.
    command -v strace >/dev/null || skip "needs strace"
    run -0 plain strace -o /dev/null -e trace=statx -e inject=statx:error=ENOSYS:when=2+ \
        env LD_PRELOAD="$PRELOAD" AIRLOCK_POLICY="$POLICY" \
        "$spawn" have 7 /dev/null have 8 /etc/passwd -- "$PROBES/numbers"
    [ "${lines[0]}" = "0 1 2 7" ] || { echo "$output" && return 1; }
}

# ---- Calls that fail

# each_failure CALL ERROR CMD…: CMD, with a log and a policy, once for each use of CALL, which fails. It ends by itself
# every time, and not later than the loader's 127.
each_failure() {
    local call=$1 error=$2 uses which status around
    shift 2
    around=(strace -E LD_PRELOAD="$PRELOAD" -E AIRLOCK_LOG=log -E AIRLOCK_LOG_FDS=1 -E AIRLOCK_POLICY="$POLICY" 
        -e "trace=$call")
    plain "${around[@]}" -o calls "$@" >said 2>&1 </dev/null
    uses=$(grep -c "^$call(" calls)
    for ((which = 1; which <= uses; which++)); do
        status=0
        plain "${around[@]}" -o /dev/null -e inject="$call:error=$error:when=$which" "$@" >said 2>&1 </dev/null ||
            status=$?
        # The first uses are those of a loader that may do without a message.
        if [ "$status" -gt 127 ] && ! plain strace -o /dev/null -e "trace=$call" \
            -e inject="$call:error=$error:when=$which" "$@" >/dev/null 2>&1 </dev/null; then
            continue
        fi
        if [ "$status" -gt 127 ] || [ "$status" -eq 124 ]; then
            echo "$call number $which of $uses with $error: status $status: $*" && cat said
            return 1
        fi
    done
    tried=$((tried + uses))
}

@test "whichever one call fails in a program that is recorded and has a policy, the program ends by itself" {
    command -v strace >/dev/null || skip "needs strace"
    local tried=0 pair
    echo 'keep device' >"$POLICY"
    cd "$BATS_TEST_TMPDIR" || return 1
    for pair in mmap:ENOMEM read:EINTR read:EIO statx:EACCES getcwd:ENOENT rt_sigprocmask:EPERM; do
        each_failure "${pair%:*}" "${pair#*:}" "$spawn" have 7 /dev/null -- /bin/true
    done
    for pair in mmap:ENOMEM wait4:EINTR; do
        each_failure "${pair%:*}" "${pair#*:}" "$PROBES/stream" popen r 'echo there' read 0 pclose 0
    done
    [ "$tried" -gt 30 ]
}
