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
    for pair in mmap:ENOMEM openat:EMFILE read:EINTR read:EIO statx:EACCES getcwd:ENOENT rt_sigprocmask:EPERM; do
        each_failure "${pair%:*}" "${pair#*:}" "$spawn" have 7 /dev/null -- /bin/true
    done
    for pair in mmap:ENOMEM wait4:EINTR; do
        each_failure "${pair%:*}" "${pair#*:}" "$PROBES/stream" popen r 'echo there' read 0 pclose 0
    done
    [ "$tried" -gt 30 ]
}

@test "popen says so where no memory is left for a list that has grown with its streams" {
    command -v strace >/dev/null || skip "needs strace"
    local around=(strace -E LD_PRELOAD="$PRELOAD" -e trace=mmap) streams=() which uses i
    for ((i = 0; i < 34; i++)); do streams+=(popen r :); done
    plain "${around[@]}" -o "$BATS_TEST_TMPDIR/calls" "$PROBES/stream" "${streams[@]}"
    uses=$(grep -c '^mmap(' "$BATS_TEST_TMPDIR/calls")
    # By then there are more streams than the library has places for at first.
    for ((which = uses - 9; which <= uses; which++)); do
        run -0 plain "${around[@]}" -o /dev/null -e inject="mmap:error=ENOMEM:when=$which" \
            "$PROBES/stream" "${streams[@]}"
        [ "$(grep -cx 'popen: ok' <<<"$output")" -eq 33 ]
        [ "$(grep -cx 'popen: ENOMEM' <<<"$output")" -eq 1 ]
    done
}

@test "a signal while a cancelled thread ends the shell of its system is waited through" {
    command -v strace >/dev/null || skip "needs strace"
    # The first waits of that thread are for the child that shows whether memory is shared, and for the shell.
    run -0 plain strace -f -o /dev/null -e trace=wait4 -e inject=wait4:error=EINTR:when=3 -E LD_PRELOAD="$PRELOAD" \
        "$PROBES/shell" cancel "$BATS_TEST_TMPDIR/pid"
    assert_lines "the thread was cancelled: yes" "its child: gone"
}

@test "threads that call system while another changes the dispositions wait for it" {
    command -v strace >/dev/null || skip "needs strace"
    run -0 plain strace -f -o /dev/null -e trace=rt_sigaction -e inject=rt_sigaction:delay_enter=20000 \
        -E LD_PRELOAD="$PRELOAD" "$PROBES/shell" threads 4
    [ "$(grep -c '^system: exit' <<<"$output")" -eq 4 ]
    [ "${#lines[@]}" -eq 4 ]
}

@test "a child of fork calls system although a thread that it does not have was in the middle of it" {
    command -v strace >/dev/null || skip "needs strace"
    cat >"$BATS_TEST_TMPDIR/fork.c" <<'END'
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
static void *call(void *argument) {
    *(int *)argument = system("exit 3");
    return NULL;
}
int main(void) {
    pthread_t thread;
    int thread_status, status;
    pthread_create(&thread, NULL, call, &thread_status);
    usleep(100000);
    int pid = fork();
    if (pid == 0)
        _exit(WEXITSTATUS(system("exit 4")));
    waitpid(pid, &status, 0);
    pthread_join(thread, NULL);
    printf("%d %d\n", WEXITSTATUS(thread_status), WEXITSTATUS(status));
}
END
    cc -pthread -o "$BATS_TEST_TMPDIR/fork" "$BATS_TEST_TMPDIR/fork.c"
    run -0 plain strace -f -o /dev/null -e trace=rt_sigaction -e inject=rt_sigaction:delay_enter=300000 \
        -E LD_PRELOAD="$PRELOAD" "$BATS_TEST_TMPDIR/fork"
    [ "$output" = "3 4" ]
}

