from __future__ import annotations

import sys
import threading

import pytest
from smolagents.agents import CodeAgent
from smolagents.local_python_executor import InterpreterError
from smolagents.memory import ActionStep
from smolagents.models import ChatMessage, MessageRole, Model
from smolagents.monitoring import LogLevel, TokenUsage

from agent.cancelling import TurnCancelled
from agent.sandbox import process
from agent.sandbox.walls import Limits
from tests.agent.sandbox.conftest import Bench
from tools.errors import LoupeError


@pytest.mark.parametrize(
    ("code", "output", "logs"),
    [
        ("1 + 1", 2, ""),
        ("try:\n    measure([print])\nexcept TypeError:\n    pass\nlen(measure(['img_001']))", 1, ""),
        ("print('a', 1)\nprint('b')", None, "a 1\nb\n"),
        ("measure(['img_001'])", [{"id": "img_001", "length_mm": 2.5}], ""),
        ("sum(row['length_mm'] for row in measure(ids=['img_001', 'img_002']))", 5.0, ""),
        ("import json\njson.dumps({'a': 1})", '{"a": 1}', ""),
        ("import datetime\ndatetime.datetime.strptime('2026', '%Y').year", 2026, ""),
        ("import statistics, random, re, math\nrandom.seed(1)\nstatistics.mean([1, 2, 3])", 2, ""),
        ("{1, 2} - {2}", "{1}", ""),
        ("float('nan')", "nan", ""),
        ("'\\ud800 and 결함'", "? and 결함", ""),
        ("class Row:\n    def __init__(self, a):\n        self.a = a\nRow(3).a", 3, ""),
    ],
)
def test_code_runs_as_with_smolagents(bench, code, output, logs):
    result = bench.run(code)
    assert (result.output, result.logs, result.is_final_answer) == (output, logs, False)


@pytest.mark.parametrize(
    ("code", "answer"),
    [
        ("final_answer('done')\nprint('never')", "done"),
        ("final_answer({'rows': measure(['img_002'])})", {"rows": [{"id": "img_002", "length_mm": 2.5}]}),
        ("try:\n    final_answer(answer=(1, 2))\nexcept Exception:\n    pass", [1, 2]),
        ("final_answer({1} | {1})", "{1}"),
    ],
)
def test_a_final_answer_is_json_or_else_its_text(bench, code, answer):
    result = bench.run(code)
    assert (result.output, result.logs, result.is_final_answer) == (answer, "", True)


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("a = 1\nb = a / 0\n", "Line 2, `b = a / 0`: ZeroDivisionError: division by zero"),
        (
            "for i in [1]:\n    j = i\n    measure(['img_9'])",
            "Line 3, `measure(['img_9'])`: ToolError: unknown id",
        ),
        ("measure(['img_9'])", "unknown id 'img_9'. Known: img_001, img_002"),
        ("def f(i):\n    return i['x']\n\nf({})", "Line 2, `return i['x']`"),
        ("a = (", "Code parsing failed on line 1"),
        ("import os", "Import of os is not allowed"),
        ("raise SystemExit(3)", "SystemExit: 3"),
        ("raise KeyboardInterrupt", "KeyboardInterrupt"),
        ("measure('img_001')", "Argument ids has type 'string' but should be 'array'"),
        ("measure()", "measure: Argument ids is required. It takes: ids, threshold."),
        ("measure([], sanitize_inputs_outputs=True)", "not in the tool's input schema"),
        ("measure([], 1.0, 2.0)", "measure() takes at most 2 arguments: ids, threshold"),
        ("measure([], ids=[])", "measure() got ids twice"),
        ("measure([float('inf')])", "takes plain values (text, finite numbers, lists)"),
        ("measure([print])", "takes plain values (text, numbers, lists), not function"),
        ("measure(['x' * 5_000_000])", "at most 4194304 characters"),
        ("trouble('object')", "trouble: TypeError"),
        ("trouble('not a number')", "trouble: ValueError"),
        ("trouble('bug')", "trouble: ZeroDivisionError: a bug in the tool"),
        ("trouble('huge')", "Ask for fewer images at a time"),
        ("measure = 3", "Cannot assign to name 'measure'"),
    ],
)
def test_errors_tell_the_model_what_and_where(bench, code, message):
    with pytest.raises(InterpreterError) as failed:
        bench.run(code)
    assert message in str(failed.value)


def test_what_was_printed_before_an_error_is_kept_where_smolagents_looks(bench):
    with pytest.raises(InterpreterError):
        bench.run("print('so far')\n1 / 0")
    assert bench.executor.state["_print_outputs"] == "so far\n"
    with pytest.raises(InterpreterError):
        bench.run("(")
    assert bench.executor.state["_print_outputs"] == ""


