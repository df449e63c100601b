"""A local vision-language checkpoint: Qwen2.5-VL, Qwen3-VL, or any other that transformers can load."""

from __future__ import annotations

import gc
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from agent.abstention import read_abstention
from agent.cancelling import stop_if_cancelled
from agent.models.base import MAX_PICTURE_TOKENS, MAX_TOKENS, ContextOverflow, Question, Reply, VisionModel
from agent.models.families import OTHER, Family, family_of
from agent.models.messages import as_chat, pictures_of
from agent.models.prefix import Prefix, Prompt
from tools.checkpoints import (
    Checkpoint,
    load_transformer,
    pick_device,
    pick_precision,
    quiet_transformers,
    weights_sha256,
)
from tools.quantizing import QUANTIZED, quantized
from tools.records import Provenance

if TYPE_CHECKING:
    import torch

__all__ = ["LocalModel"]

_FALLBACK_CONTEXT_TOKENS = 8192


class LocalModel(VisionModel):
    """A checkpoint that runs in this process; answers greedily, so the same prompt has the same answer.

    smolagents' own TransformersModel hands only the token ids to `generate`, which leaves a vision model
    blind (huggingface/smolagents issue 841); here everything that the processor makes arrives. What the last
    call computed is kept, and where the next prompt begins with the same tokens and pictures only the rest is
    fed.

    Args:
        checkpoint: Folder or hub id.
        device: As `pick_device` takes it.
        precision: As `pick_precision` takes it, or `int8` or `int4`, which need bitsandbytes.
        context_tokens: Limit of the prompt with the answer; what the checkpoint's config says by default.
        max_tokens: Limit of one answer.
        max_picture_tokens: Limit of one picture; lower where the checkpoint's processor says so.
        reuse_prefix: Whether the last call's cache is kept, which costs its memory.

    Raises:
        ModelError: The checkpoint cannot be loaded, or a package is missing.
    """

    def __init__(
        self,
        checkpoint: Checkpoint,
        *,
        device: str = "auto",
        precision: str = "auto",
        context_tokens: int | None = None,
        max_tokens: int = MAX_TOKENS,
        max_picture_tokens: int = MAX_PICTURE_TOKENS,
        reuse_prefix: bool = True,
    ) -> None:
        quiet_transformers()
        from transformers.models.auto.modeling_auto import MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING_NAMES

        device = pick_device(device)
        options = quantized(precision, device) if precision in QUANTIZED else {}
        stored = pick_precision("auto" if options else precision, device)
        self._model, self._processor, folder = load_transformer(
            checkpoint,
            dict(MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING_NAMES),
            device=device,
            precision=stored,
            **options,
        )
        config = self._model.config
        family = family_of(config.model_type)
        max_picture_tokens = min(max_picture_tokens, _picture_tokens(self._processor, family))
        provenance = Provenance(
            tool="agent",
            model=checkpoint.id,
            weights_sha256=weights_sha256(folder),
            device=device,
            precision=precision if options else stored,
            parameters={
                "max_tokens": max_tokens,
                "max_picture_tokens": max_picture_tokens,
                "decoding": "greedy",
            },
        )
        trained = (
            getattr(config.get_text_config(), "max_position_embeddings", None) or _FALLBACK_CONTEXT_TOKENS
        )
        super().__init__(
            checkpoint.id,
            provenance,
            family,
            min(context_tokens or trained, trained),
            max_tokens,
            max_picture_tokens,
        )
        self.abstention = read_abstention(folder)
        self._set_up(reuse_prefix=reuse_prefix)

    def _set_up(self, *, reuse_prefix: bool) -> None:
        from transformers import GenerationConfig

        if self.family is not OTHER:
            # Pictures come fitted; these limits only keep the processor from resizing them again.
            area = self.family.token_px**2
            limits = {"shortest_edge": area, "longest_edge": self.max_picture_tokens * area}
            self._processor.image_processor.size = limits
        special = self._model.generation_config
        tokenizer = self._processor.tokenizer
        pad = special.pad_token_id if special.pad_token_id is not None else tokenizer.pad_token_id
        # Not the checkpoint's own: Qwen's has a repetition penalty, which counts the prompt and spoils code.
        self._model.generation_config = GenerationConfig(
            do_sample=False,
            eos_token_id=special.eos_token_id or tokenizer.eos_token_id,
            pad_token_id=pad if pad is not None else tokenizer.eos_token_id,
        )
        self._prefix = Prefix(self._model) if reuse_prefix and self.family is not OTHER else None
        self._hooks = [
            layer.register_forward_pre_hook(lambda *_: stop_if_cancelled(self.cancel))
            for layer in _layers(self._model)
        ]

    def _reply(self, question: Question) -> Reply:
        import torch

        prompt = self._prompt(question)
        if prompt.length + question.max_tokens > self.context_tokens:
            raise ContextOverflow(
                f"{prompt.length} tokens and {question.max_tokens} for the answer, of {self.context_tokens}"
            )
        try:
            with torch.inference_mode():
                return self._generate(prompt, question)
        except BaseException as error:
            self._forget()  # a cache that was left half way, and memory that a retry needs
            if isinstance(error, torch.OutOfMemoryError):
                raise ContextOverflow(f"{prompt.length} tokens are too many for the memory") from error
            raise

    def _prompt(self, question: Question) -> Prompt:
        inputs = self._processor.apply_chat_template(
            as_chat(question.turns, lambda picture: {"type": "image", "image": picture.image}),
            add_generation_prompt=True,
            tokenize=True,
            return_dict=True,
            return_tensors="pt",
        )
        device, dtype = self._model.device, self._model.dtype
        tensors: dict[str, torch.Tensor] = {
            name: tensor.to(device, dtype) if tensor.is_floating_point() else tensor.to(device)
            for name, tensor in inputs.items()
        }
        return Prompt(tensors, tuple(picture.key for picture in pictures_of(question.turns)))

    def _generate(self, prompt: Prompt, question: Question) -> Reply:
        watch = _watch()
        tokenizer = self._processor.tokenizer
        inputs, reused = self._prefix.reuse(prompt) if self._prefix else (prompt.tensors, 0)
        tokens = self._model.generate(
            **inputs,
            max_new_tokens=question.max_tokens,
            stopping_criteria=[_stopper(tokenizer, question.stops, prompt.length)],
            logits_processor=[watch],
            streamer=_streamer(tokenizer, self.on_text) if self.on_text else None,
        )
        if self._prefix:
            self._prefix.keep(prompt, tokens)
        written = tokens[0, prompt.length :].tolist()
        text = tokenizer.decode(written, skip_special_tokens=True)
        ends = [
            len(tokenizer.decode(written[:n], skip_special_tokens=True)) for n in range(1, len(written) + 1)
        ]
        logprobs = watch.logprobs(written)
        return Reply(
            text, prompt.length, len(written), tuple(zip(ends, logprobs, strict=True)), reused_tokens=reused
        )

    def _forget(self) -> None:
        if self._prefix:
            self._prefix.forget()

    def close(self) -> None:
        """Frees the weights and what was kept of the last call."""
        import torch

        self._forget()
        for hook in self._hooks:
            hook.remove()
        self._hooks, self._prefix, self._model = [], None, None
        gc.collect()
        if torch.cuda.is_available():
            torch.cuda.empty_cache()


