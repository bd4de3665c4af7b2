"""What this machine is, and how far it goes."""

import os
import platform
import resource

RESERVED_DESCRIPTORS = 100  # for the pipes of the peers
RESERVED_MEMORY = 1 << 30  # for everybody else


def hard_descriptor_limit():
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    return 1 << 20 if hard == resource.RLIM_INFINITY else hard


def most_descriptors():
    """As many as a worker can hold open and still spawn with pipes."""
    return hard_descriptor_limit() - RESERVED_DESCRIPTORS


def _meminfo(name):
    with open("/proc/meminfo", encoding="ascii") as lines:
        for line in lines:
            if line.startswith(name + ":"):
                return int(line.split()[1]) * 1024
    return 0


def free_memory():
    """Bytes that workers may touch."""
    return max(0, _meminfo("MemAvailable") - RESERVED_MEMORY)


def _processor():
    with open("/proc/cpuinfo", encoding="utf-8") as lines:
        for line in lines:
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.machine()


def facts():
    return {
        "system": f"Linux {platform.release()} {platform.machine()}",
        "processor": _processor(),
        "processors": len(os.sched_getaffinity(0)),
        "memory_bytes": _meminfo("MemTotal"),
        "libc": " ".join(platform.libc_ver()),
        "descriptor_hard_limit": hard_descriptor_limit(),
    }