@test "a lookup of libc's functions during which somebody calls one of them has an answer all the same" {
    cat >"$BATS_TEST_TMPDIR/lookup.c" <<'END'
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
static int wrong;
void *dlsym(void *handle, const char *name) {
    static const char *const versions[] = {"GLIBC_2.2.5", "GLIBC_2.9", "GLIBC_2.28"};
    void *found = NULL;
    if (strcmp(name, "fcntl") == 0 || strcmp(name, "fcntl64") == 0 || strcmp(name, "dup2") == 0) {
        wrong += fcntl(0, F_GETFD) < 0;
        wrong += fcntl(77, F_GETFD) != -1 || errno != EBADF;
        wrong += fcntl(0, F_GETOWN) != -1 && fcntl(0, F_GETOWN) != 0;
        wrong += dup2(0, 0) != 0;
        wrong += dup2(0, 9) != 9 || close(9) != 0;
        wrong += dup2(77, 77) != -1 || errno != EBADF;
    }
    for (int i = 0; i < 3 && found == NULL; i++)
        found = dlvsym(handle, name, versions[i]);
    return found;
}
__attribute__((destructor)) static void tell(void) {
    if (wrong != 0)
        printf("%d wrong\n", wrong);
}
END
    cc -shared -fPIC -o "$BATS_TEST_TMPDIR/lookup.so" "$BATS_TEST_TMPDIR/lookup.c" -ldl
    run -0 plain env NUMBERS="$PROBES/numbers" LD_PRELOAD="$PRELOAD:$BATS_TEST_TMPDIR/lookup.so" \
        "$PROBES/intent" open 7 /dev/null setfd 7 0 leak 9 /dev/null dup2 7 8 list
    [ "$output" = "0 1 2 7 8" ]
}

@test "a descriptor that cannot be looked at is not marked" {
    command -v strace >/dev/null || skip "needs strace"
    run -0 plain strace -o /dev/null -e trace=fstat -e inject=fstat:error=EACCES \
        -E NUMBERS="$PROBES/numbers" -E LD_PRELOAD="$PRELOAD" \
        "$PROBES/intent" open 7 /dev/null setfd 7 0 list
    [ "$output" = "0 1 2" ]
}

@test "a record that has room for an argument's name and nothing of it leaves it out" {
    local length
    # The room for arguments ends somewhere among these.
    for ((length = 4020; length <= 4110; length += 2)); do
        recorded "$spawn" -- /bin/true "$(printf "%0${length}d" 0)" second third
    done >/dev/null
    [ "$(grep -cE '^\{.*\}$' "$LOG")" -eq 46 ]
    [ "$(grep -c '"third"\]' "$LOG")" -gt 0 ]
    [ "$(grep -c '"argv_cut":true' "$LOG")" -gt 0 ]
}

@test "a call from code that lies in no file has no object in its record" {
    recorded "$PROBES/stranger" no-object
    has '"call":"posix_spawn"'
    if [ "$(uname -m)" = x86_64 ]; then
        ! grep -q '"object"' "$LOG" || return 1
    fi
}

@test "with SIGPIPE blocked and pending, a log that cannot be written leaves it pending" {
    mkfifo "$BATS_TEST_TMPDIR/pipe"
    run -0 enforced env AIRLOCK_LOG=stderr /usr/bin/python3 -c '
import os, signal
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGPIPE})
read, write = os.pipe()
os.close(read)
os.dup2(write, 2)
os.posix_spawn("/bin/true", ["true"], {})
print(signal.sigpending())
os.kill(os.getpid(), signal.SIGPIPE)
os.posix_spawn("/bin/true", ["true"], {})
print(signal.sigpending())'
    [ "${lines[0]}" = "set()" ]
    [[ ${lines[1]} == *SIGPIPE* ]]
}

@test "a log at a socket is not written where no socket can be had" {
    command -v strace >/dev/null || skip "needs strace"
    run -0 plain strace -o /dev/null -e trace=socket -e inject=socket:error=EMFILE \
        -E LD_PRELOAD="$PRELOAD" -E AIRLOCK_LOG="unix:$BATS_TEST_TMPDIR/socket" "$spawn" -- /bin/true
    [ "$output" = $'spawn: ok\nchild: exit 0' ]
}

# ---- Calls and environments

@test "a program to execute that is NULL is EFAULT" {
    assert_both EFAULT "$PROBES/stranger" no-path
}

@test "mode off hands the old spawn to libc's old one" {
    printf 'exit 7\n' >"$BATS_TEST_TMPDIR/script"
    chmod +x "$BATS_TEST_TMPDIR/script"
    AIRLOCK_MODE=off assert_both $'spawn: ok\nchild: exit 7' "$spawn" call old-spawn -- "$BATS_TEST_TMPDIR/script"
}

@test "a program that starts with no environment is covered by a loader that preloads by its own option" {
    local loader
    loader=$(readelf -l "$spawn" | sed -nE 's/.*interpreter: (.*)\]/\1/p')
    "$loader" --help | grep -q -e --preload || skip "the loader has no such option"
    run -0 plain env -i "$loader" --preload "$PRELOAD" "$spawn" have 7 /dev/null -- "$PROBES/numbers"
    [ "${lines[0]}" = "0 1 2" ]
}

