"""CPython: _posixsubprocess.fork_exec, called as subprocess.Popen calls it. A worker that speaks worker.c's dialogue.

The error pipe belongs to the interface: fork_exec takes its write end, and end of file on the other is the success.
"""

import _posixsubprocess
import errno
import mmap
import os
import resource
import sys
import threading
import time

NO_PIPE = -1
PAGE = os.sysconf("SC_PAGESIZE")


def fork_exec(candidates, output, error_read, error_write):
    """The arguments that this version of Python takes, with subprocess's defaults."""
    arguments = [
        [candidates[0]],
        candidates,
        True,
        (error_write,),
        None,
        None,
        NO_PIPE,
        NO_PIPE,
        NO_PIPE,
        output,
        NO_PIPE,
        NO_PIPE,
        error_read,
        error_write,
        True,
        False,
    ]
    if sys.version_info >= (3, 11):
        arguments.append(-1)  # process_group
    arguments += [None, None, None, -1, None]
    if (3, 11) <= sys.version_info < (3, 14):
        arguments.append(True)  # allow_vfork
    return _posixsubprocess.fork_exec(*arguments)


def start(candidates, output):
    """Starts the first candidate that can be executed; raises OSError with the child's errno."""
    error_read, error_write = os.pipe()
    try:
        try:
            pid = fork_exec(candidates, output, error_read, error_write)
        finally:
            os.close(error_write)
        report = os.read(error_read, 4096)
    finally:
        os.close(error_read)
    if report:
        os.waitpid(pid, 0)
        raise OSError(int(report.split(b":")[1], 16), "exec")
    return pid


def spawn_with_pipe(candidates):
    read_end, write_end = os.pipe()
    try:
        pid = start(candidates, write_end)
    finally:
        os.close(write_end)
    while os.read(read_end, 256):
        pass
    os.close(read_end)
    os.waitpid(pid, 0)


def spawn_once(kind, file):
    if kind == "search":
        candidates = tuple(os.path.join(os.fsencode(part), file) for part in os.get_exec_path())
    else:
        candidates = (file,)
    if kind == "pipe":
        spawn_with_pipe(candidates)
    else:
        os.waitpid(start(candidates, NO_PIPE), 0)


def answer_spawn(_peer, kind, file, count):
    times = []
    file = os.fsencode(file)
    spawn_once(kind, file)
    for _ in range(int(count)):
        begin = time.monotonic_ns()
        spawn_once(kind, file)
        times.append(time.monotonic_ns() - begin)
    return times


def answer_threads(_peer, file, threads, count):
    file = os.fsencode(file)
    spans = []
    barrier = threading.Barrier(int(threads))

    def spawn_many():
        spawn_once("exec", file)
        barrier.wait()
        begin = time.monotonic_ns()
        for _ in range(int(count)):
            spawn_once("exec", file)
        spans.append((begin, time.monotonic_ns()))

    run_threads([threading.Thread(target=spawn_many) for _ in range(int(threads))])
    return [max(end for _, end in spans) - min(begin for begin, _ in spans)]


def write_and_execute(kind, script, interpreter, count, failures):
    for _ in range(count):
        with open(script, "w", opener=lambda path, flags: os.open(path, flags, 0o700)) as stream:
            stream.write(f"#!{interpreter}\n")
        try:
            spawn_once(kind, os.fsencode(script))
        except OSError as error:
            failures.append(error.errno)
        os.unlink(script)


def answer_busy(_peer, kind, file, directory, threads, count):
    failures = []
    run_threads(
        [
            threading.Thread(
                target=write_and_execute,
                args=(kind, f"{directory}/script-{i}", file, int(count) // int(threads), failures),
            )
            for i in range(int(threads))
        ]
    )
    text_busy = failures.count(errno.ETXTBSY)
    return [text_busy, len(failures) - text_busy]


def run_threads(threads):
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def hold_descriptors(count):
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    for number in range(int(count)):
        try:
            os.get_inheritable(number)
        except OSError:
            os.set_inheritable(os.open("/dev/null", os.O_RDONLY), True)
    return []


HELD = []


def hold_memory(size):
    with open("/proc/self/statm", encoding="ascii") as statm:
        resident = int(statm.read().split()[1]) * PAGE
    missing = (int(size) - resident) // PAGE * PAGE
    if missing > 0:
        memory = mmap.mmap(-1, missing, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        memory.madvise(mmap.MADV_NOHUGEPAGE)
        for at in range(0, missing, PAGE):
            memory[at] = 1
        HELD.append(memory)
    return []


ANSWERS = {
    "peers": lambda: ["cpython"],
    "descriptors": hold_descriptors,
    "memory": hold_memory,
    "spawn": answer_spawn,
    "threads": answer_threads,
    "busy": answer_busy,
}


def main():
    for line in sys.stdin:
        command, *words = line.split()
        try:
            answer = " ".join(str(word) for word in ["ok", *ANSWERS[command](*words)])
        except OSError as error:
            answer = f"error {os.strerror(error.errno)}"
        print(answer, flush=True)


main()
