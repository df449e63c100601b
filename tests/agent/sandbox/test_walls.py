"""Each wall by itself, around raw Python that nothing else holds back, and the same attempt without it."""

from __future__ import annotations

import json
import socket
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from agent.sandbox import seccomp, walls

ROOT = Path(__file__).parents[3]
linux_only = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the walls are those of Linux")

SCRIPT = """
import json, mmap, os, socket, sys
sys.path.append(sys.argv[1])
from agent.sandbox.walls import Limits, raise_walls
victim, port = sys.argv[3], int(sys.argv[4])
walls = raise_walls(Limits(memory_mb=300), tuple(json.loads(sys.argv[2])))
try:
    {attempt}
    outcome = "done"
except OSError as error:
    outcome = type(error).__name__
os.write(1, json.dumps([[wall.in_place, wall.why] for wall in walls] + [outcome]).encode())
os._exit(0)
"""

READ, WRITE = "os.open(victim, os.O_RDONLY)", "os.open(victim, os.O_WRONLY | os.O_TRUNC)"
CONNECT = "socket.create_connection(('127.0.0.1', port), 20)"
SOCKET = "socket.socket()"
MEMORY = "mmap.mmap(-1, 2**30)"
FORK = "os.fork() or os._exit(0)"
EXEC = "os.execv('/bin/sh', ['sh', '-c', 'echo [\\\\\"done\\\\\"]'])"
SIGNAL = "os.kill(os.getppid(), 0)"


def outcome(names: tuple[str, ...], attempt: str, victim: Path, port: int) -> str:
    done = subprocess.run(
        [
            sys.executable,
            "-I",
            "-S",
            "-c",
            SCRIPT.format(attempt=attempt),
            str(ROOT),
            json.dumps(names),
            victim,
            str(port),
        ],
        capture_output=True,
        check=True,
    )
    *raised, result = json.loads(done.stdout)
    for in_place, why in raised:
        if not in_place:
            pytest.skip(why)
    return result


@pytest.fixture
def port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@linux_only
@pytest.mark.parametrize(
    ("names", "attempt", "error"),
    [
        (("namespaces",), CONNECT, "OSError"),
        (("landlock",), READ, "PermissionError"),
        (("landlock",), WRITE, "PermissionError"),
        (("landlock",), "os.listdir('/')", "PermissionError"),
        (("landlock",), "os.unlink(victim)", "PermissionError"),
        (("landlock",), EXEC, "PermissionError"),
        (("resource limits",), READ, "OSError"),
        (("resource limits",), SOCKET, "OSError"),
        (("resource limits",), MEMORY, "OSError"),
        (("user", "resource limits"), FORK, "BlockingIOError"),
        (("seccomp",), READ, "PermissionError"),
        (("seccomp",), WRITE, "PermissionError"),
        (("seccomp",), SOCKET, "PermissionError"),
        (("seccomp",), FORK, "PermissionError"),
        (("seccomp",), EXEC, "PermissionError"),
        (("seccomp",), SIGNAL, "PermissionError"),
        (("seccomp",), "os.stat(victim)", "PermissionError"),
    ],
)
def test_each_wall_stops_what_it_is_for(names, attempt, error, tmp_path, port):
    victim = tmp_path / "victim"
    victim.write_text("precious")
    assert outcome(names, attempt, victim, port) == error
    assert victim.read_text() == "precious"


@linux_only
@pytest.mark.parametrize(
    "attempt",
    [READ, WRITE, CONNECT, FORK, EXEC, SIGNAL, "os.listdir('/')", "os.unlink(victim)", SOCKET, MEMORY],
)
def test_without_walls_the_same_attempts_succeed(attempt, tmp_path, port):
    victim = tmp_path / "victim"
    victim.write_text("precious")
    assert outcome((), attempt, victim, port) == "done"


@linux_only
def test_with_the_parent_dies_the_child():
    options = [sys.executable, "-I", "-S", "-c"]
    child = "import os, sys, time; sys.path.append(sys.argv[1]); from agent.sandbox.walls import *; "
    child += "raise_walls(Limits(), ('parent-death signal',)); os.write(1, b'up'); time.sleep(1000)"
    parent = f"import subprocess, sys; subprocess.Popen([*{options!r}, {child!r}, sys.argv[1]]).wait()"
    with subprocess.Popen([*options, parent, str(ROOT)], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.read(2) == b"up"
        process.kill()
        # The end of the pipe comes when the child, too, has let go of it.
        assert process.stdout.read() == b""


@pytest.mark.parametrize(
    ("system", "wall", "why"),
    [
        ("darwin", "namespaces", "only Linux has it"),
        ("win32", "user", "Windows has no such change of user"),
        (
            "darwin",
            "parent-death signal",
            "only Linux has it; elsewhere the child ends when it next reads from Loupe",
        ),
        ("darwin", "landlock", "only Linux has it"),
        ("darwin", "seccomp", "only Linux has it"),
        ("win32", "resource limits", "Windows has none"),
    ],
)
def test_on_other_systems_a_missing_wall_is_told(monkeypatch, system, wall, why):
    monkeypatch.setattr(walls.sys, "platform", system)
    assert walls.raise_walls(walls.Limits(), (wall,)) == (walls.Wall(wall, False, why),)


@linux_only
def test_on_an_unknown_machine_the_missing_filter_is_told(monkeypatch):
    monkeypatch.setattr(walls, "ARCHITECTURES", {})
    (wall,) = walls.raise_walls(walls.Limits(), ("seccomp",))
    assert not wall.in_place
    assert "not known to Loupe" in wall.why


# Verdicts of the filter, by a small BPF machine: also for the machine that this is not.

ALLOW, REFUSE, KILL = "allow", "refuse", "kill"


def verdict(machine: str, architecture: int, number: int) -> str:
    code = seccomp.program(machine)
    lines = [struct.unpack_from("=HBBI", code, at) for at in range(0, len(code), 8)]
    at, loaded = 0, 0
    while True:
        operation, if_true, if_false, value = lines[at]
        at += 1
        match operation:
            case 0x20:
                loaded = {0: number, 4: architecture}[value]
            case 0x15:
                at += if_true if loaded == value else if_false
            case 0x06:
                return {0x7FFF0000: ALLOW, 0x00050001: REFUSE, 0x80000000: KILL}[value]


X86, ARM = 0xC000003E, 0xC00000B7


@pytest.mark.parametrize(
    ("machine", "architecture", "number", "expected"),
    [
        *(("x86_64", X86, number, ALLOW) for number in (0, 1, 9, 12, 202, 231, 318)),
        *(("aarch64", ARM, number, ALLOW) for number in (63, 64, 222, 214, 98, 94, 278)),
        # open, socket, clone, fork, execve, kill, ptrace, openat, io_uring_setup, clone3, and one yet to come
        *(("x86_64", X86, number, REFUSE) for number in (2, 41, 56, 57, 59, 62, 101, 257, 425, 435, 9999)),
        *(("aarch64", ARM, number, REFUSE) for number in (56, 198, 220, 221, 129, 117, 425, 435, 9999)),
        ("x86_64", X86, 0x40000001, REFUSE),  # write, through the x32 table
        ("x86_64", 0x40000003, 1, KILL),  # i386
        ("aarch64", X86, 63, KILL),
    ],
)
def test_the_filter_allows_its_list_alone(machine, architecture, number, expected):
    assert verdict(machine, architecture, number) == expected


def test_an_unknown_machine_has_no_filter():
    with pytest.raises(KeyError):
        seccomp.program("riscv64")
