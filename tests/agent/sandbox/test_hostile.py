"""Programs that a picture could talk a model into: each is contained, and the next block runs."""

from __future__ import annotations

import itertools
import json
import os
import secrets
import struct
import sys

import pytest
from smolagents.local_python_executor import InterpreterError

from agent.sandbox.walls import Limits
from tests.agent.sandbox.conftest import Bench

STOPPED = "It was stopped; variables and functions of earlier steps are gone."


@pytest.mark.parametrize(
    ("code", "message"),
    [
        pytest.param("open('/etc/passwd').read()", "Forbidden function", id="read a file"),
        pytest.param("open('x', 'w').write('x')", "Forbidden function", id="write a file"),
        pytest.param("import socket", "not allowed", id="socket"),
        pytest.param("import os\nwhile True:\n    os.fork()", "not allowed", id="fork bomb"),
        pytest.param("import subprocess", "not allowed", id="subprocess"),
        pytest.param("from os import system", "not allowed", id="system"),
        pytest.param("__import__('os')", "Forbidden function", id="import by name"),
        pytest.param("eval('1')", "Forbidden function", id="eval"),
        pytest.param("exec('1')", "Forbidden function", id="exec"),
        pytest.param("import importlib", "not allowed", id="importlib"),
        pytest.param("import ctypes", "not allowed", id="ctypes (smolagents 2094)"),
        pytest.param(
            "import random\nrandom._os.system('id')", "Forbidden access to module", id="CVE-2025-5120"
        ),
        pytest.param(
            "import random\ngetattr(random, '_os')", "Forbidden access", id="CVE-2025-5120, getattr"
        ),
        pytest.param("from queue import threading\nthreading", "Forbidden access", id="module in a module"),
        pytest.param("from json.decoder import scanner", "Import", id="submodule"),
        pytest.param("().__class__.__base__.__subclasses__()", "Forbidden access", id="CVE-2025-9959"),
        pytest.param("getattr((), '__class__')", "Forbidden access", id="getattr of a dunder"),
        pytest.param("list(map(getattr, [()], ['__class__']))", "Forbidden access", id="getattr through map"),
        pytest.param(
            "class S(str):\n    def startswith(self, *a):\n        return False\ngetattr((), S('__class__'))",
            "Forbidden access",
            id="a name that lies",
        ),
        pytest.param("def f(): pass\nf.__code__ = 1", "Forbidden access", id="CVE-2026-4963, write"),
        pytest.param("def f(): pass\nf.__globals__ += {}", "Forbidden access", id="CVE-2026-4963, +="),
        pytest.param(
            "def f(): pass\nsetattr(f, '__code__', 1)", "Forbidden access", id="CVE-2026-4963, setattr"
        ),
        pytest.param("hasattr(1, '__class__')", "Forbidden access", id="CVE-2026-4963, hasattr"),
        pytest.param("(i for i in []).gi_frame.f_back", "Forbidden access", id="frame of a generator"),
        pytest.param("getattr((i for i in []), 'gi_frame')", "Forbidden access", id="frame by getattr"),
        pytest.param(
            "(i for i in []).gi_frame.f_locals['authorized_imports'].append('*')\nimport os",
            "Forbidden access",
            id="frame, imports allowed",
        ),
        pytest.param(
            "try:\n    1 / 0\nexcept Exception as e:\n    e.__traceback__.tb_frame",
            "Forbidden access",
            id="traceback",
        ),
        pytest.param("x = [0] * 10**10", "MemoryError", id="memory bomb"),
        pytest.param("def f(n):\n    return f(n + 1)\nf(0)", "RecursionError", id="recursion"),
        pytest.param("(" * 10_000, "too many nested parentheses", id="nested parentheses"),
        pytest.param("-" * 100_000 + "1", "", id="nested operators"),
        pytest.param("a\0b", "null bytes", id="null bytes"),
        pytest.param("10**5000", "limit (4300 digits)", id="huge number"),
        pytest.param("a = []\nfor i in range(500):\n    a = [a]\na", "recursion limit", id="deep answer"),
        pytest.param(
            "a = []\nfor i in range(500):\n    a = [a]\nmeasure(a)", "recursion limit", id="deep arguments"
        ),
        pytest.param(
            "measure(['../../etc/passwd'])", "unknown id '../../etc/passwd'", id="id with path parts"
        ),
        pytest.param("measure(['img_001/../x', 'img_002'])", "unknown id", id="id with a path behind"),
        pytest.param(
            "class E(Exception):\n    def __str__(self):\n        raise SystemExit\nraise E()",
            "",
            id="error that raises",
        ),
        pytest.param(
            "class D(dict):\n    def items(self):\n        return 1\nfinal_answer(D(a=1))",
            None,
            id="answer that lies",
        ),
        pytest.param("'{0.__class__.__mro__}'.format(1)", None, id="format string"),
        pytest.param("f'{1!r:>{10**7}}'", None, id="format width"),
        pytest.param(
            "class T:\n    def __del__(self):\n        return 1 / 0\nt = T()\ndel t",
            None,
            id="time bomb (2395)",
        ),
    ],
)
def test_hostile_code_is_contained(bench, code, message):
    if message is None:
        bench.run(code)
    else:
        with pytest.raises(InterpreterError) as stopped:
            bench.run(code)
        assert message in str(stopped.value)
    assert bench.run("40 + 2").output == 42


