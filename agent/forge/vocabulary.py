"""The pocket model's tokens: words by byte-pair encoding, codes letter by letter, programs by the line.

The lines of the system prompt and of programs are the same each time, so each is one token: a prompt stays
short and a program is a few choices. Digits, and letters in codes such as `A-17`, are tokens of their own,
and spaces too, so that what is copied from a request has the same tokens in the program.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from agent.forge.cases import make_case
from agent.forge.language import Share, phrasings
from agent.forge.programs import pieces
from agent.forge.simulated import SimulatedSteps, SimulatedWorkbench
from agent.forge.trajectories import prompt_of
from tools.records import ImageStatus

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

__all__ = ["CHAT_TEMPLATE", "make_tokenizer"]

CHAT_TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n"
    "{% if message['content'] is string %}{{ message['content'] }}{% else %}"
    "{% for part in message['content'] %}"
    "{% if part['type'] == 'image' %}<|vision_start|><|image_pad|><|vision_end|>"
    "{% else %}{{ part['text'] }}{% endif %}{% endfor %}{% endif %}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
"""Qwen2.5-VL's own, without its default system message and without videos."""

_SPECIAL = (
    "<|endoftext|>",
    "<|im_start|>",
    "<|im_end|>",
    "<|vision_start|>",
    "<|vision_end|>",
    "<|image_pad|>",
    "<|video_pad|>",
)
_MERGED = 4096  # bytes and merges; lines and control tokens come on top
_LEAST_PIECE = 5
_SPLIT = "|".join(
    (
        r"\n",
        r" +",
        r"img_(?=\d)",
        r"\d",
        r"[A-Z](?![a-z])",  # capitals of codes and abbreviations
        r"[a-z](?=\d)|(?<=\d)[a-z](?![a-z])",
        r"[A-Z]?[a-z]+",
        r"\p{Hangul}+",
        r"_|[^\s\w]",
        r"\w",
    )
)
_FIXED = (
    "<code>\n", "\n</code>", "Request: ", "\nWhat the tools said then:\n", "Observation:\n",
    "Error: Line ", "ToolError: ",
    " | ", '", "', '["', '"]', 'lot="', 'ids=["', ', language="ko"', 'language="ko"', "final_answer(",
    " rows: [", "unreadable: ",
)  # fmt: skip


def make_tokenizer() -> PreTrainedTokenizerFast:
    """Learns a tokenizer from the phrasings that are trained on, from tools' rows and from the prompt."""
    from tokenizers import AddedToken, Regex, Tokenizer, decoders
    from tokenizers.models import BPE
    from tokenizers.pre_tokenizers import ByteLevel, Sequence, Split
    from tokenizers.trainers import BpeTrainer
    from transformers import PreTrainedTokenizerFast

    backend = Tokenizer(BPE())
    backend.pre_tokenizer = Sequence(
        [Split(Regex(_SPLIT), "isolated"), ByteLevel(add_prefix_space=False, use_regex=False)]
    )
    backend.decoder = decoders.ByteLevel()
    trainer = BpeTrainer(vocab_size=_MERGED, initial_alphabet=ByteLevel.alphabet(), show_progress=False)
    backend.train_from_iterator(_corpus(), trainer)
    lines = [AddedToken(line, normalized=False, special=False) for line in _lines()]
    backend.add_tokens(lines)
    return PreTrainedTokenizerFast(
        tokenizer_object=backend,
        eos_token="<|im_end|>",
        pad_token="<|endoftext|>",
        extra_special_tokens=[token for token in _SPECIAL if token not in ("<|im_end|>", "<|endoftext|>")],
        chat_template=CHAT_TEMPLATE,
        clean_up_tokenization_spaces=False,
    )


def _lines() -> list[str]:
    """What is always written alike, the longest first, so that none stands in the way of a longer one."""
    prompts = (
        prompt_of(has_ledger=ledger, has_eyes=eyes) for ledger in (True, False) for eyes in (True, False)
    )
    lines = {line for prompt in prompts for line in prompt.splitlines(keepends=True)}
    lines |= {f"{line}\n" for line in list(lines) if not line.endswith("\n")}
    lines |= {*pieces(), *_keys()}
    lines = {line for line in lines if len(line) >= _LEAST_PIECE} | {*_FIXED}
    return sorted(lines, key=lambda line: (-len(line), line))


def _keys() -> Iterator[str]:
    """The keys of tools' rows as they stand in facts and observations."""
    for row in _rows(random.Random(0)):
        for key in row:
            yield from (f'{{"{key}": ', f', "{key}": ', f"{{'{key}': ", f", '{key}': ")


def _rows(rng: random.Random) -> Iterator[dict[str, Any]]:
    for count in (3, 9):
        case = make_case(rng, count)
        bench = SimulatedWorkbench(SimulatedSteps(case))
        for rows in (bench.screen(), bench.locate(), bench.measure(), bench.inspect(), bench.images()):
            yield from rows
        for rows in (bench.describe(), bench.describe(language="ko"), bench.findings()):
            yield from rows
        yield from bench.search(text="scratch")
        one, *others = (record.id for record in case.records if record.status is ImageStatus.READABLE)
        yield bench.compare(one, others[0] if others else one)
        yield bench.decide(one, "reject", "x")
        yield bench.write_report()


def _corpus() -> Iterator[str]:
    gap = re.compile(r"\{\w+\}")
    yield from (gap.sub(" ", text) for text in phrasings(Share.TRAINING))
    yield from _words(_rows(random.Random(1)))
    yield from (piece for piece in pieces() for _ in range(2))
    yield prompt_of(has_ledger=True, has_eyes=True)


def _words(rows: Iterable[dict[str, Any]]) -> Iterator[str]:
    for row in rows:
        yield from (value for value in row.values() if isinstance(value, str))
