from __future__ import annotations

import base64
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp import Client, StdioServerParameters
from mcp.server.mcpserver.exceptions import ToolError
from PIL import Image

from agent.mcp_server import _as_json, build_server
from agent.workbench import Workbench
from tests.agent.fakes import FakeEngines, write_batch
from tools.errors import ModelError
from tools.recipe.file import load_recipe

# A server process as a client starts it; only the engines are fakes, so that no model has to load. With a
# second argument, screening takes until it is stopped.
SERVER = """
import signal
import sys
from pathlib import Path
from agent.mcp_server import serve_workbench
from agent.workbench import Workbench
from tests.agent.fakes import FakeEngines
from tools.images import Batch
from tools.recipe.file import load_recipe
from tools.records import ScreeningStatus

engines = FakeEngines(load_recipe(), {"img_002": ScreeningStatus.SUSPECT}, ["img_002"])
folder = Path(sys.argv[1])
batch = Batch.open([folder / "batch"])
bench = Workbench(batch, engines.recipe, out=folder / "out", engines=engines.as_engines)


def work():
    sys.stderr.write("at work\\n")
    bench.cancel.wait()
    sys.stderr.write("stopped\\n")


signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored where tests run in the background
if sys.argv[2:]:
    engines.screener.before_each = work
serve_workbench(bench)
"""
ROOT = str(Path(__file__).parents[2])


@pytest.mark.filterwarnings("default")
def test_another_agent_inspects_looks_and_decides_over_stdio(tmp_path: Path) -> None:
    write_batch(tmp_path / "batch", 2)
    parameters = StdioServerParameters(
        command=sys.executable, args=["-c", SERVER, str(tmp_path)], cwd=ROOT, env={"PYTHONPATH": ROOT}
    )

    async def converse() -> None:
        async with Client(parameters) as client:
            tools = {tool.name: tool for tool in (await client.list_tools()).tools}
            assert {"images", "inspect", "look", "decide", "write_report"} <= set(tools)
            assert "examine" not in tools
            assert tools["decide"].input_schema["required"] == ["id", "verdict", "reason"]
            rows = json.loads((await client.call_tool("inspect", {})).content[0].text)  # type: ignore[union-attr]
            assert [row["id"] for row in rows] == ["img_001", "img_002"]
            looked = await client.call_tool("look", {"id": "2", "region": [8, 8, 48, 28]})
            picture = looked.content[1]
            assert picture.type == "image"
            assert Image.open(BytesIO(base64.b64decode(picture.data))).size == (40, 20)
            refused = await client.call_tool("look", {"id": "../../etc/passwd"})
            assert refused.is_error
            assert "valid ids: img_001 to img_002" in refused.content[0].text  # type: ignore[union-attr]
            decision = {"id": "img_002", "verdict": "reject", "reason": "scratched"}
            decided = json.loads((await client.call_tool("decide", decision)).content[0].text)  # type: ignore[union-attr]
            assert (decided["verdict"], decided["by"]) == ("reject", "agent")

    anyio.run(converse)
    assert not (tmp_path / "out").exists()


