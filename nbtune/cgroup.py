"""What the control groups of this process grant it (Linux): the limits of a container, a hub or a batch system.

A process is in one group of each hierarchy, and the limits of all groups above that one hold as well.
Sources: https://docs.kernel.org/admin-guide/cgroup-v2.html and https://docs.kernel.org/admin-guide/cgroup-v1/memory.html
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

ROOT = Path("/")


def memory_left(root: Path = ROOT) -> float:
    """Bytes that the tightest group still grants; infinity where no group has a limit.

    Cached files that the kernel would drop first (`inactive_file`) count as free.
    """
    left = math.inf
    for group in _groups("memory", root):
        limits = [_number(group / name) for name in ("memory.max", "memory.high", "memory.limit_in_bytes")]
        used = min(_number(group / name) for name in ("memory.current", "memory.usage_in_bytes"))
        if math.isfinite(used):
            left = min(left, max(min(limits) - used + _cached(group), 0))
    return left


def cores(root: Path = ROOT) -> float:
    """Cores whose time the tightest group grants, such as 1.5; infinity where no group has a limit."""
    granted = math.inf
    for group in _groups("cpu", root):
        quota, period = _read(group / "cpu.max").split() or ("max", "1")  # version 2: both in one file
        if quota == "max":
            quota, period = _read(group / "cpu.cfs_quota_us") or "-1", _read(group / "cpu.cfs_period_us") or "1"
        if int(quota) > 0:
            granted = min(granted, int(quota) / int(period))
    return granted


def _groups(controller: str, root: Path) -> Iterator[Path]:
    """The folders of the groups that this process is in, each with all above it."""
    own: dict[str, str] = {}  # of version 1: controller to path; version 2: "" to path
    for line in _read(root / "proc/self/cgroup").splitlines():
        _, controllers, path = line.split(":", 2)
        own |= dict.fromkeys(controllers.split(","), path)
    for line in _read(root / "proc/self/mountinfo").splitlines():
        mount, _, rest = line.partition(" - ")
        top, point = mount.split()[3:5]
        kind, *_, options = rest.split()
        name = {"cgroup2": "", "cgroup": controller}.get(kind)
        if name in own and (not name or name in options.split(",")):
            yield from _upwards(root / point.lstrip("/"), top, own[name])


def _upwards(point: Path, top: str, path: str) -> Iterator[Path]:
    """From a group's folder up to the mount point, where the group `top` is seen."""
    inside = Path(path).relative_to(top) if Path(path).is_relative_to(top) else Path()
    group = point if ".." in inside.parts else point / inside  # ..: outside of what this namespace can see
    yield group
    while group != point:
        group = group.parent
        yield group


def _cached(group: Path) -> int:
    fields = dict(line.split() for line in _read(group / "memory.stat").splitlines())
    return int(fields.get("total_inactive_file", fields.get("inactive_file", 0)))


def _number(file: Path) -> float:
    text = _read(file)
    return int(text) if text.isdecimal() else math.inf  # no such file, or "max"


def _read(file: Path) -> str:
    try:
        return file.read_text("utf-8").strip()
    except OSError:
        return ""
