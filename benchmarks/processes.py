"""What a running process costs: CPU time and memory, as the kernel accounts for them."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Memory", "cpu_seconds", "memory"]


def cpu_seconds(pid: int) -> float:
    """CPU time of all threads so far. Nanoseconds where the kernel keeps them, else clock ticks."""
    try:
        tasks = [task.read_text() for task in Path(f"/proc/{pid}/task").glob("*/schedstat")]
        return sum(int(text.split()[0]) for text in tasks) / 1e9
    except (OSError, IndexError):
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Memory:
    """Megabytes (10^6 bytes): resident, and with shared pages divided among those who share them."""

    resident: float
    proportional: float


def memory(pid: int) -> Memory:
    """The memory of one process now."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    sizes = {line.split(":")[0]: int(line.split()[1]) for line in lines if line.endswith(" kB")}
    return Memory(resident=sizes["Rss"] * 1024 / 1e6, proportional=sizes["Pss"] * 1024 / 1e6)
