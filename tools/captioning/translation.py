"""Translation of free text, such as captions, by a MarianMT checkpoint."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

from tools.checkpoints import (
    checkpoint_folder,
    loading,
    located,
    quiet_transformers,
    refuse_incomplete,
    weights_sha256,
)
from tools.errors import ModelError
from tools.records import Provenance

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Translator"]

MAX_TOKENS = 128


class Translator:
    """Translates English into the target language of its checkpoint; loads it at the first sentence.

    Args:
        checkpoint: Folder or hub id of a MarianMT model, e.g. `Helsinki-NLP/opus-mt-tc-big-en-ko`.
    """

    def __init__(self, checkpoint: str) -> None:
        self.checkpoint = checkpoint
        self._loaded: tuple[Any, Any] | None = None

    @property
    def provenance(self) -> Provenance:
        """What translates; loads it, unless it is loaded.

        Raises:
            ModelError: The checkpoint is not there, or is no MarianMT model with all its weights.
        """
        _, model = self.load()
        return Provenance(
            tool="translation",
            model=self.checkpoint,
            weights_sha256=weights_sha256(self._folder()),
            device=model.device.type,
            precision=str(model.dtype).removeprefix("torch."),
            parameters={"beams": model.generation_config.num_beams or 1, "max_tokens": MAX_TOKENS},
        )

    def load(self) -> tuple[Any, Any]:
        """Loads tokenizer and model, unless they are loaded.

        Raises:
            ModelError: The checkpoint is not there, or is no MarianMT model with all its weights.
        """
        if self._loaded is None:
            self._loaded = self._load()
        return self._loaded

    def __call__(self, text: str) -> str:
        """Translates one sentence, by beam search without sampling, so always alike.

        Raises:
            ModelError: The checkpoint is not there, or is no MarianMT model with all its weights.
        """
        import torch

        tokenizer, model = self.load()
        tokens = tokenizer([text], return_tensors="pt", truncation=True, max_length=MAX_TOKENS)
        with torch.inference_mode():
            translated = model.generate(**tokens, max_new_tokens=MAX_TOKENS, do_sample=False)
        return str(tokenizer.batch_decode(translated, skip_special_tokens=True)[0]).strip()

    def _folder(self) -> Path:
        return checkpoint_folder(located("translator", self.checkpoint))

    def _load(self) -> tuple[Any, Any]:
        checkpoint, source = located("translator", self.checkpoint), self._folder()
        quiet_transformers()
        from transformers import AutoConfig, AutoTokenizer, MarianMTModel

        options: dict[str, Any] = {"local_files_only": True, "trust_remote_code": False}
        with loading(checkpoint):
            model_type = AutoConfig.from_pretrained(source, **options).model_type
            if model_type != "marian":
                raise ModelError(f"the translator {self.checkpoint!r} is a {model_type} model, not MarianMT")
            with warnings.catch_warnings():
                # sacremoses only tidies punctuation, of which a caption has little.
                warnings.filterwarnings("ignore", message=".*sacremoses")
                tokenizer = AutoTokenizer.from_pretrained(source, **options)
            model, report = MarianMTModel.from_pretrained(source, output_loading_info=True, **options)
            refuse_incomplete(checkpoint, model, report["missing_keys"])
        return tokenizer, model.eval()
