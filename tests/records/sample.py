"""sample.py SPAWNS [SEED]: a log as the library would write it, of so many spawns by a few programs.

About one spawn in fifty fails, one in seven has a leak, and half are of system or popen, whose end is recorded too.
Numbers that a test compares with are printed on standard error: spawns, exits, failures, leaks."""

import json
import random
import sys

count = int(sys.argv[1])
choose = random.Random(int(sys.argv[2]) if len(sys.argv) > 2 else 1)
programs = ["/usr/bin/make", "/usr/bin/lua5.4", "/usr/sbin/legacyd"]
commands = ["cc", "/usr/bin/cc1", "/bin/sh", "/usr/bin/logger", "/usr/bin/grep"]
leaks = ["/etc/passwd", "/var/lib/db/customers.db", "pipe:[{0}]", "socket:[{0}] tcp 127.0.0.1:80 <- 127.0.0.1:{0}"]
wall, mono, child = 1795527216000000, 5000000000, 1000
totals = {"spawns": 0, "exits": 0, "failed": 0, "leaks": 0}


def write(record):
    sys.stdout.write(json.dumps(record, separators=(",", ":"), ensure_ascii=False) + "\n")


for number in range(count):
    mono += choose.randint(50, 3000)
    child = child + 1 if child < 4000000 else 300
    caller = choose.randint(max(300, child - 50), child - 1) if child > 301 else 300
    path, program = choose.choice(commands), choose.choice(programs)
    phases = [int(choose.lognormvariate(mean, 0.5)) for mean in (8.6, 10, 8, 11.2)]
    head = {"v": 1, "type": "spawn", "wall_us": wall + mono, "mono_us": mono, "pid": caller, "tid": caller, "ppid": 1,
            "program": program}
    spawn = head | {"object": program, "offset": "0x1a2b", "call": choose.choice(["posix_spawn", "posix_spawnp", "system",
                    "popen"]), "mode": "enforce", "path": path, "argv": [path, "-c", f"src/file{number % 997}.c"],
                    "attributes": ["sigmask 0x0"], "primitive": "clone3", "cut": True, "shared_memory": True, "fetched": 0}
    failed = choose.random() < 0.02
    if failed:
        spawn["error"] = {"step": "exec", "index": 0, "errno": "ENOENT", "text": f"exec {path}: ENOENT"}
    else:
        spawn["child"] = child
    spawn["ns"] = dict(zip(("prepare", "clone", "setup", "exec", "total"), phases + [sum(phases)]))
    if choose.random() < 0.15:
        spawn["sealed"] = [{"fd": 3, "what": choose.choice(leaks).format(number % 60000 + 1000)}]
        totals["leaks"] += 1
    write(spawn)
    totals["spawns"] += 1
    totals["failed"] += failed
    if spawn["call"] in ("system", "popen") and not failed:
        write(head | {"type": "exit", "wall_us": wall + mono + 5000, "mono_us": mono + 5000, "call": spawn["call"],
                      "child": child, "status": choose.choice(["exited 0"] * 9 + ["exited 3"]), "wall_ns": 5000000,
                      "user_us": 900, "system_us": 700, "max_rss_kb": 3000})
        totals["exits"] += 1
print(*(f"{name}={value}" for name, value in totals.items()), file=sys.stderr)
