from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from tools import checkpoints
from tools.checkpoints import (
    MODEL_SETS,
    Checkpoint,
    Runtime,
    checkpoint_folder,
    load_transformer,
    pick_device,
    pick_precision,
    refuse_incomplete,
    resolve,
    weights_sha256,
)
from tools.errors import ExitCode, ModelError, UsageError
from tools.recipe import Models


@pytest.mark.parametrize(
    ("kind", "models", "expected"),
    [
        ("clip", Models(set="standard"), "openai/clip-vit-base-patch32"),
        ("blip", Models(set="large"), "Salesforce/blip2-opt-2.7b"),
        ("clip", Models(set="pocket", clip="large"), "openai/clip-vit-large-patch14"),
        ("clip", Models(clip="someone/their-clip"), "someone/their-clip"),
        ("agent", Models(set="standard"), "Qwen/Qwen2.5-VL-3B-Instruct"),
    ],
)
def test_resolve_hub_ids(kind, models, expected):
    checkpoint = resolve(kind, models)
    assert (checkpoint.id, checkpoint.path) == (expected, None)


def test_resolve_prefers_what_lies_on_the_disk(tmp_path, monkeypatch):
    (tmp_path / "someone" / "their-clip").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    checkpoint = resolve("clip", Models(clip="someone/their-clip"))
    assert checkpoint_folder(checkpoint).samefile(tmp_path / "someone" / "their-clip")


def test_resolve_pocket_for_one_kind_of_another_set(tmp_path, monkeypatch):
    monkeypatch.setitem(checkpoints._POCKET_FOLDERS, "detector", tmp_path)
    checkpoint = resolve("detector", Models(set="standard", detector="pocket"))
    assert checkpoint == Checkpoint("detector", f"pocket/{tmp_path.name}", tmp_path)


@pytest.mark.parametrize(
    ("kind", "models", "message"),
    [
        ("detector", Models(set="standard"), "brings no detector"),
        ("clip", Models(clip="./missing/clip"), "does not exist"),
        ("detector", Models(detector="runs/best.pt"), "does not exist"),
        ("detector", Models(detector="owner/name"), "does not exist"),
    ],
)
def test_resolve_says_what_is_wrong_and_what_to_do(kind, models, message):
    with pytest.raises(ModelError, match=message) as caught:
        resolve(kind, models)
    assert caught.value.hint
    assert caught.value.exit_code is ExitCode.MODEL


def test_a_set_that_does_not_exist_is_bad_input():
    with pytest.raises(UsageError, match="no model set `huge`") as caught:
        resolve("clip", Models(set="huge"))
    assert "pocket, standard, large" in caught.value.hint


def test_every_set_has_every_kind():
    assert all(set(kinds) == {"clip", "blip", "detector", "agent"} for kinds in MODEL_SETS.values())
    assert all(choice.download_mb == 0 for choice in MODEL_SETS["pocket"].values())


@pytest.mark.parametrize(
    ("kind", "folder"),
    [
        ("clip", "tools/pocket/clip"),
        ("blip", "tools/pocket/blip"),
        ("detector", "tools/pocket/yolo"),
        ("agent", "agent/pocket"),
    ],
)
def test_what_ships_inside_takes_what_its_half_precision_weights_take_in_float32(kind, folder):
    file_bytes = (Path(__file__).parents[2] / folder / "model.safetensors").stat().st_size
    assert 1.0 < MODEL_SETS["pocket"][kind].memory_mb * 1e6 / (2 * file_bytes) < 1.2


def test_a_hub_id_out_of_reach_says_what_to_do(tmp_path, monkeypatch):
    import huggingface_hub
    from huggingface_hub.errors import LocalEntryNotFoundError

    tried = []

    def unreachable(repository, *, local_files_only, **_):
        tried.append(local_files_only)
        raise LocalEntryNotFoundError("no route to host")

    monkeypatch.setattr(huggingface_hub, "snapshot_download", unreachable)
    with pytest.raises(ModelError, match="owner/name` is not on this machine") as caught:
        checkpoint_folder(Checkpoint("clip", "owner/name"))
    assert tried == [True, False]  # the cache first, then the hub, once
    for advice in ("hf download owner/name", huggingface_hub.constants.HF_HUB_CACHE, "--models pocket"):
        assert advice in caught.value.hint


def test_a_cached_hub_id_needs_no_network(tmp_path, monkeypatch):
    import huggingface_hub

    (tmp_path / "model.safetensors").write_bytes(b"tensors")

    def cached(repository, *, local_files_only, **_):
        assert local_files_only
        return str(tmp_path)

    monkeypatch.setattr(huggingface_hub, "snapshot_download", cached)
    assert checkpoint_folder(Checkpoint("clip", "owner/name")) == tmp_path


