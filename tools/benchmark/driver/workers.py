"""Worker processes and the dialogue with them (worker.c describes it)."""

import os
import select
import subprocess
import time

ANSWER_LIMIT = 300  # seconds; a worker that takes longer hangs


class WorkerError(Exception):
    """A worker could not do what it was asked, and says why."""


class Worker:
    """One process that times spawns. It starts with descriptors 0, 1 and 2 alone."""

    def __init__(self, command, environment):
        try:
            self.process = subprocess.Popen(
                command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, close_fds=True
            )
        except OSError as error:
            raise WorkerError(f"{command[0]}: {error.strerror}") from error

    def ask(self, *words):
        """The words of the answer."""
        request = " ".join(str(word) for word in words) + "\n"
        try:
            os.write(self.process.stdin.fileno(), request.encode())
            answer = self._read_line()
        except BrokenPipeError:
            answer = ""
        if not answer:
            raise WorkerError(f"the worker ended with status {self.process.wait()}")
        status, *rest = answer.split()
        if status != "ok":
            raise WorkerError(" ".join(rest))
        return rest

    def _read_line(self):
        output = self.process.stdout.fileno()
        deadline = time.monotonic() + ANSWER_LIMIT
        received = b""
        while not received.endswith(b"\n"):
            if not select.select([output], [], [], max(0, deadline - time.monotonic()))[0]:
                self.process.kill()
                raise WorkerError(f"no answer in {ANSWER_LIMIT} seconds")
            part = os.read(output, 1 << 16)
            if not part:
                return ""
            received += part
        return received.decode()

    def stay_on(self, processor):
        os.sched_setaffinity(self.process.pid, {processor})

    def close(self):
        self.process.stdin.close()
        self.process.stdout.close()
        try:
            self.process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
