#!/usr/bin/env bats
# The host program comes first: it finds and keeps everything as it would be without the library.

# Programs in single quotes are meant for another shell.
# shellcheck disable=SC2016

load helpers

host=$PROBES/host

@test "main finds errno, mask, dispositions, descriptors, threads and children as they would be" {
    assert_same "$host" start
    [[ $(plain "$host" start) == *"threads: 1"* ]]
}

@test "main finds a closed standard descriptor closed" {
    assert_same sh -c 'exec "$0" start <&-' "$host"
    assert_same sh -c 'exec "$0" start 2>&-' "$host"
    run enforced sh -c 'exec "$0" start <&- 2>&-' "$host"
    [[ $output == *"descriptor 1 flags 0"* && $output != *"descriptor 0"* && $output != *"descriptor 2"* ]]
}

@test "main finds inherited dispositions and masks" {
    local program='trap "" PIPE INT USR1; exec "$0" start'
    assert_same sh -c "$program" "$host"
}

@test "the library prints nothing and changes nothing in a program that spawns nothing" {
    assert_same true
    assert_same false
    assert_same sh -c 'echo out; echo err >&2; exit 3'
}

@test "every call leaves the mask, dispositions, descriptors, threads and cancellation state as they were" {
    # The probe prints a line for each that changed.
    local expected name
    expected=$(for name in posix_spawn "a failing posix_spawn" posix_spawnp "a failing posix_spawnp" system \
        "popen and pclose" "a failing popen"; do echo "$name:"; echo "$name:"; done; echo "handlers ran: yes")
    assert_both "$expected" "$host" around
}

@test "every call leaves everything as it was when system calls are refused" {
    local expected name rules
    expected=$(for name in posix_spawn "a failing posix_spawn" posix_spawnp "a failing posix_spawnp" system \
        "popen and pclose" "a failing popen"; do echo "$name:"; echo "$name:"; done; echo "handlers ran: yes")
    for rules in clone3=ENOSYS close_range=ENOSYS 'close_range@2&2=EINVAL' clone3=EPERM,close_range=EPERM; do
        assert_enforced "$expected" "$PROBES/deny" "$rules" "$host" around
    done
}

@test "no atexit and no pthread_atfork function of the parent runs for a spawn" {
    assert_both $'buffered\natexit' "$host" handlers
}

@test "no call allocates on the way to its child" {
    assert_both $'posix_spawn: 0 allocations\na failing posix_spawn: 0 allocations\nposix_spawnp: 0 allocations\na failing posix_spawnp: 0 allocations\nsystem: 0 allocations' \
        "$host" malloc
}

@test "a program whose allocator is its own starts and spawns" {
    # The probe's allocator answers from the first moment on, before any constructor.
    assert_same "$host" start
    assert_same "$host" around
}

@test "calls before any constructor and after main work, and are sealed" {
    assert_same "$PROBES/early"
    [[ $(enforced "$PROBES/early") == *"before constructors, popen: ok 7"*"at the end, popen: ok 7"* ]]
}

@test "the library exports the calls that it takes over and nothing else" {
    command -v nm >/dev/null || skip "needs nm"
    local names
    names=$(nm -D --defined-only "$PRELOAD" | awk '$2 != "A" {print $3}' | sed 's/@.*//' | sort -u)
    echo "$names"
    [ -n "$names" ]
    # vfork is not among them: a wrapper would corrupt the stack that parent and child share.
    run grep -vxE 'posix_spawnp?|pidfd_spawnp?|system|popen|pclose|fclose|fcntl(64)?|ioctl|dup[23]' <<<"$names"
    [ "$status" -eq 1 ]
}

@test "both versions of posix_spawn and posix_spawnp are exported under libc's own names" {
    command -v nm >/dev/null || skip "needs nm"
    [ "$(uname -m)" = x86_64 ] || skip "one version on this architecture"
    for name in posix_spawn posix_spawnp; do
        for version in GLIBC_2.2.5 GLIBC_2.15; do
            nm -D --defined-only "$PRELOAD" | grep -qE " $name@@?$version\$"
        done
    done
}

@test "the library needs libc and nothing else" {
    command -v readelf >/dev/null || skip "needs readelf"
    local needed
    needed=$(readelf -d "$PRELOAD" | sed -n 's/.*NEEDED.*\[\(.*\)\]/\1/p')
    echo "$needed"
    run grep -vE '^(libc\.so|ld-linux|libc\.musl)' <<<"$needed"
    [ "$status" -eq 1 ]
}

@test "a program that preloads another library keeps both" {
    local program='echo "$LD_PRELOAD" | tr ":" "\n" | wc -l'
    run plain env LD_PRELOAD="$PRELOAD:$PRELOAD" sh -c "$program"
    assert_lines 2
}

@test "a fork in the program, and the child's own spawn, work as before" {
    command -v python3 >/dev/null || skip "needs python3"
    assert_same python3 -c '
import os, sys
pid = os.fork()
if pid == 0:
    sys.exit(os.system("exit 5") >> 8)
print(os.waitpid(pid, 0)[1] >> 8, os.system("exit 6") >> 8)'
}

@test "a thread that forks while others spawn leaves a child that can spawn" {
    command -v python3 >/dev/null || skip "needs python3"
    assert_both ok python3 -c '
import os, threading
def spawn():
    for _ in range(30):
        os.popen("exit 0").close()
        os.system("exit 0")
threads = [threading.Thread(target=spawn) for _ in range(2)]
for t in threads: t.start()
for _ in range(15):
    pid = os.fork()
    if pid == 0:
        os._exit(os.system("exit 7") >> 8)
    assert os.waitpid(pid, 0)[1] >> 8 == 7
for t in threads: t.join()
print("ok")'
}

@test "a program with ThreadSanitizer spawns while it has threads, and starts more of them afterwards" {
    command -v gcc >/dev/null || skip "needs gcc"
    cd "$BATS_TEST_TMPDIR"
    cat >program.c <<'END'
#include <pthread.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/wait.h>
extern char **environ;
static pthread_barrier_t end;
static void *stay(void *argument) {
    pthread_barrier_wait(&end);
    return argument;
}
int main(void) {
    pthread_t threads[2];
    int status = -1;
    pid_t child;
    char *arguments[] = {"sh", "-c", "exit 7", NULL};
    pthread_barrier_init(&end, NULL, 3);
    pthread_create(&threads[0], NULL, stay, NULL);
    if (posix_spawn(&child, "/bin/sh", NULL, NULL, arguments, environ) == 0)
        waitpid(child, &status, 0);
    pthread_create(&threads[1], NULL, stay, NULL);
    pthread_barrier_wait(&end);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    printf("exit %d\n", WEXITSTATUS(status));
    return 0;
}
END
    gcc -fsanitize=thread -o program program.c 2>/dev/null || skip "this compiler has no runtime"
    [ "$(plain ./program 2>/dev/null)" = "exit 7" ] || skip "the sanitizer does not start here"
    # Its own clone is what the library must not use: there, a child in shared memory makes the parent a child as well.
    assert_enforced "exit 7" ./program
    assert_enforced "exit 7" "$PROBES/deny" clone3=ENOSYS ./program
    assert_enforced "exit 7" "$PROBES/deny" 'clone3=ENOSYS,clone@0&4000=EPERM' ./program
}
