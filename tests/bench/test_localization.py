from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from tests.bench.localization import unhashed
from tests.tools.localization.test_localizer import ColourDetector
from tools.checkpoints import Checkpoint
from tools.images import Batch
from tools.localization.localizer import Localizer
from tools.recipe.file import load_recipe


def test_each_round_looks_at_every_image(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    weights = tmp_path / "model.onnx"
    weights.write_bytes(b"weights")
    for number in range(3):
        Image.new("RGB", (64, 64), (80 * number, 0, 0)).save(tmp_path / f"{number}.png")
    monkeypatch.setattr("tools.localization.localizer.Detector", ColourDetector)
    localizer, batch = (
        Localizer(Checkpoint("detector", "colour", weights), load_recipe()),
        Batch.open([tmp_path]),
    )
    for _ in range(2):
        assert len(list(localizer.locate(unhashed(batch)))) == 3
    assert sum(localizer._detector.batches) == 6
