"""Prints what Python's ways to start a program give back: python3 spawns.py SECTION.

The tests run each section with and without the preload. No pid, no time and no address is printed.
"""
import os
import signal
import subprocess
import sys

GROUP_AND_SESSION = "read -r pid name state parent group session rest </proc/self/stat; echo $((pid == group)) $((pid == session))"


def spawn(*argv, run=os.posix_spawn, environment=os.environ, **attributes):
    """The child's exit code, or the error that the spawn itself ended with."""
    sys.stdout.flush()
    try:
        pid = run(argv[0], argv, environment, **attributes)
    except OSError as error:
        print(argv[0], type(error).__name__, error.errno, error.filename)
        return
    print(argv[0], os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))


def shell(script, **attributes):
    spawn("/bin/sh", "-c", script, **attributes)


def actions():
    with open("out", "w"):
        pass
    shell("cat; echo first; echo second >&2; cat <&7; echo third", file_actions=[
        (os.POSIX_SPAWN_OPEN, 0, "/dev/null", os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 1, "out", os.O_WRONLY | os.O_APPEND, 0),
        (os.POSIX_SPAWN_DUP2, 1, 2),
        (os.POSIX_SPAWN_OPEN, 7, __file__, os.O_RDONLY, 0),
        (os.POSIX_SPAWN_CLOSE, 200),
    ])
    with open("out") as written:
        print(written.read())
    read_end, write_end = os.pipe()
    shell("echo through a pipe", file_actions=[
        (os.POSIX_SPAWN_DUP2, write_end, 1), (os.POSIX_SPAWN_CLOSE, write_end), (os.POSIX_SPAWN_CLOSE, read_end)])
    os.close(write_end)
    print(os.read(read_end, 100))
    os.close(read_end)
    shell("exit 0", file_actions=[(os.POSIX_SPAWN_OPEN, 5, "/no/such/file", os.O_RDONLY, 0)])
    shell("exit 0", file_actions=[(os.POSIX_SPAWN_DUP2, 123, 1)])


def attributes():
    shell(GROUP_AND_SESSION)
    shell(GROUP_AND_SESSION, setpgroup=0)
    shell(GROUP_AND_SESSION, setsid=True)
    shell("grep SigBlk /proc/self/status", setsigmask=[signal.SIGUSR1, signal.SIGRTMAX])
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR2])
    shell("grep SigBlk /proc/self/status")
    shell("grep SigBlk /proc/self/status", setsigmask=[])
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGUSR2])
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    shell("kill -HUP $$; echo HUP stays ignored")
    shell("kill -HUP $$; echo not reached", setsigdef=[signal.SIGHUP])
    shell("exit 0", resetids=True)
    shell("chrt -p $$ | cut -d: -f2", scheduler=(os.SCHED_BATCH, os.sched_param(0)))


def errors():
    with open("not-executable", "w") as text:
        text.write("exit 1\n")
    with open("no-interpreter", "w") as text:
        text.write("exit 6\n")
    os.chmod("no-interpreter", 0o755)
    for run in os.posix_spawn, os.posix_spawnp:
        for path in "/no/such/program", "./not-executable", "./no-interpreter", "/", "", "no-slash-anywhere", "./not-executable/x":
            spawn(path, "argument", run=run)
    for run in os.posix_spawn, os.posix_spawnp:
        spawn("true", run=run)
        spawn("sh", "-c", 'echo "$0" "$1"', "name", "value", run=run)
    spawn("true", run=os.posix_spawnp, environment={"PATH": "/nowhere"})
    os.environ["PATH"] = "/nowhere"
    spawn("true", run=os.posix_spawnp, environment={"PATH": "/bin:/usr/bin"})
    os.environ["PATH"] = ":/bin"
    spawn("no-interpreter", run=os.posix_spawnp)


def environment():
    spawn("/usr/bin/printenv", "ONLY", environment={"ONLY": "one"})
    spawn("/usr/bin/printenv", "HOME", environment={"ONLY": "one"})
    spawn("/usr/bin/printenv", "RAW", environment={b"RAW": b"\xff\xfe"})
    spawn("/usr/bin/env", environment={})


def statuses():
    for command in "exit 3", "kill -KILL $$", "true", "no-such-program 2>/dev/null", "echo said; echo complaint >&2", "":
        sys.stdout.flush()
        print(repr(command), os.system(command))
        stream = os.popen(command)
        print(repr(stream.read()), stream.close())
    stream = os.popen("sort", "w")
    stream.write("zebra\nant\n")
    sys.stdout.flush()
    print(stream.close())


def subprocesses():
    for close_fds in False, True:
        for command in ["/bin/sh", "-c", "cat; echo said; echo complaint >&2; exit 5"], ["sh", "-c", "exit 2"], ["/bin/false"]:
            done = subprocess.run(command, close_fds=close_fds, input=b"given\n", capture_output=True)
            print(done.returncode, done.stdout, done.stderr)
        print(subprocess.run("kill -TERM $$", shell=True, close_fds=close_fds).returncode)
        print(subprocess.check_output(["pwd"], cwd="/usr", close_fds=close_fds))
        try:
            subprocess.run(["/no/such/program"], close_fds=close_fds)
        except FileNotFoundError as error:
            print(error)


globals()[sys.argv[1]]()
