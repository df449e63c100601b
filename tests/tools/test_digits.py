from __future__ import annotations

import pytest

from tools.digits import beside_threshold, percent, plain, plain_percent


@pytest.mark.parametrize(
    ("number", "written"),
    [(0.4, "0.4"), (5.0, "5"), (100, "100"), (1250000.0, "1250000"), (1234567, "1234567"), (1e-5, "0.00001")],
)
def test_a_recipe_s_number_keeps_its_digits(number: float, written: str) -> None:
    assert plain(number) == written


@pytest.mark.parametrize(
    ("suspicion", "threshold", "written"),
    [
        (0.93, 0.5, ("0.93", "0.5")),
        (0.914, 0.9134, ("0.9140", "0.9134")),
        (0.9133, 0.9134, ("0.9133", "0.9134")),
        (0.918, 0.92, ("0.918", "0.92")),
        (0.499996, 0.5, ("0.499996", "0.5")),
        (0.92, 0.92, ("0.92", "0.92")),
    ],
)
def test_a_suspicion_can_be_told_from_its_threshold(
    suspicion: float, threshold: float, written: tuple[str, str]
) -> None:
    assert beside_threshold(suspicion, threshold) == written


@pytest.mark.parametrize(
    ("share", "written"),
    [
        (0.0, "0.0 %"),
        (1.0, "100.0 %"),
        (2 / 3, "66.7 %"),
        (2999 / 3000, "99.97 %"),
        (1 / 3000, "0.03 %"),
        (1 - 1e-6, "99.9999 %"),
        (1 - 1e-16, "100.0 %"),
        (1e-17, "0.0 %"),
    ],
)
def test_a_share_reads_as_none_or_all_only_where_it_is(share: float, written: str) -> None:
    assert percent(share) == written


@pytest.mark.parametrize(("share", "said"), [(0.05, "5%"), (0.005, "0.5%"), (0.015, "1.5%"), (1.0, "100%")])
def test_a_share_that_somebody_chose_is_written_with_all_its_digits(share: float, said: str) -> None:
    assert plain_percent(share) == said