def test_weights_hash_is_that_of_the_file_and_follows_its_changes(tmp_path, monkeypatch):
    file = tmp_path / "model.safetensors"
    file.write_bytes(b"one")
    assert weights_sha256(tmp_path) == weights_sha256(file) == hashlib.sha256(b"one").hexdigest()

    def forbidden(_):
        raise AssertionError("hashed again")

    with monkeypatch.context() as patch:
        patch.setattr(checkpoints, "file_sha256", forbidden)
        weights_sha256(file)
    file.write_bytes(b"two")
    os.utime(file, ns=(1, 1))
    assert weights_sha256(file) == hashlib.sha256(b"two").hexdigest()


def test_weights_hash_of_shards_depends_on_each(tmp_path):
    hashes = set()
    for content in (b"a", b"b"):
        (tmp_path / "model-1.safetensors").write_bytes(b"same")
        (tmp_path / "model-2.safetensors").write_bytes(content + b"!" * len(hashes))
        hashes.add(weights_sha256(tmp_path))
    assert len(hashes) == 2


def test_a_folder_without_weights_is_an_error(tmp_path):
    with pytest.raises(ModelError, match="holds no weights"):
        weights_sha256(tmp_path)


@pytest.mark.parametrize(
    ("cuda", "mps", "expected"),
    [(True, True, "cuda"), (False, True, "mps"), (False, False, "cpu")],
)
def test_auto_device(monkeypatch, cuda, mps, expected):
    import torch

    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)
    assert pick_device() == expected


@pytest.mark.parametrize("name", ["cuda", "cuda:9", "cpu:1", "tpu", ""])
def test_a_missing_device_names_those_that_are_there(monkeypatch, name):
    import torch

    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(ModelError) as caught:
        pick_device(name)
    assert "cpu" in caught.value.hint


@pytest.mark.parametrize(
    ("name", "device", "expected"),
    [
        ("auto", "cpu", "float32"),
        ("auto", "cuda:0", "bfloat16"),
        ("bfloat16", "cpu", "bfloat16"),
        ("float16", "cuda", "float16"),
    ],
)
def test_precision(monkeypatch, name, device, expected):
    import torch

    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda: True)
    assert pick_precision(name, device) == expected


@pytest.mark.parametrize(
    ("name", "device", "error"), [("float16", "cpu", ModelError), ("int4", "cuda", UsageError)]
)
def test_precision_that_does_not_work(name, device, error):
    with pytest.raises(error):
        pick_precision(name, device)


@pytest.mark.parametrize(
    ("asked", "device", "expected"),
    [(None, "cpu", 2), (None, "cuda:1", 16), (None, "mps", 16), (5, "cpu", 5), (5, "cuda", 5)],
)
def test_how_many_go_through_at_once(asked, device, expected):
    assert Runtime(batch_size=asked).batch_on(device, cpu=2, gpu=16) == expected


def test_another_kind_of_model_is_refused_by_name(clip_checkpoint):
    with pytest.raises(ModelError, match="is of type clip, not blip"):
        load_transformer(clip_checkpoint, {"blip": "BlipModel"}, device="cpu", precision="float32")


@pytest.mark.parametrize(
    "gone",
    [["visual_projection.weight"], ["vision_model.post_layernorm.bias"], ["text_model", "logit_scale"]],
    ids=["one", "a bias", "half of them"],
)
def test_weights_that_are_not_there_are_never_made_up(clip_checkpoint, without_weights, gone):
    folder = without_weights(clip_checkpoint.path, gone)
    with pytest.raises(ModelError, match="lacks"):
        load_transformer(
            Checkpoint("clip", "half", folder), {"clip": "CLIPModel"}, device="cpu", precision="float32"
        )


@pytest.mark.parametrize("gone", [[], ["text_decoder.bert.embeddings.word_embeddings"]])
def test_tied_weights_are_in_a_sound_file_once(blip_checkpoint, without_weights, gone):
    folder = without_weights(blip_checkpoint.path, gone)
    blip = {"blip": "BlipForConditionalGeneration"}
    checkpoint = Checkpoint("blip", "tied", folder)
    if gone:  # neither of the two names
        with pytest.raises(ModelError, match="lacks"):
            load_transformer(checkpoint, blip, device="cpu", precision="float32")
        return
    model, _, _ = load_transformer(checkpoint, blip, device="cpu", precision="float32")
    assert model.all_tied_weights_keys


def test_a_buffer_may_be_absent(clip_checkpoint):
    import torch

    model = torch.nn.BatchNorm1d(2)
    refuse_incomplete(clip_checkpoint, model, {"running_mean"})
    with pytest.raises(ModelError, match="`tiny-clip` lacks 1 weights"):
        refuse_incomplete(clip_checkpoint, model, {"running_mean", "weight"})
