"""What is put on record with a decision besides the reason that the agent gives."""

from __future__ import annotations

import pytest

from agent.checks import quoting


@pytest.mark.parametrize(
    ("reason", "request_", "recorded"),
    [
        (
            "the user asked for it",
            "scrap it, edge is bent",
            'the user asked for it ("scrap it, edge is bent")',
        ),
        ("지시", "3번 모서리 깨졌어\n불합격", '지시 ("3번 모서리 깨졌어 불합격")'),
        ("edge is bent", "edge is bent", "edge is bent"),
        ("bent", "", "bent"),
        ("asked", "reject it " * 40, f'asked ("{"reject it " * 15}reject it…")'),
        ("x" * 480, "reject it, the edge is bent", "x" * 480),
    ],
)
def test_a_reason_is_recorded_with_the_words_of_the_user(reason: str, request_: str, recorded: str) -> None:
    assert quoting(reason, request_) == recorded