@pytest.fixture
def at_work(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """A server that works on its first call, which has the id 1, and will never be done with it by itself."""
    write_batch(tmp_path / "batch", 2)
    started = subprocess.Popen(
        [sys.executable, "-c", SERVER, str(tmp_path), "patiently"],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": ROOT},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with started as server:
        client = {"capabilities": {}, "clientInfo": {"name": "test", "version": "0"}}
        say(server, "initialize", {"protocolVersion": "2025-06-18", **client}, id=0)
        assert "result" in heard(server)
        say(server, "notifications/initialized", {})
        say(server, "tools/call", {"name": "screen", "arguments": {}}, id=1)
        assert server.stderr is not None
        assert server.stderr.readline() == "at work\n"
        try:
            yield server
        finally:
            server.kill()


def say(server: subprocess.Popen[str], method: str, params: dict[str, Any], **more: int) -> None:
    assert server.stdin is not None
    server.stdin.write(json.dumps({"jsonrpc": "2.0", "method": method, "params": params, **more}) + "\n")
    server.stdin.flush()


def heard(server: subprocess.Popen[str]) -> dict[str, Any]:
    assert server.stdout is not None
    answer: dict[str, Any] = json.loads(server.stdout.readline())
    return answer


def test_work_ends_with_the_client(at_work: subprocess.Popen[str]) -> None:
    _, said = at_work.communicate(timeout=120)  # closes stdin
    assert (said, at_work.returncode) == ("stopped\n", 0)


@pytest.mark.skipif(sys.platform == "win32", reason="no signals between processes")
def test_ctrl_c_ends_the_work(at_work: subprocess.Popen[str]) -> None:
    at_work.send_signal(signal.SIGINT)
    at_work.wait(timeout=120)
    assert at_work.stderr is not None
    assert "KeyboardInterrupt" in at_work.stderr.read()


def test_a_cancelled_call_stops_and_the_next_is_answered(at_work: subprocess.Popen[str]) -> None:
    say(at_work, "notifications/cancelled", {"requestId": 1})
    say(at_work, "tools/call", {"name": "images", "arguments": {}}, id=2)
    answer = heard(at_work)
    assert answer["id"] == 2
    assert len(json.loads(answer["result"]["content"][0]["text"])) == 2


@pytest.mark.parametrize(
    ("tool", "arguments", "named"),
    [
        ("inspect", {"treshold": 0.3}, "treshold"),
        ("inspect", {"threshold": True}, "threshold"),
        ("inspect", {"threshold": "0.3"}, "threshold"),
        ("screen", {"ids": True}, "ids"),
        ("look", {"id": "img_001", "region": [0, 0, True, 9]}, "region"),
        ("look", {"id": 1, "zoom": 2}, "zoom"),
        ("decide", {"id": 1, "verdict": "reject"}, "reason"),
        ("images", {"ids": ["img_001"]}, "ids"),
    ],
)
def test_what_a_tool_does_not_take_is_refused_by_name(
    tmp_path: Path, tool: str, arguments: dict[str, Any], named: str
) -> None:
    server = build_server(bench(tmp_path))
    with pytest.raises(ToolError, match=rf"(?m)^{named}\b"):
        anyio.run(server.call_tool, tool, arguments)
    schemas = [each.input_schema for each in anyio.run(server.list_tools)]
    assert all(schema["additionalProperties"] is False for schema in schemas)


@pytest.mark.parametrize("given", [{"ids": 1, "threshold": 1}, {"ids": '["img_001"]'}, {"ids": ["1"]}])
def test_what_a_tool_takes_may_be_said_in_more_than_one_way(tmp_path: Path, given: dict[str, Any]) -> None:
    answer: Any = anyio.run(build_server(bench(tmp_path)).call_tool, "screen", given)
    assert [row["id"] for row in json.loads(answer.content[0].text)] == ["img_001"]


def bench(folder: Path) -> Workbench:
    engines = FakeEngines(load_recipe())
    batch = write_batch(folder / "batch", 2)
    return Workbench(batch, engines.recipe, out=folder, engines=engines.as_engines)


SERVE = """
import os
import sys
from pathlib import Path
from agent.mcp_server import serve

folder = Path(sys.argv[1])
os.chdir(folder)
serve(["batch"])
"""


@pytest.mark.filterwarnings("default")
def test_a_batch_is_served_by_its_paths_and_no_model_loads_before_it_is_needed(tmp_path: Path) -> None:
    write_batch(tmp_path / "batch", 2)
    environment = {"PYTHONPATH": ROOT, "LOUPE_HOME": str(tmp_path / "home")}
    parameters = StdioServerParameters(
        command=sys.executable, args=["-c", SERVE, str(tmp_path)], cwd=ROOT, env=environment
    )

    async def converse() -> None:
        async with Client(parameters) as client:
            rows = json.loads((await client.call_tool("images", {})).content[0].text)  # type: ignore[union-attr]
            assert [(row["id"], row["width_px"]) for row in rows] == [("img_001", 64), ("img_002", 64)]
            assert len((await client.call_tool("look", {"id": "part_2"})).content) == 2

    anyio.run(converse)
    assert {path.name for path in tmp_path.iterdir()} == {"batch"}


def test_without_the_package_the_error_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "mcp.server.mcpserver", None)
    with pytest.raises(ModelError) as caught:
        build_server(bench(tmp_path))
    assert "pip install" in caught.value.hint


def test_an_answer_stays_small_for_a_large_batch_and_says_what_is_left_out() -> None:
    answer = json.loads(_as_json([{"id": f"img_{n:04d}"} for n in range(1, 1001)]))
    assert (len(answer["rows"]), answer["left_out"].split()[0]) == (300, "700")
    assert json.loads(_as_json([{"id": "img_001"}])) == [{"id": "img_001"}]
