from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.tui.conftest import Done


@pytest.mark.parametrize(
    ("name", "kind", "rest"),
    [
        ("pocket", "clip", ["pocket", "none", "25 MB"]),
        ("pocket", "agent", ["pocket", "none", "28 MB"]),
        ("standard", "blip", ["Salesforce/blip-image-captioning-base", "990 MB", "990 MB"]),
        ("large", "agent", ["Qwen/Qwen2.5-VL-7B-Instruct", "16.6 GB", "16.9 GB"]),
        ("standard", "detector", ["(your own)", "none", "50 MB"]),
    ],
)
def test_each_set_says_what_it_costs(
    loupe: Callable[..., Done], name: str, kind: str, rest: list[str]
) -> None:
    rows = [line.split("  ") for line in loupe("models").stdout.splitlines()]
    cells = [[cell.strip() for cell in row if cell.strip()] for row in rows]
    assert [name, kind, *rest] in cells
