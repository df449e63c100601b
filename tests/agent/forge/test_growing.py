from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from transformers import Qwen2_5_VLForConditionalGeneration, Qwen2_5_VLProcessor

from agent.forge.__main__ import main
from agent.forge.checkpoint import Size, make_model, read, save
from agent.forge.growing import grown
from agent.forge.trajectories import prompt_of
from tests.agent.forge.conftest import TINY

SMALL = replace(TINY, layers=2)


@pytest.fixture(scope="module")
def small(processor: Qwen2_5_VLProcessor) -> Qwen2_5_VLForConditionalGeneration:
    torch.manual_seed(1)
    model = make_model(processor, SMALL)
    with torch.no_grad():
        for name, weights in model.named_parameters():
            if weights.ndim == 1:  # norms and biases are not all alike once it has learned something
                weights.add_(0.2 * torch.rand_like(weights))
            if "embed_tokens" in name:
                weights.mul_(20)
    return model


def said(model: Qwen2_5_VLForConditionalGeneration, ids: torch.Tensor) -> torch.Tensor:
    """The logits of one request with a picture in it."""
    generator = torch.Generator().manual_seed(2)
    marks = torch.tensor([[model.config.vision_start_token_id] + 4 * [model.config.image_token_id]])
    tokens = torch.cat([ids, marks, ids], dim=1)
    kinds = (tokens == model.config.image_token_id).long()
    pixels = torch.randn(16, 3 * 2 * 14 * 14, generator=generator)
    with torch.no_grad():
        logits: torch.Tensor = model.eval()(
            input_ids=tokens, mm_token_type_ids=kinds, pixel_values=pixels,
            image_grid_thw=torch.tensor([[1, 4, 4]]),
        ).logits  # fmt: skip
    return logits


@pytest.mark.parametrize(("hidden", "layers"), [(64, 2), (64, 5), (192, 2), (128, 3)])
def test_what_has_grown_says_what_it_said(
    small: Qwen2_5_VLForConditionalGeneration, processor: Qwen2_5_VLProcessor, hidden: int, layers: int
) -> None:
    larger = grown(small, processor, replace(Size.of(hidden, layers), vision_hidden=8))
    assert larger.config.text_config.hidden_size == hidden
    assert larger.config.text_config.num_hidden_layers == layers
    ids = processor.tokenizer("inspect 3 and 4", return_tensors="pt")["input_ids"]
    expected = said(small, ids)
    assert expected.std() > 0.1  # it says something
    torch.testing.assert_close(said(larger, ids), expected, atol=1e-3, rtol=1e-3)


def test_all_that_is_new_learns(
    small: Qwen2_5_VLForConditionalGeneration, processor: Qwen2_5_VLProcessor
) -> None:
    larger = grown(small, processor, Size.of(128, 4))
    ids = processor.tokenizer("inspect 3 and 4, then the report", return_tensors="pt")["input_ids"]
    optimizer = torch.optim.Adam(larger.model.language_model.parameters(), lr=1e-3)
    before = {name: each.detach().clone() for name, each in larger.model.language_model.named_parameters()}
    for _ in range(3):  # what is read moves once something is written
        optimizer.zero_grad()
        larger(input_ids=ids, labels=ids).loss.backward()
        optimizer.step()
    for name, each in larger.model.language_model.named_parameters():
        if "embed_tokens" not in name:
            still = (each == before[name]).float().mean()
            assert still < 0.05, name


def test_the_command_gives_new_lines_of_the_prompt_tokens_of_their_own(
    small: Qwen2_5_VLForConditionalGeneration, processor: Qwen2_5_VLProcessor, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    new = "def polish(id: str) -> dict:\n"
    prompt = prompt_of(has_ledger=True, has_eyes=True)
    monkeypatch.setattr("agent.forge.growing.prompt_of", lambda **_: f"{new}{prompt}")
    save(small, processor, tmp_path / "small")
    asked = ["grow", str(tmp_path / "small"), "--hidden", "128", "--layers", "3"]
    assert main([*asked, "--out", str(tmp_path / "large")]) == 0
    model, knowing = read(tmp_path / "large")
    spelled = processor.tokenizer(new)["input_ids"]
    assert len(spelled) > 1
    (token,) = knowing.tokenizer(new)["input_ids"]
    old, weights = (
        read(tmp_path / "small")[0].get_input_embeddings().weight,
        model.get_input_embeddings().weight,
    )
    assert weights.shape == (old.shape[0] + 1, 128)
    torch.testing.assert_close(weights[token, :64], old[spelled].mean(dim=0), atol=1e-2, rtol=1e-2)
    assert model.lm_head.weight is weights


@pytest.mark.parametrize(("hidden", "layers"), [("64", "1"), ("0", "2"), ("100", "2")])
def test_it_cannot_shrink(
    small: Qwen2_5_VLForConditionalGeneration, processor: Qwen2_5_VLProcessor, tmp_path: Path,
    hidden: str, layers: str, capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    save(small, processor, tmp_path / "small")
    asked = ["grow", str(tmp_path / "small"), "--hidden", hidden, "--layers", layers]
    assert main([*asked, "--out", str(tmp_path / "large")]) == 2
    assert "at least as much" in capsys.readouterr().err
    assert not (tmp_path / "large").exists()