@pytest.fixture(scope="module")
def hurried():
    bench = Bench(limits=Limits(seconds=1, tool_calls=50, given_bytes=100_000, print_chars=1_000))
    yield bench
    bench.executor.close()


@pytest.mark.parametrize(
    "code",
    [
        pytest.param("while True:\n    pass", id="loop"),
        pytest.param("x = 10**10**8", id="one long operation"),
        pytest.param("import time\ntime.sleep(1e6)", id="sleep"),
        pytest.param(
            "import itertools\nlist(zip(itertools.count(), [1] and itertools.repeat(1, 10**12)))", id="count"
        ),
        pytest.param("import re\nre.match('(a+)+$', 'a' * 60 + 'b')", id="regular expression"),
        pytest.param(
            "while True:\n    try:\n        all(range(1, 10**9))\n    except Exception:\n        i = 2",
            id="in try",
        ),
        pytest.param("import queue\nqueue.Queue().get()", id="wait for nothing"),
        pytest.param("x = 'a'\nwhile True:\n    x += x", id="growing string"),
        pytest.param("x = []\nwhile True:\n    x = [x, x * 2]", id="growing list"),
    ],
)
def test_code_that_does_not_end_is_ended(hurried, code):
    with pytest.raises(InterpreterError, match=r"ran for more than 1 s|MemoryError|Maximum number"):
        hurried.run(code)
    assert hurried.run("40 + 2").output == 42


def test_a_million_tool_calls_end_with_a_clear_error(hurried):
    hurried.measure.calls.clear()
    hurried.run("kept = 1")
    with pytest.raises(InterpreterError, match="more than 50 tool calls in one block"):
        hurried.run(
            "for i in range(10**6):\n    try:\n        measure([])\n    except Exception:\n        pass"
        )
    assert len(hurried.measure.calls) == 50
    assert hurried.run("measure([])\nkept").output == 1


def test_a_block_gives_tools_only_so_much(hurried):
    hurried.measure.calls.clear()
    with pytest.raises(InterpreterError, match="more than 100000 bytes were given to tools"):
        hurried.run(
            "for i in range(40):\n    try:\n        measure(['x' * 9_000])\n"
            "    except Exception:\n        pass"
        )
    assert len(hurried.measure.calls) == 10
    assert hurried.run("measure([])\n1").output == 1


@pytest.mark.parametrize(
    "code",
    [
        "print('x' * 1_000_000)",
        "for i in range(200):\n    print('hello there')",
        "print('x' * 999)\nprint('y')\nprint('z' * 5_000)",
    ],
)
def test_a_huge_print_is_cut(hurried, code):
    logs = hurried.run(code).logs
    assert 1_000 < len(logs) < 1_100
    assert logs.endswith("(print output cut at 1000 characters)")


# What follows lets the code past the interpreter, with modules that reach the kernel, up to the walls.

ESCAPED = ("posix", "_socket", "_thread", "ctypes")
posix_only = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the walls are those of Linux")


