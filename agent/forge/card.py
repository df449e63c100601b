"""Writes the model card: what the checkpoint is, how it was made, and the figures that commands measured."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from agent.abstention import read_abstention
from agent.events import Answer, CodeWritten, Event, TurnStarted
from agent.forge.language import HELD_OUT, Share, in_one, intents, phrasings
from agent.forge.trajectories import MOST_TURNS
from agent.log import read_log
from tools.errors import UsageError
from tools.records import Language

__all__ = ["PRINTED", "TOLD", "Measured", "card"]

PRINTED = ("evaluation", "calibration", "fresh", "eyesight", "speed")
"""What of `Measured` commands print."""
TOLD = ("machine", "recipe", "seeds", "time")
"""What of it people tell."""

_AIM = 0.97
_CARD = """\
# Pocket VLM

A `transformers.Qwen2_5_VLForConditionalGeneration` small enough to ship: {parameters:.1f} million parameters
in bfloat16 ({megabytes:.1f} MB), {layers} layers of width {hidden}, a vision tower of {depth} layers of width
{vision}, a vocabulary of {words:,} tokens of its own. Any other Qwen2.5-VL takes its place with `--model`.

It knows one thing: Loupe's work. It is no chat model, knows nothing of the world, and is not asked for
verdicts.

## Data

{phrasings:,} ways to ask, English and Korean, for {intents} wishes and {pairs} pairs of them, a fifth of
them ({held:,}, by hash) kept out of training; slots, synonyms, slips of the finger, more pairs and turns
that refer back on top; whole conversations over made-up batches in the messages that the agent really
sends. For sight, photographs that `tools.forge` synthesised. No photograph of anybody's, no weights from
anywhere.

## Recipe

{recipe}

Again, with eyes that begin with random weights too: `python -m agent.forge train`

## Seeds

{seeds}

## Time

{time}

## Figures

On half of the phrasings that were kept out of training, after up to two turns on other things; its programs
run in the sandbox, and the calls are compared with those that should have been made
(`python -m agent.forge evaluate`):

```text
{evaluation}
```

The aim is {aim:.0%}: {verdict}.

When it rather says that it did not understand (`python -m agent.forge calibrate`, on the other half): a
program runs only where its log-probability is at least {looking:.3f}, or {changing:.3f} where it decides
something and {reporting:.3f} where it only writes a report, and only where each image and lot that it names
was named in the conversation. With one threshold for all:

```text
{calibration}
```

On requests that somebody wrote who had not seen the training phrasings, as whole conversations with the real
tools on the sample batch (`loupe run agent/forge/data/fresh-en.yaml --ledger --model pocket`; also `-ko`):

```text
{fresh}
```

What it sees on pictures of known content, the type among five answers, a box with an IoU of 0.5
(`python -m agent.forge eyesight`):

```text
{eyesight}
```

How fast it is (`python -m agent.forge speed`, {machine}):

```text
{speed}
```

## Transcripts

{transcripts}

## Limits

It understands requests about this work in sentences like those that it was trained on, and says so where it
does not. What was said before may mislead it: it is shown {turns} turns before a request at most, and where
it is unsure it reads the request once more, alone. It joins at most two wishes. It says what tools return;
how little it sees itself stands above. For anything else name a real model:
`--model Qwen/Qwen2.5-VL-7B-Instruct`.
"""


@dataclass(frozen=True)
class Measured:
    """What commands printed, and how the checkpoint was made.

    Attributes:
        evaluation: What `evaluate` printed.
        calibration: What `calibrate` printed.
        fresh: What came of the playbooks of fresh requests.
        eyesight: What `eyesight` printed.
        speed: What `speed` printed.
        machine: On which it was measured.
        recipe: How it was trained.
        seeds: Which were used.
        time: How long it took.
        sessions: Folders of conversations to show.
    """

    evaluation: str
    calibration: str
    fresh: str
    eyesight: str
    speed: str
    machine: str
    recipe: str
    seeds: str
    time: str
    sessions: Sequence[Path] = ()


def card(folder: Path, measured: Measured) -> str:
    """Returns the model card of a checkpoint.

    Args:
        folder: Of the checkpoint, calibrated.
        measured: Figures and facts.

    Raises:
        UsageError: The checkpoint has no thresholds, or the evaluation no sum.
    """
    if (abstention := read_abstention(folder)) is None:
        raise UsageError(f"{folder} has no thresholds", f"python -m agent.forge calibrate {folder}")
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    text, vision = config["text_config"], config["vision_config"]
    weights = folder / "model.safetensors"
    known, held = (sum(1 for _ in phrasings(*shares)) for shares in ((Share.TRAINING,), HELD_OUT))
    return _CARD.format(
        parameters=_parameters(weights) / 1e6,
        megabytes=weights.stat().st_size / 1e6,
        layers=text["num_hidden_layers"],
        hidden=text["hidden_size"],
        depth=vision["depth"],
        vision=vision["hidden_size"],
        words=text["vocab_size"],
        phrasings=known + held,
        held=held,
        intents=len({intent for language in Language for intent in intents(language)}),
        pairs=len({pair for of in Language for pair in in_one(of, Share.TRAINING, leans=True)[0]}),
        aim=_AIM,
        verdict=_verdict(measured.evaluation),
        looking=abstention.looking,
        changing=abstention.changing,
        reporting=abstention.changing if abstention.reporting is None else abstention.reporting,
        turns=MOST_TURNS,
        transcripts="\n\n".join(_transcript(session) for session in measured.sessions),
        **{
            name: getattr(measured, name).strip() for name in (*PRINTED, "machine", "recipe", "seeds", "time")
        },
    )


def _parameters(weights: Path) -> int:
    from math import prod

    from safetensors import safe_open

    with safe_open(weights, "pt") as file:
        return sum(prod(file.get_slice(name).get_shape()) for name in file.keys())  # noqa: SIM118 -- no mapping


def _verdict(evaluation: str) -> str:
    """Whether the sum of an evaluation reaches the aim, per language."""
    sums = re.search(r"^all\s+(.+)$", evaluation, re.MULTILINE)
    shares = re.findall(r"(\w+) (\d+)/(\d+)", sums[1]) if sums else []
    if not shares:
        raise UsageError("the evaluation has no line of sums", "give what `evaluate` printed, whole")
    said = ", ".join(f"{int(right) / int(of):.1%} {language}" for language, right, of in shares)
    is_reached = all(int(right) >= _AIM * int(of) for _, right, of in shares)
    return f"{'reached' if is_reached else '**not reached**'} ({said})"


def _transcript(session: Path) -> str:
    _, events = read_log(session)
    return "```text\n" + "\n".join(_lines(events)) + "\n```"


def _lines(events: Iterable[Event]) -> Iterator[str]:
    for event in events:
        match event:
            case TurnStarted(request=request):
                yield f"> {request}"
            case CodeWritten(code=code):
                yield from (f"    {line}" for line in code.splitlines())
            case Answer(text=text):
                yield text
