"""Which checkpoint sees, where its files are, how it is loaded and on what it runs, whoever made it."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from tools.downloading import download
from tools.errors import LoupeError, ModelError, UsageError
from tools.home import cache_dir, write_cached

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel

    from tools.recipe import Models

__all__ = [
    "MODEL_SETS",
    "Checkpoint",
    "Kind",
    "ModelChoice",
    "Runtime",
    "checkpoint_folder",
    "file_sha256",
    "load_transformer",
    "loading",
    "located",
    "pick_device",
    "pick_precision",
    "quiet_transformers",
    "refuse_incomplete",
    "resolve",
    "torch_dtype",
    "weights_sha256",
]

Kind = Literal["clip", "blip", "detector", "agent", "translator"]

_POCKET = Path(__file__).resolve().parent / "pocket"
_POCKET_FOLDERS: dict[Kind, Path] = {
    "clip": _POCKET / "clip",
    "blip": _POCKET / "blip",
    "detector": _POCKET / "yolo",
}
_WEIGHT_PATTERNS = ("*.safetensors", "*.onnx", "*.pt", "pytorch_model*.bin")
_FOREIGN = "The files may be damaged or made for something else; `--models pocket` uses the bundled ones."
_FOREIGN_TRANSLATOR = "Set `captioning.translator` to a folder with a MarianMT checkpoint, or leave it empty."
_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")


@dataclass(frozen=True)
class ModelChoice:
    """One kind's checkpoint in a model set.

    Attributes:
        id: Hub id, or `pocket` for the one that ships inside; empty where the user brings it.
        download_mb: About how much is downloaded once, in megabytes; 0 for what ships inside.
        memory_mb: About how much memory its weights take at the precision it runs in by default.
    """

    id: str
    download_mb: int
    memory_mb: int


MODEL_SETS: dict[str, dict[Kind, ModelChoice]] = {
    "pocket": {
        "clip": ModelChoice("pocket", 0, 25),
        "blip": ModelChoice("pocket", 0, 35),
        "detector": ModelChoice("pocket", 0, 12),
        "agent": ModelChoice("pocket", 0, 28),
    },
    "standard": {
        "clip": ModelChoice("openai/clip-vit-base-patch32", 605, 610),
        "blip": ModelChoice("Salesforce/blip-image-captioning-base", 990, 990),
        "detector": ModelChoice("", 0, 50),
        "agent": ModelChoice("Qwen/Qwen2.5-VL-3B-Instruct", 7_500, 7_700),
    },
    "large": {
        "clip": ModelChoice("openai/clip-vit-large-patch14", 1_710, 1_720),
        "blip": ModelChoice("Salesforce/blip2-opt-2.7b", 15_000, 15_200),
        "detector": ModelChoice("", 0, 50),
        "agent": ModelChoice("Qwen/Qwen2.5-VL-7B-Instruct", 16_600, 16_900),
    },
}


@dataclass(frozen=True)
class Checkpoint:
    """A checkpoint by name, and its place on this machine where that is known.

    Attributes:
        id: What a report shows: `pocket/clip`, a path as given, or a hub id.
        path: Local folder or file; None for a hub id, whose files the hub's own cache holds.
    """

    kind: Kind
    id: str
    path: Path | None = None


def resolve(kind: Kind, models: Models) -> Checkpoint:
    """Finds the checkpoint of one kind that a recipe asks for.

    A kind named on its own wins over the set. It may be a path, the name of a set (that set's choice for the
    kind), or a hub id.

    Raises:
        UsageError: There is no such set.
        ModelError: The set brings no checkpoint of this kind, or the path does not exist.
    """
    wanted = str(getattr(models, kind))
    if not wanted or wanted in MODEL_SETS:
        wanted = _choice_of_set(kind, wanted or models.set).id
    if wanted == "pocket" and kind in _POCKET_FOLDERS:  # the agent's lies with the agent
        folder = _POCKET_FOLDERS[kind]
        return Checkpoint(kind, f"pocket/{folder.name}", _existing(folder, kind))
    return located(kind, wanted)


def located(kind: Kind, name: str) -> Checkpoint:
    """Returns the checkpoint that a path or hub id means; a detector is never fetched from a hub.

    Raises:
        ModelError: The path does not exist.
    """
    path = Path(name).expanduser()
    if path.exists() or kind == "detector" or not _HUB_ID.fullmatch(name):
        return Checkpoint(kind, name, _existing(path, kind))
    return Checkpoint(kind, name)


def _choice_of_set(kind: Kind, name: str) -> ModelChoice:
    if name not in MODEL_SETS:
        raise UsageError(f"There is no model set `{name}`.", f"Choose one of: {', '.join(MODEL_SETS)}.")
    choice = MODEL_SETS[name][kind]
    if not choice.id:
        raise ModelError(
            f"The model set `{name}` brings no {kind}.",
            f"Name your own weights as `models.{kind}` in the recipe, or write `pocket` for the bundled one.",
        )
    return choice


def _existing(path: Path, kind: Kind) -> Path:
    if not path.exists():
        raise ModelError(
            f"The {kind} checkpoint `{path}` does not exist.",
            "Check `models` in the recipe, or use the bundled models with `--models pocket`.",
        )
    return path


def checkpoint_folder(checkpoint: Checkpoint, on_download: Callable[[str], None] | None = None) -> Path:
    """Returns the folder (or file) with a checkpoint's files; downloads a hub id only when it is not cached.

    `on_download` is told the id before the hub is asked.

    Raises:
        ModelError: The hub id is not cached and cannot be downloaded.
        Cancelled: `tools.downloading.stop_downloads` was called meanwhile.
    """
    if checkpoint.path is not None:
        return checkpoint.path
    quiet_transformers()
    from huggingface_hub import constants, snapshot_download
    from huggingface_hub.errors import LocalEntryNotFoundError

    def cached(patterns: list[str]) -> Path | None:
        return _with_weights(snapshot_download(checkpoint.id, local_files_only=True, allow_patterns=patterns))

    def downloaded(patterns: list[str]) -> Path | None:
        return _with_weights(download(checkpoint.id, patterns))

    texts = ["*.json", "*.txt", "*.model", "*.spm"]
    weights, pickled_tensors = [*texts, "model*.safetensors"], [*texts, "pytorch_model*.bin"]
    try:
        folder = _unless(LocalEntryNotFoundError, lambda: cached(weights))
        if not folder and on_download:
            on_download(checkpoint.id)
        folder = folder or downloaded(weights) or downloaded(pickled_tensors)
    except LoupeError:
        raise
    except Exception as error:  # also of the packages that huggingface_hub speaks through
        raise ModelError(
            f"`{checkpoint.id}` is not on this machine and could not be downloaded ({type(error).__name__}).",
            f"On a machine with internet run `hf download {checkpoint.id}`.\n"
            f"Downloads lie in {constants.HF_HUB_CACHE}, which can be copied. Or give a local folder, or "
            "take the bundled models with `--models pocket`.",
        ) from error
    if folder is None:
        raise ModelError(f"`{checkpoint.id}` holds no weights that can be loaded.", "Check the id.")
    return folder


def _with_weights(folder: Path | str) -> Path | None:
    return Path(folder) if _weight_files(Path(folder)) else None


def _unless(missing: type[Exception], find: Callable[[], Path | None]) -> Path | None:
    try:
        return find()
    except missing:
        return None


def quiet_transformers() -> None:
    """Silences transformers and the hub: no progress bars, no chatter, no telemetry."""
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    from huggingface_hub.utils import logging as hub_logging
    from transformers.utils import logging

    hub_logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    logging.set_verbosity_error()
    logging.disable_progress_bar()


@contextmanager
def loading(checkpoint: Checkpoint) -> Iterator[None]:
    """Turns whatever a damaged or foreign checkpoint raises while it is loaded into an error that names it.

    Raises:
        ModelError: Anything was raised inside.
    """
    try:
        yield
    except ModelError:
        raise
    except Exception as error:
        first_line = str(error).strip().partition("\n")[0]
        raise ModelError(
            f"`{checkpoint.id}` does not load as {checkpoint.kind} ({type(error).__name__}: {first_line}).",
            _FOREIGN_TRANSLATOR if checkpoint.kind == "translator" else _FOREIGN,
        ) from error


def refuse_incomplete(checkpoint: Checkpoint, model: PreTrainedModel, missing: Collection[str]) -> None:
    """Refuses a model of which some weights would be random numbers, as its files lack them.

    Of the `missing` keys of its loading info buffers do not count, which no training changes; tied weights
    that its files have under their other name are not among these.

    Raises:
        ModelError: Weights are missing.
    """
    buffers = {name for name, _ in model.named_buffers()}
    if lacking := set(missing) - buffers:
        raise ModelError(f"`{checkpoint.id}` lacks {len(lacking)} weights.", "The file is not complete.")


def load_transformer(
    checkpoint: Checkpoint, class_names: Mapping[str, str], *, device: str, precision: str, **options: object
) -> tuple[Any, Any, Path]:
    """Loads a transformers model and its processor from local files, ready for inference.

    Args:
        checkpoint: What to load.
        class_names: Name of the transformers class per `model_type` of the config that is acceptable.
        device: As `pick_device` returned it; not applied where a `quantization_config` places the model.
        precision: As `pick_precision` returned it.
        **options: Passed on to `from_pretrained`.

    Returns:
        The model in evaluation mode, its processor and the folder that both came from.

    Raises:
        ModelError: It is not there, is of another type, or its weights do not fit its config.
    """
    folder = checkpoint_folder(checkpoint)
    quiet_transformers()
    import transformers

    local: dict[str, Any] = {"local_files_only": True, "trust_remote_code": False}
    with loading(checkpoint):
        model_type = transformers.AutoConfig.from_pretrained(folder, **local).model_type
        if model_type not in class_names:
            raise ModelError(
                f"`{checkpoint.id}` is of type {model_type}, not {' or '.join(class_names)}.",
                f"Name a checkpoint of that type as `models.{checkpoint.kind}`.",
            )
        model, report = getattr(transformers, class_names[model_type]).from_pretrained(
            folder, dtype=torch_dtype(precision), output_loading_info=True, **local, **options
        )
        refuse_incomplete(checkpoint, model, report["missing_keys"])
        processor = transformers.AutoProcessor.from_pretrained(folder, **local)
    placed = model if "quantization_config" in options else model.to(device)
    return placed.eval(), processor, folder


@dataclass(frozen=True)
class Runtime:
    """On what a model runs, as the user asked for it.

    Attributes:
        device: As `pick_device` takes it.
        precision: As `pick_precision` takes it.
        batch_size: Views or regions that go through the model at once; None leaves it to the model's kind
            and the device.
    """

    device: str = "auto"
    precision: str = "auto"
    batch_size: int | None = None

    def placed(self) -> tuple[str, str]:
        """Returns the device and the precision that this means here; raises as the two that pick them."""
        device = pick_device(self.device)
        return device, pick_precision(self.precision, device)

    def batch_on(self, device: str, *, cpu: int, gpu: int) -> int:
        """Returns how many views go through a model at once: as the user said, or as is fastest there.

        A processor is fastest where one batch's activations stay in its cache, a GPU where it is full.
        """
        return self.batch_size or (cpu if device == "cpu" else gpu)


def pick_device(name: str = "auto") -> str:
    """Returns the torch device to run on: `auto` takes CUDA, then Apple's GPU, then the CPU.

    Raises:
        ModelError: The device named is not there.
    """
    import torch

    available = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if name == "auto":
        return next(device for device, there in available.items() if there)
    kind, _, number = name.partition(":")
    numbered = kind == "cuda" and number.isdigit() and int(number) < torch.cuda.device_count()
    if not available.get(kind, False) or (number and not numbered):
        found = ", ".join(device for device, is_there in available.items() if is_there)
        raise ModelError(f"The device `{name}` is not available.", f"Available here: {found}; or say `auto`.")
    return name


def pick_precision(name: str, device: str) -> str:
    """Returns the precision of weights and activations on that device.

    `auto` is bfloat16 on CUDA (float16 where the GPU lacks it) and float32 elsewhere. bfloat16 may be asked
    for on a CPU: about twice as fast where the CPU has the instructions, slower where it does not.

    Raises:
        UsageError: There is no such precision.
        ModelError: It is float16 on a CPU.
    """
    import torch

    if name == "auto":
        if not device.startswith("cuda"):
            return "float32"
        return "bfloat16" if torch.cuda.is_bf16_supported() else "float16"
    if name not in {"float32", "bfloat16", "float16"}:
        raise UsageError(f"There is no precision `{name}`.", "Choose auto, float32, bfloat16 or float16.")
    if name == "float16" and device == "cpu":
        raise ModelError("float16 does not run well on a CPU.", "Choose float32 or bfloat16.")
    return name


def torch_dtype(precision: str) -> torch.dtype:
    """The torch type of a precision that `pick_precision` returned."""
    import torch

    return {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}[precision]


def file_sha256(path: Path) -> str:
    """Hash of a file's bytes as they are now, never from the cache: what trust may be built on."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def weights_sha256(path: Path) -> str:
    """Hash of a checkpoint's weights: of the file itself, or of the list of hashes where there are several.

    Cached by path, size and time of change, for provenance; trust is decided by `file_sha256`.

    Raises:
        ModelError: The folder holds no weights.
    """
    files = _weight_files(path)
    if not files:
        raise ModelError(f"`{path}` holds no weights.", f"Expected one of: {', '.join(_WEIGHT_PATTERNS)}.")
    hashes = [_cached_sha256(file) for file in files]
    if len(hashes) == 1:
        return hashes[0]
    lines = "".join(f"{value}  {file.name}\n" for value, file in zip(hashes, files, strict=True))
    return hashlib.sha256(lines.encode()).hexdigest()


def _weight_files(path: Path) -> list[Path]:
    """The weights of a folder, in the format that is loaded: the first pattern that matches wins."""
    if path.is_file():
        return [path]
    return next((found for pattern in _WEIGHT_PATTERNS if (found := sorted(path.glob(pattern)))), [])


def _cached_sha256(file: Path) -> str:
    status = file.stat()
    key = hashlib.sha256(f"{file.resolve()}\0{status.st_size}\0{status.st_mtime_ns}".encode()).hexdigest()
    entry = cache_dir() / "weights" / key
    if entry.is_file() and len(known := entry.read_text("ascii", errors="replace")) == 64:
        return known
    value = file_sha256(file)
    write_cached(entry, value.encode())
    return value
