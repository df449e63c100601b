"""The operating system's walls around the child: each is raised for itself, and reported whether it stands.

The child loads all it will ever need, then raises the walls, then takes the agent's code. So the walls can be
absolute: no file, socket, process or descriptor can be had at all afterwards, and no exception has to be made
for an interpreter that still imports. Where a kernel or system lacks one, the others stand; several stop the
same thing.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass

from agent.sandbox.seccomp import ARCHITECTURES, set_filter

if sys.platform != "win32":
    import resource  # here, since nothing can be imported behind Landlock

__all__ = ["WALLS", "Limits", "Wall", "raise_walls"]


@dataclass(frozen=True)
class Limits:
    """What one child may use.

    Attributes:
        seconds: A block of code may run for; time in tools does not count.
        start_seconds: The child may take to be ready.
        memory_mb: Address space of the child, the interpreter's own (about 60 MB) included.
        cpu_seconds: The child may compute for in its life, should its parent be unable to stop it.
        print_chars: Kept of what a block prints.
        output_chars: Kept of the value of a block's last line where it is not small JSON.
        tool_calls: One block may make.
        given_bytes: One block may give to tools, in all.
        message_bytes: The longest message either way.
    """

    seconds: float = 30.0
    start_seconds: float = 60.0
    memory_mb: int = 512
    cpu_seconds: int = 600
    print_chars: int = 20_000
    output_chars: int = 200_000
    tool_calls: int = 2_000
    given_bytes: int = 16 * 2**20
    message_bytes: int = 8 * 2**20


@dataclass(frozen=True)
class Wall:
    """One wall, as `loupe doctor` and the session log name it.

    Attributes:
        why: What it stops, or why it does not stand here.
    """

    name: str
    in_place: bool
    why: str


class _Missing(Exception):
    """This wall cannot be raised here; the text says why."""


_LINUX_ONLY = "only Linux has it"


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _prctl(option: int, value: int) -> None:
    rest = [ctypes.c_ulong(number) for number in (value, 0, 0, 0)]
    if _libc().prctl(option, *rest) != 0:
        raise OSError(ctypes.get_errno(), "prctl")


def _no_new_privileges() -> None:
    """Set-user-ID programs gain nothing from here on; Landlock and seccomp ask for it."""
    pr_set_no_new_privs = 38
    _prctl(pr_set_no_new_privs, 1)


def _user(limits: Limits) -> str:
    """Lays down root and its rights, to whom the limit on processes does not apply."""
    if sys.platform == "win32":
        raise _Missing("Windows has no such change of user")
    if os.geteuid() != 0:
        return "the user of Loupe, who is not root"
    nobody = 65534
    os.setgroups([])
    os.setgid(nobody)
    os.setuid(nobody)
    return "nobody instead of root"


def _namespaces(limits: Limits) -> str:
    if sys.platform != "linux":
        raise _Missing(_LINUX_ONLY)
    clone_newipc, clone_newuser, clone_newnet = 0x08000000, 0x10000000, 0x40000000
    # Who is not root gets the right to the other two from a user namespace; root stays in the outer one where
    # it can still become another user.
    first = clone_newuser if os.geteuid() != 0 else 0
    if _libc().unshare(first | clone_newnet | clone_newipc) != 0:
        raise OSError(ctypes.get_errno(), "unshare")
    return "a network of its own without devices"


def _parent_death(limits: Limits) -> str:
    if sys.platform != "linux":
        raise _Missing(_LINUX_ONLY + "; elsewhere the child ends when it next reads from Loupe")
    pr_set_pdeathsig = 1
    _prctl(pr_set_pdeathsig, signal.SIGKILL)
    return "the child dies with Loupe"


def _landlock(limits: Limits) -> str:
    """Refuses every right on files that this kernel's Landlock knows (linux/landlock.h): no rule is given."""
    if sys.platform != "linux":
        raise _Missing(_LINUX_ONLY)
    create_ruleset, restrict_self = 444, 446
    libc = _libc()
    libc.syscall.restype = ctypes.c_long
    version_flag = 1
    abi = libc.syscall(ctypes.c_long(create_ruleset), None, ctypes.c_size_t(0), ctypes.c_uint32(version_flag))
    if abi < 1:
        raise OSError(ctypes.get_errno(), "landlock_create_ruleset")
    fs_rights = 13 + (abi >= 2) + (abi >= 3) + (abi >= 5)  # then refer, truncate, ioctl on devices
    tcp_rights, scopes = 2 * (abi >= 4), 2 * (abi >= 6)
    ruleset = (ctypes.c_uint64 * 3)(*((1 << count) - 1 for count in (fs_rights, tcp_rights, scopes)))
    size = 8 * (1 + (abi >= 4) + (abi >= 6))
    handle = libc.syscall(
        ctypes.c_long(create_ruleset), ctypes.byref(ruleset), ctypes.c_size_t(size), ctypes.c_uint32(0)
    )
    if handle < 0:
        raise OSError(ctypes.get_errno(), "landlock_create_ruleset")
    _no_new_privileges()
    try:
        if libc.syscall(ctypes.c_long(restrict_self), ctypes.c_int(handle), ctypes.c_uint32(0)) != 0:
            raise OSError(ctypes.get_errno(), "landlock_restrict_self")
    finally:
        os.close(handle)
    return f"no file can be read, written, made or run (Landlock ABI {abi})"