@pytest.fixture(scope="module")
def escaped():
    bench = Bench(authorized_imports=ESCAPED, limits=Limits(seconds=2))
    seccomp = next(wall for wall in bench.executor.walls if wall.name == "seccomp")
    if not seccomp.in_place:
        bench.executor.close()
        pytest.skip(seccomp.why)
    yield bench
    bench.executor.close()


@posix_only
@pytest.mark.parametrize(
    "attempt",
    [
        "posix.open({victim!r}, posix.O_RDONLY)",
        "posix.open({victim!r}, posix.O_WRONLY)",
        "posix.open({new!r}, posix.O_WRONLY | posix.O_CREAT)",
        "posix.listdir('/')",
        "posix.stat({victim!r})",
        "posix.unlink({victim!r})",
        "posix.rename({victim!r}, {new!r})",
        "posix.link({victim!r}, {new!r})",
        "posix.symlink({victim!r}, {new!r})",
        "posix.mkdir({new!r})",
        "posix.mkfifo({new!r})",
        "posix.chmod({victim!r}, 0)",
        "posix.truncate({victim!r}, 0)",
        "posix.chdir('/')",
        "posix.open('/proc/self/mem', posix.O_RDWR)",
        "posix.memfd_create('x')",
        "posix.pipe()",
        "posix.dup(1)",
        "posix.fork()",
        "posix.execv('/bin/sh', ['sh', '-c', 'true'])",
        "posix.kill(posix.getppid(), 9)",
        "posix.kill(posix.getpid(), 9)",
        "posix.setsid()",
        "posix.setuid(0)",
        "posix.setpriority(posix.PRIO_PROCESS, 0, 0)",
        "_thread.start_new_thread(print, ())",
        "_socket.socket()",
        "_socket.socket(_socket.AF_UNIX)",
        "_socket.socketpair()",
        "import_from_disk()",
    ],
)
def test_past_the_interpreter_the_walls_hold(escaped, tmp_path, attempt):
    victim, new = tmp_path / "victim", tmp_path / "new"
    victim.write_text("precious")
    code = "".join(f"import {name}\n" for name in ESCAPED)
    code += "def import_from_disk():\n    return ctypes.CDLL('libcrypt.so.1')\n"
    with pytest.raises(
        InterpreterError, match=r"PermissionError|OSError|BlockingIOError|RuntimeError|can't start"
    ):
        escaped.run(code + attempt.format(victim=str(victim), new=str(new)))
    assert [path.name for path in tmp_path.iterdir()] == ["victim"]
    assert victim.read_text() == "precious"
    assert escaped.run("40 + 2").output == 42


@posix_only
def test_nothing_is_inherited(tmp_path, monkeypatch):
    monkeypatch.setenv("API_KEY", "secret")
    (tmp_path / "open").write_text("x")
    handle = os.open(tmp_path / "open", os.O_RDONLY)
    os.set_inheritable(handle, True)
    bench = Bench(authorized_imports=("posix",))
    code = """
import posix
found = []
for handle in range(5, 100):
    try:
        posix.lseek(handle, 0, 1)
        found.append(handle)
    except Exception as error:
        if error.errno != 9:
            found.append((handle, str(error)))
[found, [name.decode() for name in posix.environ]]
"""
    result = bench.run(code).output
    bench.executor.close()
    os.close(handle)
    assert result in ([[], []], [[], ["LC_CTYPE"]])  # which Python itself sets where there is no locale


def frame(message: object) -> bytes:
    body = message if isinstance(message, bytes) else json.dumps(message).encode()
    return struct.pack(">I", len(body)) + body


CALL = {"kind": "call", "block": "b1", "number": 1, "tool": "measure", "arguments": {"ids": []}}
DONE = {"kind": "done", "block": "b1", "output": "forged", "logs": "", "is_final_answer": True}
NOT_FINITE = b'{"kind":"call","block":"b1","number":1,"tool":"measure","arguments":{"ids":[NaN]}}'


@pytest.fixture
def named(escaped, monkeypatch):
    """Blocks are named b1, b2…, as for code that has found out what its own name is."""
    names = itertools.count(1)
    monkeypatch.setattr(secrets, "token_hex", lambda length: f"b{next(names)}")
    escaped.measure.calls.clear()
    return escaped


