"""What this machine lets a process have."""

import os
import resource
from pathlib import Path

_GROUP_LIMITS = ("memory.max", "memory/memory.limit_in_bytes")  # of containers: version 2, 1
GIGABYTE = 10**9


def memory_bytes(groups: Path = Path("/sys/fs/cgroup")) -> int:
    """Memory that this process may use: the machine's, its container's or its own limit.

    Args:
        groups: where Linux writes the limits of a container; elsewhere there is none.
    """
    limits = [os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")]
    for name in _GROUP_LIMITS:
        limit = groups / name
        if limit.is_file() and (written := limit.read_text(encoding="ascii").strip()).isdigit():
            limits.append(int(written))
    own, _ = resource.getrlimit(resource.RLIMIT_AS)
    if own != resource.RLIM_INFINITY:
        limits.append(own)
    return min(limits)
