"""How many programs a model would write exactly, without writing them: each token must be its first choice.

What a model writes greedily is the right program if and only if each token of it is the most likely one after
those before. That takes one pass for many requests. `agent.forge.evaluate` runs the programs instead: slower,
and it also accepts programs that do the same in other words.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from agent.forge.checkpoint import read
from agent.forge.evaluate import stage_of
from agent.forge.language import FOLLOWING, Request, Share, intents
from agent.forge.packs import Encoder, Piece, hidden_states, packed
from agent.forge.sight import Gallery
from agent.forge.trajectories import Example, Past, Stage, begun, drawn_past, make_example
from tools.records import Language

if TYPE_CHECKING:
    from transformers import Qwen2_5_VLForConditionalGeneration

    from agent.forge.player import Player
    from tools.forge.training_set import Photo

__all__ = ["Exactness", "exact_trials", "exactness_report"]

_TOGETHER = 12  # requests in one pass


@dataclass(frozen=True)
class Exactness:
    """A request, and whether the right programs are what the model would write.

    Attributes:
        sureness: Mean log-probability of the right programs.
        written: What it would write there, token by token; sensible up to the first error.
    """

    request: Request
    is_exact: bool
    sureness: float
    written: str


def exact_trials(
    model: Qwen2_5_VLForConditionalGeneration,
    encoder: Encoder,
    photos: Sequence[Photo],
    count: int,
    seed: int,
    share: Share,
) -> Iterator[Exactness]:
    """Yields so many requests per intent and language, and more of pairs.

    Args:
        model: In evaluation mode.
        encoder: Of its processor.
        photos: What there is to see on contact sheets.
        count: Per intent and language.
        seed: Of batches and phrasings.
        share: Of the phrasings, as `asked` takes it.
    """
    rng, gallery = random.Random(seed), Gallery(photos, random.Random(seed))
    for language in Language:
        for follows in (False, True):
            wanted = [i for i in intents(language) if (i in FOLLOWING) is follows]
            wanted += ["pair"] * 4
            jobs = [intent for intent in wanted for _ in range(count)]
            rng.shuffle(jobs)
            for start in range(0, len(jobs), _TOGETHER):
                past = drawn_past(rng, language, least=int(follows))
                stage = stage_of(rng, gallery)
                yield from _judged(model, encoder, rng, stage, past, jobs[start : start + _TOGETHER], share)


def _judged(
    model: Qwen2_5_VLForConditionalGeneration,
    encoder: Encoder,
    rng: random.Random,
    stage: Stage,
    past: Past,
    jobs: list[str],
    share: Share,
) -> Iterator[Exactness]:
    import torch

    before = begun(stage, past)
    examples = [_example(rng, stage, past, intent, share, before) for intent in jobs]
    prefix: Piece = encoder.prefix(examples[0].messages, examples[0].first_written)
    branches = [encoder.branch(each.messages, each.first_written) for each in examples]
    pack = packed(model, encoder, prefix, branches)
    with torch.inference_mode():
        logits = model.lm_head(hidden_states(model, pack)).float()
    chosen, likely = logits.argmax(-1), logits.log_softmax(-1)
    begin = 0
    for example, branch in zip(examples, branches, strict=True):
        own = slice(begin, begin + sum(branch.is_target))
        targets = pack.targets[own]
        yield Exactness(
            example.request,
            bool((chosen[own] == targets).all()),
            float(likely[own].gather(-1, targets[:, None]).mean()),
            encoder.processor.tokenizer.decode(chosen[own].tolist()),
        )
        begin = own.stop


def _example(
    rng: random.Random, stage: Stage, past: Past, intent: str, share: Share, before: Player
) -> Example:
    kind = "pair" if intent == "pair" else "single"
    return make_example(rng, stage, past, kind=kind, intent=intent, share=share, before=before)


def exactness_report(
    folder: Path, photos: Sequence[Photo], count: int, seed: int, *, tells_failures: bool = False
) -> Iterator[str]:
    """Yields the lines of a report: exact programs per intent and language, held-out phrasings and known."""
    model, processor = read(folder)
    model.eval()
    found = {
        share: [*exact_trials(model, Encoder(processor), photos, count, seed, share)]
        for share in (Share.JUDGING, Share.TRAINING)
    }
    if tells_failures:
        for trial in found[Share.JUDGING]:
            if not trial.is_exact:
                said = trial.written.replace("\n", " | ")[:200]
                yield f"{trial.request.intent}: {trial.request.text!r} -> {said}"
    for intent in [*dict.fromkeys(trial.request.kind for trial in found[Share.JUDGING]), ""]:
        shares = [
            f"{share} {language} {_share(trials, intent, language)}"
            for share, trials in found.items()
            for language in Language
        ]
        yield f"{intent or 'all':20} {'   '.join(shares)}"


def _share(trials: list[Exactness], intent: str, language: Language) -> str:
    own = [t for t in trials if t.request.language is language and intent in ("", t.request.kind)]
    return f"{sum(trial.is_exact for trial in own)}/{len(own)}"
