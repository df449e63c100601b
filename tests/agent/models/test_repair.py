from __future__ import annotations

import json

import pytest
from smolagents.utils import parse_code_blobs

from agent.models.repair import code_of, cut, repaired

CODE = 'rows = screen()\nprint(rows["img_001"])'


@pytest.mark.parametrize(
    ("written", "thought", "code"),
    [
        pytest.param(f"I screen.\n<code>\n{CODE}\n</code>", "I screen.", CODE, id="as it should be"),
        pytest.param(f"I screen.\n<code>\n{CODE}\n", "I screen.", CODE, id="closing tag missing"),
        pytest.param(f"I screen.\n<code>{CODE}</code>", "I screen.", CODE, id="on one line with the tags"),
        pytest.param(f"I screen.\n```python\n{CODE}\n```", "I screen.", CODE, id="python fence"),
        pytest.param(
            f"I screen.\n```py\n{CODE}\n```\nDone.", "I screen.", CODE, id="py fence, text after it"
        ),
        pytest.param(f"I screen.\n```\n{CODE}\n```", "I screen.", CODE, id="bare fence"),
        pytest.param(f"I screen.\n```python\n{CODE}", "I screen.", CODE, id="fence never closed"),
        pytest.param(f"<code>\n```python\n{CODE}\n```\n</code>", "", CODE, id="fence within tags"),
        pytest.param(f"<code>\n```python\n{CODE}\n</code>", "", CODE, id="half a fence within tags"),
        pytest.param(f"```python\n<code>\n{CODE}\n</code>\n```", "", CODE, id="tags within a fence"),
        pytest.param(f"<code>\n<code>\n{CODE}\n</code>\n</code>", "", CODE, id="tags twice"),
        pytest.param(f"<code>python\n{CODE}\n</code>", "", CODE, id="language after the tag"),
        pytest.param(
            f"I write <code> now.\n<code>\n{CODE}\n</code>",
            "I write",
            CODE,
            id="tag mentioned in the thought",
        ),
        pytest.param(
            f"<code>\n{CODE}\n</code>\nObservation: all fine.\n<code>\nfinal_answer('ok')\n</code>",
            "",
            CODE,
            id="several blocks: the first",
        ),
        pytest.param(f"<code>\n{CODE}\n</code>\nThat will do.", "", CODE, id="text after the code"),
        pytest.param("<code></code>\n<code>\nscreen()\n</code>", "", "screen()", id="empty block first"),
        pytest.param(CODE, "", CODE, id="bare code"),
        pytest.param(f"{CODE}\n</code>", "", CODE, id="opening tag missing"),
        pytest.param(f"I screen all of it.\n{CODE}", "I screen all of it.", CODE, id="prose, then bare code"),
        pytest.param(f"{CODE}\nThis prints the rows.", "", CODE, id="bare code, then prose"),
        pytest.param(
            "final answer: 2 of 3 are fine.",
            "",
            "final_answer('2 of 3 are fine.')",
            id="final answer in prose",
        ),
        pytest.param(
            "I have looked.\n**Final Answer:** img_002 is scratched",
            "I have looked.",
            "final_answer('img_002 is scratched')",
            id="final answer in bold",
        ),
        pytest.param("The final answer is: reject", "", "final_answer('reject')", id="the final answer is"),
        pytest.param(
            "최종 답변: 스크래치가 1개 있습니다.",
            "",
            "final_answer('스크래치가 1개 있습니다.')",
            id="final answer in Korean",
        ),
        pytest.param(
            'Final answer: it\'s "fine"', "", "final_answer('it\\'s \"fine\"')", id="quotes in a final answer"
        ),
        pytest.param(
            json.dumps({"thought": "I screen.", "code": CODE}), "I screen.", CODE, id="JSON thought and code"
        ),
        pytest.param(
            f"```json\n{json.dumps({'thought': 'I screen.', 'code': CODE})}\n```",
            "I screen.",
            CODE,
            id="JSON in a fence",
        ),
        pytest.param(json.dumps({"code": f"<code>\n{CODE}\n</code>"}), "", CODE, id="tags within JSON"),
        pytest.param(
            "모든 이미지를 검사합니다.\n```python\nprint(inspect())\n```",
            "모든 이미지를 검사합니다.",
            "print(inspect())",
            id="Korean thought",
        ),
        pytest.param(
            "<code>\nprint('불량 \"스크래치\" 확인')\n</code>",
            "",
            "print('불량 \"스크래치\" 확인')",
            id="Korean and quotes in code",
        ),
        pytest.param("<code>\nprint('oops)\n</code>", "", "print('oops)", id="unbalanced quotes left alone"),
        # Shapes of outputs that users of smolagents report, by the number of the issue or pull request.
        pytest.param(
            f"Thought: I screen.\nCode:\n```py\n{CODE}\n```<end_code>",
            "Thought: I screen.\nCode:",
            CODE,
            id="201",
        ),
        pytest.param(f"{CODE}<end_code>", "", CODE, id="201, bare"),
        pytest.param(f"```\n```py\n{CODE}\n```", "", CODE, id="883: a fence before the fence"),
        pytest.param(f"<code>\n{CODE}\n</code", "", CODE, id="1851: stopped within the tag"),
        pytest.param(f"<code>\n{CODE}\n</", "", CODE, id="1851: stopped at its first signs"),
        pytest.param(f"```python\n{CODE}\n</code>", "", CODE, id="1870: a fence closed by a tag"),
        pytest.param(
            f"<think>\nMaybe ```py\nrm()\n```? No, screen.\n</think>\n<code>\n{CODE}\n</code>",
            "",
            CODE,
            id="1404: drafts in its thinking",
        ),
        pytest.param(
            '<tool_call>\n{"name": "screen", "arguments": {"ids": ["img_001"], "limit": 5}}\n</tool_call>',
            "",
            "print(screen(ids=['img_001'], limit=5))",
            id="Qwen's own form of a tool call",
        ),
        pytest.param(
            '{"name": "final_answer", "arguments": {"answer": "1 of 3 is bad."}}',
            "",
            "final_answer(answer='1 of 3 is bad.')",
            id="1732: final answer as a tool call",
        ),
        pytest.param(
            json.dumps({"name": "python_interpreter", "arguments": {"code": CODE}}),
            "",
            CODE,
            id="1703: the program as a tool call",
        ),
        pytest.param(
            "<code>\nfinal_answer('''a\n```\nb''')\n</code>",
            "",
            "final_answer('''a\n```\nb''')",
            id="fence inside a string left alone",
        ),
    ],
)
def test_repaired(written: str, thought: str, code: str) -> None:
    mended = repaired(written)
    assert mended == f"{thought}\n<code>\n{code}\n</code>".lstrip("\n")
    assert repaired(mended) == mended
    assert code_of(mended) == code
    assert parse_code_blobs(mended, ("<code>", "</code>")) == code


