#!/usr/bin/env bats
# CPython's own tests, with its helper for starting programs and with airlock in its place. The slow ones
# (multiprocessing) are left to the command tests/cpython/run --all.

load helpers

@test "CPython's tests of subprocess and asyncio, and of spawning in os, give the same results with airlock" {
    run "$ROOT/tests/cpython/run"
    echo "$output"
    [ "$status" -eq 0 ]
    [[ "$output" == *"the lists are the same" ]]
    # All of them ran: a list that is empty in both would be the same as well.
    [[ "$output" == *"test_swap_fds: passed | passed"* ]]
    [[ "$output" == *"test.test_asyncio.test_subprocess."* ]]
    [[ "$output" == *"test.test_os.SpawnTests."* ]]
}

@test "the extension module replaces CPython's own in a running interpreter" {
    run /usr/bin/python3.11 -c '
import importlib.machinery, importlib.util, os, sys
loader = importlib.machinery.ExtensionFileLoader("_posixsubprocess", sys.argv[1])
spec = importlib.util.spec_from_file_location("_posixsubprocess", sys.argv[1], loader=loader)
module = importlib.util.module_from_spec(spec)
loader.exec_module(module)
sys.modules["_posixsubprocess"] = module
import subprocess
print(subprocess._fork_exec is module.fork_exec, subprocess.run(["echo", "hello"], capture_output=True).stdout)
' "$BUILD/tests/cpython/_posixsubprocess.so"
    [ "$output" = 'True b'\''hello\n'\' ]
}

@test "the pipe that the module offered before Python 3.4 is close-on-exec at both ends" {
    run "$BUILD/tests/cpython/python3.11" -c '
import _posixsubprocess, os
reading, writing = _posixsubprocess.cloexec_pipe()
os.write(writing, b"through")
print(os.read(reading, 7), os.get_inheritable(reading), os.get_inheritable(writing))'
    [ "$output" = "b'through' False False" ]
}

@test "the module refuses what CPython refuses: an error pipe below 3, descriptors out of order, groups that are no list" {
    run "$BUILD/tests/cpython/python3.11" -c '
import _posixsubprocess, os
def call(keep=(), error_pipe=7, groups=None):
    try:
        _posixsubprocess.fork_exec([b"true"], [b"/bin/true"], True, keep, None, None, -1, -1, -1, -1, -1, -1, -1,
                                   error_pipe, True, False, -1, None, groups, None, -1, None, True)
    except (TypeError, ValueError) as error:
        print(type(error).__name__, error)
call(error_pipe=2)
call(keep=(5, 4))
call(groups=())
try:
    os.waitpid(-1, 0)
except ChildProcessError:
    print("no child")'
    [ "${lines[0]}" = "ValueError errpipe_write must be >= 3" ]
    [ "${lines[1]}" = "ValueError bad value(s) in fds_to_keep" ]
    [ "${lines[2]}" = "TypeError setgroups argument must be a list" ]
    [ "${lines[3]}" = "no child" ]
}