@posix_only
@pytest.mark.parametrize(
    ("forged", "reason"),
    [
        pytest.param(frame({**CALL, "tool": "os.system"}), "a tool that there is not", id="no such tool"),
        pytest.param(
            frame({**CALL, "tool": "__class__"}), "a tool that there is not", id="dunder for a tool"
        ),
        pytest.param(frame({**CALL, "number": 7}), "a call out of turn", id="call out of turn"),
        pytest.param(frame({**CALL, "number": 0}), "a call out of turn", id="call before the first"),
        pytest.param(frame({**CALL, "number": "1"}), "valid integer", id="number as text"),
        pytest.param(frame({**CALL, "block": "b2"}), "a message out of turn", id="call for a block to come"),
        pytest.param(frame({**DONE, "block": "b0"}), "a message out of turn", id="answer of another block"),
        pytest.param(frame({**CALL, "by": "human"}), "Extra inputs", id="field too many"),
        pytest.param(frame({**CALL, "arguments": []}), "should be an object", id="arguments as list"),
        pytest.param(frame(NOT_FINITE), "not JSON compliant", id="NaN"),
        pytest.param(frame({"kind": "ready", "walls": []}), "a message out of turn", id="ready again"),
        pytest.param(frame({"kind": "decide", "verdict": "accept"}), "expected tags", id="unknown kind"),
        pytest.param(frame({**DONE, "logs": 3}), "valid string", id="logs as number"),
        pytest.param(frame(b"\x80\x04\x95cos\nsystem\n"), "Invalid JSON", id="pickle"),
        pytest.param(frame(b"[" * 10_000), "Invalid JSON", id="brackets"),
        pytest.param(frame(b""), "Invalid JSON", id="nothing"),
        pytest.param(struct.pack(">I", 2**32 - 1) + b"x", "a message of 4294967295 bytes", id="endless"),
        pytest.param(b"GET / HTTP/1.1\r\n\r\n", "a message of 1195725856 bytes", id="another protocol"),
        pytest.param(struct.pack(">I", 10) + b"half", "ended by itself", id="half a message"),
    ],
)
def test_forged_messages_end_the_child_and_call_nothing(named, forged, reason):
    with pytest.raises(InterpreterError) as stopped:
        named.run(f"import posix\nposix.write(4, {forged!r})\nposix._exit(0)")
    assert reason in str(stopped.value)
    assert STOPPED in str(stopped.value)
    assert named.measure.calls == []
    assert named.run("40 + 2").output == 42


@posix_only
def test_a_call_forged_without_fault_is_worth_a_call(named):
    named.run(f"import posix\nposix.write(4, {frame(CALL)!r})")
    assert named.measure.calls == [([], None)]
    assert named.run("40 + 2").output == 42


@posix_only
def test_a_forged_second_answer_is_not_taken_for_that_of_the_next_block(named):
    assert named.run(f"import posix\nposix.write(4, {frame(DONE) * 2!r})").output == "forged"
    with pytest.raises(InterpreterError, match="a message out of turn"):
        named.run("40 + 2")
    assert named.run("40 + 2").output == 42


@posix_only
def test_a_child_that_does_not_read_cannot_hold_up_its_parent(named):
    # It asks for an answer longer than the pipe holds, and never takes it.
    call = frame({**CALL, "arguments": {"ids": ["img_001"] * 20_000}})
    code = f"import posix\ncall = {call!r}\nwhile call:\n    call = call[posix.write(4, call):]\n"
    code += "while True:\n    sum(range(10_000))"  # slow: the limit on rounds comes after the one on time
    with pytest.raises(InterpreterError, match="ran for more than"):
        named.run(code)
    assert len(named.measure.calls) == 1
    assert named.run("40 + 2").output == 42


@posix_only
def test_a_flooding_child_is_held_back(escaped):
    flood = frame({**DONE, "kind": "nothing"})
    with pytest.raises(InterpreterError, match=STOPPED):
        escaped.run(f"import posix\nwhile True:\n    posix.write(4, {flood * 100!r})")
    assert escaped.run("40 + 2").output == 42
