from __future__ import annotations

import pytest

from tools.errors import LoupeError


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (LoupeError("unknown id 'x'", "valid ids: a, b"), "unknown id 'x'. valid ids: a, b"),
        (LoupeError("There is no precision `x`.", "Choose auto."), "There is no precision `x`. Choose auto"),
        (LoupeError("The report was cancelled."), "The report was cancelled"),
        (LoupeError(".loupe/x lies elsewhere"), ".loupe/x lies elsewhere"),
        (LoupeError("two problems", "do this\nor that"), "two problems. do this\nor that"),
    ],
)
def test_message_and_hint_become_one_text(error: LoupeError, text: str) -> None:
    assert error.as_text() == text