@test "fclose of an ordinary stream beside one of popen is an ordinary one" {
    assert_both $'popen: ok\nfopen: ok\nfclose: exit 0\npclose: exit 3' \
        "$PROBES/stream" popen r 'exit 3' fopen /dev/null r fclose 1 pclose 0
}

@test "pclose of a stream whose descriptor is gone answers as libc's" {
    assert_same "$PROBES/stream" popen r 'exit 3' shut 3 pclose 0
}

@test "what only looks like a convention keeps nothing" {
    local words
    ln -s "$PROBES/numbers" "$BATS_TEST_TMPDIR/bwrap"
    run -0 enforced "$spawn" have 7 /dev/null -- "$BATS_TEST_TMPDIR/bwrap" --args 7
    [ "${lines[0]}" = "0 1 2 7" ]
    run -0 enforced "$spawn" have 7 /dev/null -- "$BATS_TEST_TMPDIR/bwrap" --others 7
    [ "${lines[0]}" = "0 1 2" ]
    for words in 'PUMA_INHERIT_x=7' 'PUMA_INHERIT_=7'; do
        run -0 enforced "$spawn" have 7 /dev/null envp "$words" -- "$PROBES/numbers"
        [ "${lines[0]}" = "0 1 2" ]
    done
    run -0 enforced "$PROBES/shell" have 7 /dev/null system "TAR-FD=7 true; $PROBES/numbers" 2>/dev/null
    [[ $output == *"0 1 2"$'\n'* ]]
}

@test "with every convention off, nothing is kept for any reason but a file action" {
    "$AIRLOCK" policy conventions | sed -E 's/ \(off\)$//; s/^(.*)$/convention \1 off/' >"$POLICY"
    [ "$(wc -l <"$POLICY")" -gt 20 ]
    run -0 enforced env AIRLOCK_POLICY="$POLICY" "$spawn" have 7 /dev/null have 8 /dev/null dup2 8 8 envp TAR_FD=7 -- \
        "$PROBES/numbers"
    [ "${lines[0]}" = "0 1 2 8" ]
}

@test "a section for a program that is found in PATH, in libc's own path, or not at all" {
    local long
    long=$(printf '%05000d' 0)
    printf '[program /bin/sh]\nkeep 7\n[program /usr/bin/sh]\nkeep 7\n' >"$POLICY"
    ask() {
        run -0 enforced env "$@" AIRLOCK_POLICY="$POLICY" "$spawn" call spawnp have 7 /dev/null -- \
            sh -c "exec $PROBES/numbers"
        echo "${lines[0]}"
    }
    [ "$(ask PATH=/nowhere:/bin)" = "0 1 2 7" ]
    [ "$(ask -u PATH)" = "0 1 2 7" ]
    [ "$(ask PATH="$long:/bin")" = "0 1 2 7" ]
    run -0 enforced env AIRLOCK_POLICY="$POLICY" "$spawn" call spawnp have 7 /dev/null -- no-such-program
    [ "${lines[0]}" = "spawn: ENOENT" ]
}

@test "a rule about kinds in a section for another program asks for no kinds" {
    printf '[program another]\nkeep device\n' >"$POLICY"
    run -0 enforced env AIRLOCK_POLICY="$POLICY" "$spawn" have 7 /dev/null -- "$PROBES/numbers"
    [ "${lines[0]}" = "0 1 2" ]
    ln -s "$PROBES/numbers" "$BATS_TEST_TMPDIR/another"
    run -0 enforced env AIRLOCK_POLICY="$POLICY" "$spawn" have 7 /dev/null -- "$BATS_TEST_TMPDIR/another"
    [ "${lines[0]}" = "0 1 2 7" ]
}

@test "a pattern that ends in the middle of an escape, and a policy that is longer than it seemed, are told" {
    printf 'keep path /srv/a%s' "\\" >"$POLICY"
    run -0 enforced env AIRLOCK_POLICY="$POLICY" "$spawn" -- /bin/true
    [[ $output == *"ends in the middle of an escape"* ]]
    needs_root
    # Its size is told as 0.
    run -0 enforced env AIRLOCK_POLICY=/proc/kallsyms "$spawn" -- /bin/true
    [[ $output == *"is larger than 64 KiB"* ]]
}
