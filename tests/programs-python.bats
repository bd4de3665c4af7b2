#!/usr/bin/env bats
# Python reaches libc's posix_spawn (os.posix_spawn, and subprocess where close_fds=False and a path allow it), posix_spawnp
# and system. os.popen and every other use of subprocess end in a vfork of its own: there only the results are compared.
# The leak is a file that C code opened: what Python opens is close-on-exec.

load programs/common.bash

LEAKING='import ctypes, os, subprocess
fds = os.environ["FDS"]
leaked = ctypes.CDLL(None).open(os.environ["LEAK"].encode(), os.O_RDONLY)
assert leaked > 2
'

@test "a child of os.posix_spawn holds no file that C code opened" {
    assert_sealed "$LEAK" "$PYTHON" -c "$LEAKING
os.waitpid(os.posix_spawn(fds, [fds], os.environ), 0)"
}

@test "a child of os.posix_spawnp holds no file that C code opened" {
    assert_sealed "$LEAK" "$PYTHON" -c "$LEAKING
os.environ['PATH'] = os.path.dirname(fds)
os.waitpid(os.posix_spawnp('fds', ['fds'], os.environ), 0)"
}

@test "a child of os.system holds no file that C code opened" {
    assert_sealed "$LEAK" "$PYTHON" -c "$LEAKING
os.system(fds)"
}

@test "a child of subprocess with close_fds=False holds no file that C code opened" {
    assert_sealed "$LEAK" "$PYTHON" -c "$LEAKING
subprocess.run([fds], close_fds=False, check=True)"
}

@test "a captured child of subprocess with close_fds=False holds no file that C code opened" {
    assert_sealed "$LEAK" "$PYTHON" -c "$LEAKING
print(subprocess.run([fds], close_fds=False, check=True, stdout=subprocess.PIPE).stdout.decode(), end='')"
}

@test "children of os.popen and of subprocess, which Python cleans itself, hold the same as without airlock" {
    for start in "print(os.popen(fds).read(), end='')" "subprocess.run([fds], check=True)"; do
        assert_holds "0 1 2" plain "$PYTHON" -c "$LEAKING
$start"
        assert_holds "0 1 2" enforced "$PYTHON" -c "$LEAKING
$start"
    done
}

@test "a child of os.posix_spawn holds the targets of its file actions, and not their sources" {
    assert_holds "0 1 2 5 30" enforced "$PYTHON" -c "$LEAKING
os.waitpid(os.posix_spawn(fds, [fds], os.environ, file_actions=[
    (os.POSIX_SPAWN_DUP2, leaked, 5), (os.POSIX_SPAWN_OPEN, 30, '/dev/null', os.O_RDONLY, 0)]), 0)"
}

@test "a child of os.posix_spawn holds a descriptor that a file action duplicates onto itself" {
    assert_holds "0 1 2 40" enforced "$PYTHON" -c "$LEAKING
os.dup2(leaked, 40, inheritable=False)
os.waitpid(os.posix_spawn(fds, [fds], os.environ, file_actions=[(os.POSIX_SPAWN_DUP2, 40, 40)]), 0)"
}

@test "a child of os.posix_spawn does not hold what a file action closes" {
    assert_holds "1 2" enforced "$PYTHON" -c "$LEAKING
os.waitpid(os.posix_spawn(fds, [fds], os.environ, file_actions=[(os.POSIX_SPAWN_CLOSE, 0)]), 0)"
}

@test "a child of os.system can be ended by a broken pipe, though Python ignores SIGPIPE" {
    try='import os; os.system("kill -PIPE $$; echo survived")'
    [ "$(plain "$PYTHON" -c "$try")" = survived ]
    [ "$(enforced "$PYTHON" -c "$try")" = "" ]
}

@test "with AIRLOCK_SIGNALS=inherit a child of os.system ignores SIGPIPE as Python does" {
    try='import os; os.system("kill -PIPE $$; echo survived")'
    [ "$(AIRLOCK_SIGNALS=inherit enforced "$PYTHON" -c "$try")" = survived ]
}

@test "file actions do the same in os.posix_spawn" {
    cd "$BATS_TEST_TMPDIR"
    assert_same "$PYTHON" "$INPUTS/spawns.py" actions
}

@test "group, session, mask, default signals and scheduler are the same in os.posix_spawn" {
    assert_same "$PYTHON" "$INPUTS/spawns.py" attributes
}

@test "a program that cannot be run is the same error, found along the same PATH, in os.posix_spawn and os.posix_spawnp" {
    cd "$BATS_TEST_TMPDIR"
    assert_same "$PYTHON" "$INPUTS/spawns.py" errors
}

@test "the environment of a child of os.posix_spawn is the one it was given" {
    assert_same "$PYTHON" "$INPUTS/spawns.py" environment
}

@test "what os.system and os.popen give back is the same" {
    assert_same "$PYTHON" "$INPUTS/spawns.py" statuses
}

@test "what subprocess gives back is the same" {
    assert_same "$PYTHON" "$INPUTS/spawns.py" subprocesses
}

@test "threads that spawn at the same time all get their own child's answer" {
    assert_same "$PYTHON" -c 'import concurrent.futures, subprocess
def answer(n): return subprocess.run(["/bin/sh", "-c", f"exit {n}"], close_fds=False).returncode
with concurrent.futures.ThreadPoolExecutor(8) as pool: print(list(pool.map(answer, range(100))))'
}
