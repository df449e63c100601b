from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tools.captioning.translation import Translator
from tools.checkpoints import file_sha256
from tools.errors import ModelError

Copied = Callable[[Path, list[str]], Path]
SENTENCES = ["a long thin scratch on a metal plate", "a dent near the edge", "긁힘 자국", "금속 판의 찍힘"]


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    import sentencepiece
    import torch
    from transformers import MarianConfig, MarianMTModel

    folder = tmp_path_factory.mktemp("marian")
    for side in ("source", "target"):
        with (folder / f"{side}.spm").open("wb") as file:
            sentencepiece.SentencePieceTrainer.train(
                sentence_iterator=iter(SENTENCES * 5),
                model_writer=file,
                vocab_size=60,
                minloglevel=2,
                hard_vocab_limit=False,
            )
    pieces = sentencepiece.SentencePieceProcessor(model_file=str(folder / "source.spm"))
    words = [pieces.id_to_piece(i) for i in range(pieces.get_piece_size())]
    names = list(dict.fromkeys(["</s>", "<unk>", *words, "<pad>"]))
    (folder / "vocab.json").write_text(json.dumps({name: i for i, name in enumerate(names)}))
    (folder / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": "MarianTokenizer"}))
    torch.manual_seed(0)
    pad = names.index("<pad>")
    config = MarianConfig(
        vocab_size=len(names),
        d_model=16,
        encoder_layers=1,
        decoder_layers=1,
        encoder_attention_heads=2,
        decoder_attention_heads=2,
        encoder_ffn_dim=16,
        decoder_ffn_dim=16,
        max_position_embeddings=128,
        pad_token_id=pad,
        eos_token_id=0,
        forced_eos_token_id=0,
        decoder_start_token_id=pad,
    )
    MarianMTModel(config).save_pretrained(folder)
    return folder


def test_translates_always_alike_and_bounded(checkpoint: Path) -> None:
    translate = Translator(str(checkpoint))
    first = translate("a long thin scratch on a metal plate")
    assert isinstance(first, str)
    assert translate("a long thin scratch on a metal plate") == first
    assert Translator(str(checkpoint))("a long thin scratch on a metal plate") == first
    assert "</s>" not in translate("scratch " * 500)


def test_what_translates_is_named_with_its_weights(checkpoint: Path) -> None:
    made_by = Translator(str(checkpoint)).provenance
    weights = file_sha256(checkpoint / "model.safetensors")
    assert (made_by.tool, made_by.model, made_by.weights_sha256) == ("translation", str(checkpoint), weights)
    assert (made_by.device, made_by.precision, made_by.elapsed_s) == ("cpu", "float32", 0.0)


def test_nothing_is_loaded_before_the_first_sentence() -> None:
    Translator("no/such-folder-here")


def test_a_checkpoint_that_is_not_there_is_told_as_any_other(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"The translator checkpoint `.*gone` does not exist"):
        Translator(str(tmp_path / "gone")).load()


def test_what_is_no_checkpoint_says_so(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="does not load as translator") as raised:
        Translator(str(tmp_path))("a scratch")
    assert "captioning.translator" in raised.value.hint


def test_weights_that_are_not_there_are_never_made_up(checkpoint: Path, without_weights: Copied) -> None:
    with pytest.raises(ModelError, match="lacks"):
        Translator(str(without_weights(checkpoint, ["model.decoder"]))).load()


def test_half_a_file_says_so(checkpoint: Path, without_weights: Copied) -> None:
    folder = without_weights(checkpoint, [])
    file = folder / "model.safetensors"
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    with pytest.raises(ModelError, match="does not load as translator"):
        Translator(str(folder)).load()


def test_weights_for_another_config_say_so(checkpoint: Path, without_weights: Copied) -> None:
    folder = without_weights(checkpoint, [])
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "d_model": 32}))
    with pytest.raises(ModelError, match="does not load as translator"):
        Translator(str(folder)).load()


def test_another_kind_of_model_is_refused(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "bert"}))
    with pytest.raises(ModelError, match="bert model, not MarianMT"):
        Translator(str(tmp_path))("a scratch")
