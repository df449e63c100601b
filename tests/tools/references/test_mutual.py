from __future__ import annotations

import numpy as np
import pytest

from tools.errors import UsageError
from tools.references import mutual
from tools.references.backbones import TextureBackbone
from tools.references.mutual import mutual_scores

TEXTURE = TextureBackbone(side_px=128, cell_px=8)


@pytest.mark.parametrize("others", [48, 6])
def test_the_odd_ones_of_a_batch_stand_out(parts, monkeypatch: pytest.MonkeyPatch, others: int) -> None:
    monkeypatch.setattr(mutual, "_MAX_OTHERS", others)
    batch = [*parts(10), *parts(3, first=60, scratched=True)]
    scores = list(mutual_scores(batch, TEXTURE))
    assert [each.image_id for each in scores] == [record.id for record, _ in batch]
    assert max(each.score for each in scores[:10]) < min(each.score for each in scores[10:])
    assert all(each.score > 0.5 for each in scores[10:])


def test_the_heat_lies_on_what_is_odd(parts) -> None:
    (*_, odd) = mutual_scores([*parts(12), *parts(1, first=60, scratched=True)], TEXTURE)
    heat = np.array(odd.heat_map.values).reshape(odd.heat_map.rows, odd.heat_map.columns)
    row, column = np.unravel_index(heat.argmax(), heat.shape)
    x, y = (column + 0.5) * 160 / odd.heat_map.columns, (row + 0.5) * 120 / odd.heat_map.rows
    assert abs((y - 30) / 62 * 26 + 66 - x) < 14


def test_large_grids_are_thinned(parts, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mutual, "_MAX_CELLS", 100)
    *_, odd = mutual_scores([*parts(12), *parts(1, first=60, scratched=True)], TEXTURE)
    assert odd.heat_map.rows * odd.heat_map.columns <= 100
    assert odd.score > 0.5


def test_a_handful_cannot_score_itself(parts) -> None:
    with pytest.raises(UsageError, match="11 images are too few"):
        list(mutual_scores(parts(11), TEXTURE))