def test_variables_and_functions_persist_and_survive_the_thread_that_made_them(bench):
    first = threading.Thread(target=bench.run, args=("kept = 4\ndef twice(x):\n    return 2 * x",))
    first.start()
    first.join()
    assert bench.run("twice(kept)").output == 8


def test_variables_sent_are_there_also_in_a_fresh_child(bench):
    bench.executor.send_variables({"lot": ["A-17"]})
    assert bench.run("lot[0]").output == "A-17"
    bench.executor.close()
    assert bench.run("lot[0]").output == "A-17"
    with pytest.raises(TypeError):
        bench.executor.send_variables({"lot": object()})


def test_sets_and_ranges_reach_tools_as_lists(bench):
    bench.measure.calls.clear()
    bench.run("measure({'img_001'}, threshold=1)\nmeasure({'img_002': 1}.keys())")
    assert bench.measure.calls == [(["img_001"], 1), (["img_002"], None)]


@pytest.mark.parametrize(
    "code",
    [
        "try:\n    trouble('cancel')\nexcept Exception:\n    pass",
        "trouble('cancel later')\nwhile True:\n    pass",
    ],
)
def test_a_cancelled_turn_leaves_a_sandbox_that_says_what_is_lost(bench, code):
    bench.run("precious = 1")
    with pytest.raises(TurnCancelled):
        bench.run(code)
    with pytest.raises(TurnCancelled):
        bench.run("'not before the session clears the event'")
    bench.cancel.clear()
    assert bench.run("2").logs.startswith("Note: Python was restarted; variables and functions")
    assert bench.run("2").logs == ""
    with pytest.raises(InterpreterError, match="precious"):
        bench.run("precious")


def test_an_interrupted_parent_leaves_no_child_behind(bench, monkeypatch):
    bench.run("1")
    child = bench.executor._child

    def interrupted(ids):
        raise KeyboardInterrupt

    monkeypatch.setattr(bench.measure, "forward", interrupted)
    with pytest.raises(KeyboardInterrupt):
        bench.run("measure([])")
    assert child is not None
    assert child._process.returncode is not None
    assert bench.run("3").output == 3


def test_a_child_that_died_between_blocks_is_replaced(bench):
    bench.run("gone = 1")
    child = bench.executor._child
    child._process.kill()
    child._reader.join()
    assert bench.run("5").logs.startswith("Note: Python was restarted")


def test_the_child_loads_the_interpreter_alone():
    bench = Bench(authorized_imports=("sys",))
    names = set(bench.run("import sys\nlist(sys.modules)").output)
    bench.executor.close()
    assert "smolagents.local_python_executor" in names
    assert not names & {"smolagents.agents", "httpx2", "pydantic", "socket", "subprocess", "torch", "PIL"}


def test_a_child_that_cannot_start_is_an_error_with_a_hint(monkeypatch):
    bench = Bench(authorized_imports=("no_such_module",))
    with pytest.raises(LoupeError, match="no_such_module"):
        bench.run("1")
    monkeypatch.setattr(sys, "executable", "/no/such/python")
    with pytest.raises(LoupeError, match="cannot be started"):
        bench.run("1")


def test_a_child_that_says_nothing_at_the_start_is_given_up(monkeypatch):
    monkeypatch.setattr(process, "_BOOTSTRAP", "import time; time.sleep(1000)")
    bench = Bench(limits=Limits(start_seconds=0.2))
    with pytest.raises(LoupeError, match="took too long"):
        bench.run("1")


class Writer(Model):
    """A model whose code is written already."""

    def __init__(self, *blocks: str) -> None:
        super().__init__(model_id="writer")
        self.blocks = list(blocks)

    def generate(self, messages, **options):
        text = f"<code>\n{self.blocks.pop(0)}\n</code>"
        return ChatMessage(role=MessageRole.ASSISTANT, content=text, token_usage=TokenUsage(1, 1))


def test_a_code_agent_works_with_it():
    bench = Bench()
    model = Writer(
        "rows = measure(['img_001'])\nprint('so far')\nmeasure(['img_9'])",
        "final_answer(rows[0]['length_mm'])",
    )
    agent = CodeAgent(
        tools=[bench.measure], model=model, executor=bench.executor, verbosity_level=LogLevel.OFF
    )
    assert agent.run("How long?") == 2.5
    failed = next(step for step in agent.memory.steps if isinstance(step, ActionStep))
    bench.executor.close()
    assert failed.observations == "Execution logs:\nso far\n"
    assert "Line 3, `measure(['img_9'])`: ToolError: unknown id 'img_9'. Known" in failed.error.message