def _picture_tokens(processor: Any, family: Family) -> int:  # noqa: ANN401
    """The most tokens of a picture that a checkpoint's processor makes; a small model was shown no more."""
    area = getattr(processor.image_processor.size, "longest_edge", None)
    return int(area) // family.token_px**2 if area and family is not OTHER else MAX_PICTURE_TOKENS


def _layers(model: torch.nn.Module) -> list[torch.nn.Module]:
    """The blocks of the vision tower and of the language model, between which a call can be stopped."""
    import torch

    return [
        layer for module in model.modules() if isinstance(module, torch.nn.ModuleList) for layer in module
    ]


def _watch() -> Any:  # noqa: ANN401 - the class exists only once transformers is imported
    """A processor of logits that changes nothing and remembers how likely each choice was.

    One number per candidate token would be the whole vocabulary per step; a greedy choice is the largest, so
    its log-probability is the maximum less the logarithm of the sum.
    """
    import torch
    from transformers import LogitsProcessor

    class Watch(LogitsProcessor):  # type: ignore[misc]
        def __init__(self) -> None:
            self._seen: list[torch.Tensor] = []

        def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
            self._seen.append(scores[0].max() - torch.logsumexp(scores[0], dim=-1))
            return scores

        def logprobs(self, written: list[int]) -> list[float]:
            found: list[float] = torch.stack(self._seen).tolist() if self._seen else []
            return found[: len(written)]  # on a GPU the end is noticed one step late

    return Watch()


def _stopper(tokenizer: Any, stops: Sequence[str], start: int) -> Any:  # noqa: ANN401
    """Ends an answer at the first of the texts, by reading its last tokens.

    transformers' own criterion matches the whole vocabulary against the texts, anew in each call, because its
    cache is keyed by the order of a mapping that has none.

    Args:
        tokenizer: Turns tokens into text.
        stops: Texts at which the answer ends.
        start: Tokens of the prompt.
    """
    import torch
    from transformers import StoppingCriteria

    longest = max((len(stop.encode()) for stop in stops), default=0)  # no token is less than a byte

    class Stopper(StoppingCriteria):  # type: ignore[misc]
        def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor, **_: object) -> torch.Tensor:
            newest = input_ids[0, max(start, input_ids.shape[1] - longest - 1) :]
            text = tokenizer.decode(newest, skip_special_tokens=True) if stops else ""
            return torch.tensor([any(stop in text for stop in stops)], device=input_ids.device)

    return Stopper()


def _streamer(tokenizer: Any, on_text: Callable[[str], None]) -> Any:  # noqa: ANN401
    from transformers import TextStreamer

    class Streamer(TextStreamer):  # type: ignore[misc]
        def on_finalized_text(self, text: str, stream_end: bool = False) -> None:
            if text:
                on_text(text)

    return Streamer(tokenizer, skip_prompt=True, skip_special_tokens=True)
