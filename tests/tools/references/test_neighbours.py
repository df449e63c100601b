from __future__ import annotations

import numpy as np
import pytest

from tools.references import neighbours
from tools.references.neighbours import coreset, nearest_distances


@pytest.mark.parametrize(("max_distances", "bank_rows"), [(8_000_000, 65_536), (64, 16), (1, 7)])
def test_distances_are_exact_in_chunks_of_any_size(
    monkeypatch: pytest.MonkeyPatch, max_distances: int, bank_rows: int
) -> None:
    monkeypatch.setattr(neighbours, "_MAX_DISTANCES", max_distances)
    monkeypatch.setattr(neighbours, "_BANK_ROWS", bank_rows)
    generator = np.random.default_rng(3)
    queries, bank = (generator.standard_normal((n, 5)).astype(np.float32) for n in (37, 50))
    exact = np.sqrt(((queries[:, None] - bank[None]) ** 2).sum(axis=2)).min(axis=1)
    np.testing.assert_allclose(nearest_distances(queries, bank), exact, rtol=1e-4, atol=1e-4)


def test_a_coreset_keeps_the_few_that_are_unlike_the_many() -> None:
    generator = np.random.default_rng(4)
    many = generator.normal(0, 0.01, (500, 64)).astype(np.float32)
    few = generator.normal(5, 1, (3, 64)).astype(np.float32)
    chosen = coreset(np.concatenate([many, few]), 10)
    assert {500, 501, 502} <= set(chosen.tolist())
    assert len(set(chosen.tolist())) == 10


def test_a_coreset_is_the_same_each_time_and_never_larger_than_what_there_is() -> None:
    patches = np.random.default_rng(5).standard_normal((100, 48)).astype(np.float32)
    assert coreset(patches, 20).tolist() == coreset(patches, 20).tolist()
    assert coreset(patches, 200).tolist() == list(range(100))
