from __future__ import annotations

import numpy as np
import pytest

from tools.errors import UsageError
from tools.references import mutual
from tools.references.backbones import TextureBackbone
from tools.references.mutual import Panel, panel_ids

TEXTURE = TextureBackbone(side_px=128, cell_px=8)


def test_the_odd_ones_of_a_batch_stand_out(parts) -> None:
    batch = [*parts(10), *parts(3, first=60, scratched=True)]
    scores = list(Panel.build(batch, TEXTURE).score(batch))
    assert [each.image_id for each in scores] == [record.id for record, _ in batch]
    assert max(each.score for each in scores[:10]) < min(each.score for each in scores[10:])
    assert all(each.score > 0.5 for each in scores[10:])


def test_images_outside_the_panel_are_scored_in_any_order(parts) -> None:
    panel = Panel.build(parts(12), TEXTURE)
    good, odd = parts(1, first=40), parts(1, first=60, scratched=True)
    assert panel.size == 12
    first, last = panel.score([*good, *odd])
    assert first.score < 0.5 < last.score
    assert next(panel.score(odd)) == last


def test_a_copy_does_not_vouch_for_itself(parts) -> None:
    ((record, image),) = parts(1, first=60, scratched=True)
    batch = [*parts(12), (record, image)]
    panel = Panel.build(batch, TEXTURE)
    copy = record.model_copy(update={"id": "img_900"})
    (as_member,), (as_copy,) = panel.score([(record, image)]), panel.score([(copy, image)])
    assert as_copy.score == as_member.score


def test_pages_of_one_file_are_held_against_each_other(parts) -> None:
    files = [*parts(12), *parts(1, first=60, scratched=True)]
    pages = [
        (record.model_copy(update={"sha256": "a" * 64, "page": page}), image)
        for page, (record, image) in enumerate(files)
    ]
    assert list(Panel.build(pages, TEXTURE).score(pages)) == list(Panel.build(files, TEXTURE).score(files))


def test_copies_of_one_picture_are_all_alike(parts) -> None:
    ((record, image),) = parts(1)
    batch = [(record.model_copy(update={"id": f"img_{number:03d}"}), image) for number in range(1, 13)]
    scores = [each.score for each in Panel.build(batch, TEXTURE).score(batch)]
    assert len(scores) == 12
    assert max(scores) < 0.5


def test_the_heat_lies_on_what_is_odd(parts) -> None:
    batch = [*parts(12), *parts(1, first=60, scratched=True)]
    (odd,) = Panel.build(batch, TEXTURE).score(batch[-1:])
    heat = np.array(odd.heat_map.values).reshape(odd.heat_map.rows, odd.heat_map.columns)
    row, column = np.unravel_index(heat.argmax(), heat.shape)
    x, y = (column + 0.5) * 160 / odd.heat_map.columns, (row + 0.5) * 120 / odd.heat_map.rows
    assert abs((y - 30) / 62 * 26 + 66 - x) < 14


def test_large_grids_are_thinned(parts, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mutual, "_MAX_CELLS", 100)
    batch = [*parts(12), *parts(1, first=60, scratched=True)]
    (odd,) = Panel.build(batch, TEXTURE).score(batch[-1:])
    assert odd.heat_map.rows * odd.heat_map.columns <= 100
    assert odd.score > 0.5


def test_a_handful_cannot_score_itself(parts) -> None:
    with pytest.raises(UsageError, match="11 images are too few"):
        Panel.build(parts(11), TEXTURE)


@pytest.mark.parametrize(("count", "expected"), [(13, 13), (64, 64), (1000, 64)])
def test_the_panel_is_spread_over_the_batch(count: int, expected: int) -> None:
    ids = [f"img_{number:04d}" for number in range(count)]
    chosen = panel_ids(ids)
    assert len(set(chosen)) == expected
    assert (chosen[0], chosen[-1]) == (ids[0], ids[-1])
