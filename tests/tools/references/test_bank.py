from __future__ import annotations

import numpy as np
import pytest

from tools.references.bank import FreeBank, Scaling


@pytest.mark.parametrize(
    ("owners", "without", "expected"),
    [
        pytest.param([0, 1], None, 1.0, id="all count"),
        pytest.param([0, 1], 0, 3.0, id="but those of the one that is asked about"),
        pytest.param([0, 0], 0, 1.0, id="unless there are no others"),
    ],
)
def test_distances_without_a_reference(owners: list[int], without: int | None, expected: float) -> None:
    plain = Scaling(np.zeros(2, np.float32), np.ones(2, np.float32))
    bank = FreeBank(plain, np.array([[1, 0], [3, 0]], np.float32), np.array(owners, np.int32))
    distances = bank.distances(np.zeros((2, 3, 2), np.float32), without)
    np.testing.assert_allclose(distances, np.full((2, 3), expected))
