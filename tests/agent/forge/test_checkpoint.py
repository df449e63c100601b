from __future__ import annotations

from pathlib import Path

import pytest
import torch
from transformers import Qwen2_5_VLProcessor

from agent.abstention import FILE, Abstention, read_abstention
from agent.forge.__main__ import main
from agent.forge.checkpoint import blend, make_model, read, save
from tests.agent.forge.conftest import TINY


def test_a_blend_lies_between_what_it_is_made_of(processor: Qwen2_5_VLProcessor, tmp_path: Path) -> None:
    older, newer = make_model(processor, TINY), make_model(processor, TINY)
    for name, model in (("older", older), ("newer", newer)):
        save(model, processor, tmp_path / name)
    blend(tmp_path / "older", tmp_path / "newer", 0.75, tmp_path / "out")
    mixed = read(tmp_path / "out")[0].state_dict()
    for name, weights in newer.state_dict().items():
        expected = 0.25 * older.state_dict()[name] + 0.75 * weights
        torch.testing.assert_close(mixed[name], expected, atol=5e-3, rtol=2e-2)


def test_new_weights_have_no_old_thresholds(processor: Qwen2_5_VLProcessor, tmp_path: Path) -> None:
    (tmp_path / FILE).write_text(Abstention(looking=-0.5, changing=-0.1).model_dump_json())
    save(make_model(processor, TINY), processor, tmp_path)
    assert read_abstention(tmp_path) is None


@pytest.mark.parametrize("share", ["-0.1", "1.5"])
def test_a_share_is_one(share: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["blend", str(tmp_path), str(tmp_path), "--share", share, "--out", str(tmp_path)]) == 2
    assert "from 0 to 1" in capsys.readouterr().err
