from __future__ import annotations

import pytest

from agent.models.prose import announces_work, answer_in_prose

# Texts of the kinds that models write where a program was asked for, as users of smolagents report them
# (issues 201, 860, 1028, 1219, 1251, 1404, 1703), with what is said put into the words of an inspection.
ANSWERS = [
    "All three parts are fine.",
    "Based on the screening, here are the details: img_002 is suspect, the others are clear.",
    "I looked at img_002 and saw one scratch near the lower edge.",
    "img_004 was rejected because the scratch is 12.3 mm long, over the limit of 10 mm.",
    "The image shows a metal surface.\n\n- one long scratch\n- two small dents",
    "I cannot tell from this picture whether the mark is dust or a dent.",
    "Which image do you mean?",
    "Hello! How can I help you with the inspection?",
    "I'm sorry, but I can only help with the inspection of parts.",
    "There are 2 image(s) with scratch(es).",
    "Let me know if you want the report in Korean.",
    "I will not accept it: the rules rejected it.",
    "**img_002** is the worst one, with a suspicion of 0.91.",
    "이 부품은 불량(스크래치)입니다.",
    "img_002에 스크래치가 1개 있습니다.",
    "어느 이미지를 말씀하시는지 잘 모르겠습니다.",
    "재검토가 필요하면 말씀해 주시면 감사하겠습니다.",
    "먼지인지 흠집인지 사진만으로는 알 수 없어요",
]
ANNOUNCEMENTS = [
    "I will now screen all images.",
    "I'll start by inspecting the batch.",
    "I am going to look at img_002 first.",
    "Let me check the measurements.",
    "Let's first take a look at the images and then decide.",
    "First, I need to find out which images are suspect.",
    "To answer this, we should first run the inspection.",
    "The next step is to measure the findings.",
    "Screening the images now...",
    "Inspecting all 24 images…",
    "Thought: The user wants to know which parts are bad.",
    "Thoughts: I should use the inspect tool for that",
    "Here is the program that does it:",
    "Sure!",
    "Of course.",
    "Certainly, I'll write the report.",
    "I found the batch. Now I want to compare the first two images.",
    "먼저 모든 이미지를 검사하겠습니다.",
    "알겠습니다. 보고서를 만들어 드릴게요.",
    "img_002를 확대해서 볼게요",
    "네, 알겠습니다.",
    "결함의 크기를 측정하려고 합니다.",
    "검사를 진행하는 중입니다.",
    "생각: 사용자가 불량을 알고 싶어 한다.",
]
NEITHER = [
    "",
    "...",
    "((((",
    "rows = screen(\nprint(rows",
    "screen(ids=[",
    "final_answer(img_002 is scratched)",
    "import os",
    "def f(x):",
    "if rows:",
    '{"thought": "I screen',
    "[1, 2, 3]",
    "```\nnothing\n```",
    "<code>",
    "<tool_call> screen </tool_call>",
    "\ufffd\u2592\u25a0\u00ff\u0120\u2592 \ufffd\ufffd\ufffd \u25a0\u25a0 \ufffdq \u2592\u2592\u2592 \ufffd.",
    "img_002",
    "scratch",
]


@pytest.mark.parametrize("text", ANSWERS)
def test_a_finished_answer_is_one(text: str) -> None:
    assert answer_in_prose(text) == text
    assert not announces_work(text)


@pytest.mark.parametrize("text", ANNOUNCEMENTS)
def test_what_is_still_to_be_done_is_no_answer(text: str) -> None:
    assert announces_work(text)
    assert answer_in_prose(text) == ""


@pytest.mark.parametrize("text", NEITHER)
def test_broken_code_and_noise_are_neither(text: str) -> None:
    assert answer_in_prose(text) == ""


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("<think>I will check.\nfinal_answer(1)</think>\nBoth parts are clear.", "Both parts are clear."),
        ("<think>never closed, I think it is fine.", ""),
        ("Answer: both parts are clear.", "both parts are clear."),
        ("**답변:** 두 부품 모두 이상이 없습니다.", "두 부품 모두 이상이 없습니다."),
    ],
)
def test_labels_and_thinking_are_no_part_of_an_answer(text: str, answer: str) -> None:
    assert answer_in_prose(text) == answer
