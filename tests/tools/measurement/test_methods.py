from __future__ import annotations

import pytest

from tools.measurement.methods import Method, method_text
from tools.records import Language

EN, KO = Language.EN, Language.KO


@pytest.mark.parametrize("method", list(Method))
def test_every_method_has_a_korean_name(method: Method) -> None:
    assert method_text(method, EN) == method.value
    assert not any("a" <= letter <= "z" for letter in method_text(method, KO))


@pytest.mark.parametrize(
    ("method", "korean"),
    [
        (Method.SKELETON.with_branches(1, "12.4 mm"), "골격선 길이, 가지 1개 포함 12.4 mm"),
        (Method.SKELETON.with_branches(3, "80 px"), "골격선 길이, 가지 3개 포함 80 px"),
        ("by hand, twice", "by hand, twice"),
    ],
)
def test_what_varies_stays_and_what_is_unknown_too(method: str, korean: str) -> None:
    assert method_text(method, KO) == korean
    assert method_text(method, EN) == method


def test_branches_are_counted() -> None:
    assert Method.SKELETON.with_branches(1, "12 mm") == "skeleton geodesic, 1 branch, 12 mm in all"
    assert Method.SKELETON.with_branches(2, "12 mm") == "skeleton geodesic, 2 branches, 12 mm in all"
