"""many.py: makes spawns of every sort that records tell of, through the C library's own functions."""

import ctypes
import os

libc = ctypes.CDLL(None)


def failing(*arguments, **options):
    try:
        os.posix_spawn(*arguments, **options)
    except OSError:
        pass


def waited(pid):
    os.waitpid(pid, 0)


kept = os.open("/etc/passwd", os.O_RDONLY)
os.set_inheritable(kept, True)
leaked = os.dup2(kept, 40, inheritable=False)
libc.fcntl(leaked, 2, 1)
reading, writing = os.pipe()
os.chdir("/")

waited(os.posix_spawn("/bin/true", ["true"], os.environ))
waited(os.posix_spawnp("true", ["true", "a b", ""], {}, setsid=True, setsigmask=[10], setsigdef=[13]))
waited(os.posix_spawn("/bin/true", ["true"], {}, setpgroup=0, resetids=True, file_actions=[
    (os.POSIX_SPAWN_OPEN, 0, "/dev/null", os.O_RDONLY, 0),
    (os.POSIX_SPAWN_DUP2, writing, 9),
    (os.POSIX_SPAWN_CLOSE, reading),
]))
waited(os.posix_spawn("/bin/true", ["true"] + ["x" * 900] * 30, {}))
failing("/nonexistent/program", ["program"], {})
failing("/bin/true", ["true"], {}, file_actions=[(os.POSIX_SPAWN_OPEN, 0, "/nonexistent/file", os.O_RDONLY, 0)])
failing("/etc/passwd", ["passwd"], {})
libc.system(b"exit 3")
libc.system(b"kill -KILL $$")
libc.system(b"cat <&%d >/dev/null" % kept)
libc.popen.restype = ctypes.c_void_p
libc.pclose.argtypes = [ctypes.c_void_p]
libc.pclose(libc.popen(b"exit 5", b"w"))