def _resource_limits(limits: Limits) -> str:
    if sys.platform == "win32":
        raise _Missing("Windows has none")
    wanted = {
        "RLIMIT_AS": limits.memory_mb * 2**20,
        "RLIMIT_CPU": limits.cpu_seconds,
        "RLIMIT_FSIZE": 0,
        "RLIMIT_CORE": 0,
        "RLIMIT_NPROC": 0,
        "RLIMIT_NOFILE": 0,  # last: what is open stays open, and nothing can be opened
    }
    refused = []
    for name, value in wanted.items():
        try:
            kind = getattr(resource, name)
            hard = resource.getrlimit(kind)[1]
            value = value if hard == resource.RLIM_INFINITY else min(value, hard)
            resource.setrlimit(kind, (value, value))
        except (AttributeError, OSError, ValueError):
            refused.append(name)
    if refused:
        raise _Missing("this system refused " + ", ".join(refused))
    return f"{limits.memory_mb} MB of memory; no new processes, descriptors or bytes in files"


def _system_calls(limits: Limits) -> str:
    if sys.platform != "linux":
        raise _Missing(_LINUX_ONLY)
    machine = os.uname().machine
    if machine not in ARCHITECTURES:
        raise _Missing(f"the system calls of {machine} are not known to Loupe")
    _no_new_privileges()
    set_filter(_libc(), machine)
    return "no system call but for memory, clocks, randomness and the pipe to Loupe (seccomp)"


# In the order in which they can be raised: a change of user clears the parent-death signal, making a ruleset
# takes a descriptor, and the filter refuses what the others call.
WALLS: dict[str, Callable[[Limits], str]] = {
    "namespaces": _namespaces,
    "user": _user,
    "parent-death signal": _parent_death,
    "landlock": _landlock,
    "resource limits": _resource_limits,
    "seccomp": _system_calls,
}


def raise_walls(limits: Limits, names: tuple[str, ...] = tuple(WALLS)) -> tuple[Wall, ...]:
    """Raises the walls around this process, for good, and says for each whether it stands.

    Args:
        limits: For the resource limits.
        names: Which of `WALLS`; all where not given.
    """
    walls = []
    for name in names:
        try:
            walls.append(Wall(name, True, WALLS[name](limits)))
        except (_Missing, OSError) as error:
            walls.append(Wall(name, False, str(error)))
    return tuple(walls)
