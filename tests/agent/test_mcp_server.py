from __future__ import annotations

import base64
import json
import sys
from io import BytesIO
from pathlib import Path

import anyio
import pytest
from mcp import Client, StdioServerParameters
from PIL import Image

from agent.mcp_server import _as_json, build_server
from agent.workbench import Workbench
from tests.agent.fakes import FakeEngines, write_batch
from tools.errors import ModelError
from tools.recipe.file import load_recipe

# A server process as a client starts it; only the engines are fakes, so that no model has to load.
SERVER = """
import sys
from pathlib import Path
from agent.mcp_server import build_server
from agent.workbench import Workbench
from tests.agent.fakes import FakeEngines
from tools.images import Batch
from tools.recipe.file import load_recipe
from tools.records import ScreeningStatus

engines = FakeEngines(load_recipe(), {"img_002": ScreeningStatus.SUSPECT}, ["img_002"])
folder = Path(sys.argv[1])
batch = Batch.open([folder / "batch"])
bench = Workbench(batch, engines.recipe, out=folder / "out", engines=engines.as_engines)
build_server(bench).run("stdio")
"""


@pytest.mark.filterwarnings("default")
def test_another_agent_inspects_looks_and_decides_over_stdio(tmp_path: Path) -> None:
    write_batch(tmp_path / "batch", 2)
    root = str(Path(__file__).parents[2])
    parameters = StdioServerParameters(
        command=sys.executable, args=["-c", SERVER, str(tmp_path)], cwd=root, env={"PYTHONPATH": root}
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


SERVE = """
import sys
from pathlib import Path
from agent.mcp_server import serve

folder = Path(sys.argv[1])
serve([folder / "batch"], out=folder / "out")
"""


@pytest.mark.filterwarnings("default")
def test_a_batch_is_served_by_its_paths_and_no_model_loads_before_it_is_needed(tmp_path: Path) -> None:
    write_batch(tmp_path / "batch", 2)
    root = str(Path(__file__).parents[2])
    environment = {"PYTHONPATH": root, "LOUPE_HOME": str(tmp_path / "home")}
    parameters = StdioServerParameters(
        command=sys.executable, args=["-c", SERVE, str(tmp_path)], cwd=root, env=environment
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
    engines = FakeEngines(load_recipe())
    workbench = Workbench(
        write_batch(tmp_path / "batch", 1), engines.recipe, out=tmp_path, engines=engines.as_engines
    )
    with pytest.raises(ModelError) as caught:
        build_server(workbench)
    assert "pip install" in caught.value.hint


def test_an_answer_stays_small_for_a_large_batch_and_says_what_is_left_out() -> None:
    answer = json.loads(_as_json([{"id": f"img_{n:04d}"} for n in range(1, 1001)]))
    assert (len(answer["rows"]), answer["left_out"].split()[0]) == (300, "700")
    assert json.loads(_as_json([{"id": "img_001"}])) == [{"id": "img_001"}]
