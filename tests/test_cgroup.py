"""Limits of control groups, on trees of files as the kernel shows them in the places where notebooks run."""

from __future__ import annotations

import math

import pytest

from nbtune import cgroup

V2 = "30 23 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n"
V1 = (
    "35 31 0:32 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"
    "34 31 0:31 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n"
)
NO_LIMIT = "9223372036854771712"  # what version 1 says


@pytest.fixture
def tree(tmp_path):
    def plant(own, mounts, files):
        for name, text in {"proc/self/cgroup": own, "proc/self/mountinfo": mounts, **files}.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return tmp_path

    return plant


def v2(group, limit, used, **more):
    folder = f"sys/fs/cgroup/{group}".rstrip("/")
    return {f"{folder}/memory.max": limit, f"{folder}/memory.current": used} | {
        f"{folder}/{name.replace('_', '.', 1)}": text for name, text in more.items()
    }


def v1(folder, limit, used):
    return {f"{folder}/memory.limit_in_bytes": f"{limit}\n", f"{folder}/memory.usage_in_bytes": f"{used}\n"}


@pytest.mark.parametrize(
    ("own", "mounts", "files", "left"),
    [
        pytest.param("", "", {}, math.inf, id="not Linux"),
        pytest.param("0::/\n", V2, {}, math.inf, id="the root of a machine"),
        pytest.param("0::/\n", V2, v2("", "2000000000\n", "500000000\n"), 1.5e9, id="a container that sees itself as root"),
        pytest.param("0::/\n", V2, v2("", "max\n", "500000000\n"), math.inf, id="a container without a limit"),
        pytest.param("0::/user/a\n", V2, v2("user/a", "1500\n", "500\n"), 1000, id="a session of systemd"),
        pytest.param(
            "0::/user/a/kernel\n", V2, v2("user", "3000", "2900") | v2("user/a/kernel", "1500", "500"), 100, id="full above"
        ),
        pytest.param("0::/jobs/7\n", V2, v2("jobs", "1500", "500") | v2("jobs/7", "max", "400"), 1000, id="limited above"),
        pytest.param("0::/a\n", V2, v2("a", "max", "500", memory_high="800"), 300, id="slowed down before it is killed"),
        pytest.param("0::/a\n", V2, v2("a", "1000", "900", memory_stat="anon 100\ninactive_file 700\n"), 800, id="file cache"),
        pytest.param("0::/a\n", V2, v2("a", "1000", "1200"), 0, id="over its limit"),
        pytest.param("0::/../other\n", V2, v2("", "1000", "400"), 600, id="outside of the namespace"),
        pytest.param("4:memory:/\n", V1, v1("sys/fs/cgroup/memory", 3000, 1000), 2000, id="version 1"),
        pytest.param(
            "4:memory:/\n", V1, v1("sys/fs/cgroup/memory", NO_LIMIT, 1000), int(NO_LIMIT) - 1000, id="version 1, no limit"
        ),
        pytest.param(
            "4:memory:/slurm/job\n0::/\n",
            V1 + "41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n",
            v1("sys/fs/cgroup/memory/slurm/job", 3000, 1000) | v1("sys/fs/cgroup/memory/slurm", 2500, 1000),
            1500,
            id="both versions, limited above",
        ),
        pytest.param(
            "4:memory:/docker/0af\n",
            "35 31 0:32 /docker/0af /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory\n",
            v1("sys/fs/cgroup/memory", 3000, 1000),
            2000,
            id="Docker, version 1, whose own group is mounted",
        ),
    ],
)
def test_memory_that_is_left(tree, own, mounts, files, left):
    assert cgroup.memory_left(tree(own, mounts, files)) == left


@pytest.mark.parametrize(
    ("own", "mounts", "files", "cores"),
    [
        pytest.param("", "", {}, math.inf, id="not Linux"),
        pytest.param("0::/a\n", V2, {"sys/fs/cgroup/a/cpu.max": "max 100000\n"}, math.inf, id="no limit"),
        pytest.param("0::/a\n", V2, {"sys/fs/cgroup/a/cpu.max": "150000 100000\n"}, 1.5, id="one and a half"),
        pytest.param("0::/a/b\n", V2, {"sys/fs/cgroup/a/cpu.max": "200000 100000\n"}, 2, id="limited above"),
        pytest.param(
            "3:cpu,cpuacct:/a\n",
            V1,
            {"sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_quota_us": "50000", "sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_period_us": "100000"},
            0.5,
            id="version 1",
        ),
        pytest.param("3:cpu:/\n", V1, {"sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us": "-1\n"}, math.inf, id="version 1, no limit"),
    ],
)
def test_cores_that_are_granted(tree, own, mounts, files, cores):
    assert cgroup.cores(tree(own, mounts, files)) == cores


def test_this_machine_can_be_read():
    assert cgroup.memory_left() > 0
    assert cgroup.cores() > 0