@pytest.mark.parametrize(
    "written",
    [
        "",
        "OK",
        "불량(스크래치)",
        '{"label": "scratch"}',
        "```json\n{}\n```",
        "```text\nnothing\n```",
        "I will screen all images now.",
        "rows = screen(\nprint(rows",
    ],
)
def test_what_is_neither_code_nor_an_answer_is_left_alone(written: str) -> None:
    assert repaired(written) == written


@pytest.mark.parametrize(
    ("written", "answer"),
    [
        ("All three parts are fine.", "All three parts are fine."),
        ("이 부품은 불량(스크래치)입니다.", "이 부품은 불량(스크래치)입니다."),
        ("<think>\nI know this.\n</think>\n\nIt is img_002.", "It is img_002."),
        ("**Answer:** img_002 is scratched.", "img_002 is scratched."),
    ],
)
def test_an_answer_in_plain_words_becomes_one(written: str, answer: str) -> None:
    assert code_of(repaired(written)) == f"final_answer({answer!r})"


@pytest.mark.parametrize(
    ("text", "stops", "kept"),
    [
        ("abc</code>d", ("</code>",), "abc"),
        ("a Observation: b</code>", ("</code>", "Observation:"), "a "),
        ("abc", ("x",), "abc"),
        ("abc", (), "abc"),
    ],
)
def test_cut(text: str, stops: tuple[str, ...], kept: str) -> None:
    assert cut(text, stops) == kept
