"""Many conversations about one batch in one training sample: what they share is computed once.

A sample is the prompt with the batch, then conversation after conversation. Each attends to the prompt and to
itself, at the positions that it would have alone, so the gradient is that of separate samples at a fraction
of their tokens.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from agent.forge.trajectories import PICTURE_TOKENS
from agent.models.families import QWEN2_5_VL
from agent.models.pictures import Picture

if TYPE_CHECKING:
    import torch
    from transformers import Qwen2_5_VLForConditionalGeneration, Qwen2_5_VLProcessor

    from agent.models.messages import Turn

__all__ = ["Encoder", "Pack", "Piece", "hidden_states", "packed"]

_DROPOUT = 0.1  # of merges, so that a typo looks like what was seen (BPE-dropout, Provilkov et al. 2020)
_DROPOUT_SHARE = 0.5  # of what users say
_GROUP = 16  # conversations of like length that are attended to together


@dataclass
class Piece:
    """Tokens of a part of a conversation.

    Attributes:
        ids: Token ids.
        is_target: Per token, whether the model is to write it.
        pictures: In order.
    """

    ids: list[int]
    is_target: list[bool]
    pictures: list[Picture]


@dataclass(frozen=True)
class Pack:
    """A sample.

    Attributes:
        tensors: `input_ids` (1, length), `position_ids` (3, 1, length), `pixel_values`, `image_grid_thw`.
        lengths: Of the prefix and of each conversation.
        at: Positions before a token that the model is to write.
        targets: Those tokens.
        owners: Of each of them, which conversation it is part of.
    """

    tensors: dict[str, torch.Tensor]
    lengths: tuple[int, ...]
    at: torch.Tensor
    targets: torch.Tensor
    owners: torch.Tensor


class Encoder:
    """Turns messages into tokens exactly as the checkpoint's processor does.

    Args:
        processor: Of the checkpoint.
        rng: Decides where users' words are cut into smaller tokens; None cuts nowhere.
    """

    def __init__(self, processor: Qwen2_5_VLProcessor, rng: random.Random | None = None) -> None:
        from tokenizers import Tokenizer

        self.processor = processor
        self._rng = rng
        self._whole = processor.tokenizer.backend_tokenizer
        self._torn = Tokenizer.from_str(self._whole.to_str())
        self._torn.model.dropout = _DROPOUT
        self._pad = processor.tokenizer.convert_tokens_to_ids("<|image_pad|>")

    def opening(self) -> Piece:
        """Encodes what stands before a request where nothing else does."""
        piece = Piece([], [], [])
        self._add(piece, "<|im_start|>user\n")
        return piece

    def prefix(self, messages: Sequence[Turn], first_written: int) -> Piece:
        """Encodes all before the running request: the prompt, the batch, and turns that are over."""
        piece = Piece([], [], [])
        for message in messages[: first_written - 1]:
            self._add_message(piece, message)
        piece.ids += (opening := self.opening()).ids
        piece.is_target += opening.is_target
        for part in self._split(messages[first_written - 1])[0]:
            self._add_part(piece, part)
        return piece

    def branch(self, messages: Sequence[Turn], first_written: int) -> Piece:
        """Encodes what comes after the prefix; what the model writes in it is the target."""
        piece = Piece([], [], [])
        for part in self._split(messages[first_written - 1])[1]:
            self._add_part(piece, part, is_user=True)
        self._add(piece, "<|im_end|>\n")
        for message in messages[first_written:]:
            self._add_message(piece, message, is_target=message.role == "assistant")
        return piece

    @staticmethod
    def _split(message: Turn) -> tuple[list[str | Picture], list[str | Picture]]:
        """What stands in a message before the request, and the request."""
        *before, last = message.parts
        if not isinstance(last, str):
            raise TypeError("the request must come last")
        at = 0 if last.startswith("Request: ") else last.rindex("\nRequest: ")
        return [*before, *([last[:at]] if at else [])], [last[at:]]

    def _add_message(self, piece: Piece, message: Turn, *, is_target: bool = False) -> None:
        self._add(piece, f"<|im_start|>{message.role}\n")
        for part in message.parts:
            self._add_part(piece, part, is_user=message.role == "user", is_target=is_target)
        self._add(piece, "<|im_end|>", is_target=is_target)
        self._add(piece, "\n")

    def asked(self, messages: Sequence[Turn]) -> Piece:
        """Encodes a conversation whose every answer is a target, without a prefix."""
        piece = Piece([], [], [])
        for message in messages:
            self._add_message(piece, message, is_target=message.role == "assistant")
        return piece

    def _add_part(
        self, piece: Piece, part: str | Picture, *, is_user: bool = False, is_target: bool = False
    ) -> None:
        if isinstance(part, str):
            self._add(piece, part, is_user=is_user, is_target=is_target)
            return
        count = QWEN2_5_VL.picture_tokens(*part.size_px, PICTURE_TOKENS)
        self._add(piece, "<|vision_start|>")
        piece.ids += [self._pad] * count
        piece.is_target += [False] * count
        self._add(piece, "<|vision_end|>")
        piece.pictures.append(part)

    def _add(self, piece: Piece, text: str, *, is_user: bool = False, is_target: bool = False) -> None:
        is_torn = is_user and self._rng is not None and self._rng.random() < _DROPOUT_SHARE
        ids = (self._torn if is_torn else self._whole).encode(text, add_special_tokens=False).ids
        piece.ids += ids
        piece.is_target += [is_target] * len(ids)


def packed(
    model: Qwen2_5_VLForConditionalGeneration, encoder: Encoder, prefix: Piece, branches: Sequence[Piece]
) -> Pack:
    """Makes a sample of conversations that share a prefix.

    Args:
        model: Knows the positions.
        encoder: Knows the pictures.
        prefix: Shared; may be empty.
        branches: What follows it, each on its own.
    """
    import torch

    start = len(prefix.ids)
    ids = prefix.ids + [token for branch in branches for token in branch.ids]
    positions = [_positions(model, encoder, prefix)] if start else []
    at, targets, owners = [], [], []
    begin = start
    for owner, branch in enumerate(branches):
        end = begin + len(branch.ids)
        alone = Piece(prefix.ids + branch.ids, [], prefix.pictures + branch.pictures)
        positions.append(_positions(model, encoder, alone)[:, :, start:])
        own = [begin + n for n, is_target in enumerate(branch.is_target) if is_target]
        at += [place - 1 for place in own]
        targets += [ids[place] for place in own]
        owners += [owner] * len(own)
        begin = end
    tensors = {"input_ids": torch.tensor([ids]), "position_ids": torch.cat(positions, dim=2)}
    pictures = [*prefix.pictures, *(picture for branch in branches for picture in branch.pictures)]
    if pictures:
        tensors |= _pixels(encoder.processor, pictures)
    lengths = (start, *(len(branch.ids) for branch in branches))
    marks = (torch.tensor(each) for each in (at, targets, owners))
    return Pack(tensors, lengths, *marks)


def hidden_states(model: Qwen2_5_VLForConditionalGeneration, pack: Pack) -> torch.Tensor:
    """Returns the last hidden states before each target, of shape (targets, hidden)."""
    model.set_attn_implementation({"text_config": _registered()})
    lengths: dict[str, object] = {"full_attention": pack.lengths}
    try:
        out: Any = model.model(**pack.tensors, attention_mask=lengths, use_cache=False)
    finally:
        model.set_attn_implementation({"text_config": "sdpa"})
    states: torch.Tensor = out.last_hidden_state[0, pack.at]
    return states


@cache
def _registered() -> str:
    """Makes the attention of packs known to transformers; returns its name there."""
    from transformers import AttentionInterface

    AttentionInterface.register("loupe_packs", _attention)
    return "loupe_packs"


def _attention(
    module: torch.nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    lengths: tuple[int, ...],
    scaling: float,
    **_: object,
) -> tuple[torch.Tensor, None]:
    """Attends within the prefix, then within each conversation with the prefix before it.

    Args:
        module: The layer; not used.
        query: (1, heads, length, size), as are key and value.
        key: See `query`.
        value: See `query`.
        lengths: Of the prefix and the conversations, in place of a mask.
        scaling: Of the products.
        **_: What other implementations take.
    """
    import torch

    prefix, *branches = lengths
    queries, keys, values = query[0], key[0], value[0]
    found = []
    if prefix:
        ahead = torch.ones(prefix, prefix, dtype=torch.bool).triu(1)
        scores = (queries[:, :prefix] @ keys[:, :prefix].transpose(1, 2)).masked_fill(ahead, -torch.inf)
        found.append((scores * scaling).softmax(-1).to(scores.dtype) @ values[:, :prefix])
    if branches:
        groups = _rows_of(tuple(branches))
        mixed = [_mixed(rows, prefix, queries, keys, values, scaling) for rows in groups]
        order = torch.cat([rows.at for rows in groups])
        found.append(torch.cat(mixed, dim=1).index_select(1, order.argsort()))
    return torch.cat(found, dim=1).transpose(0, 1)[None].contiguous(), None


def _mixed(
    rows: _Rows,
    prefix: int,
    queries: torch.Tensor,
    keys: torch.Tensor,
    values: torch.Tensor,
    scaling: float,
) -> torch.Tensor:
    """Attends from each conversation of a group to the prefix and to what came before in it.

    Args:
        rows: The group.
        prefix: Its length.
        queries: (heads, length, size) of the whole pack, as are keys and values.
        keys: See `queries`.
        values: See `queries`.
        scaling: Of the products.
    """
    import torch

    theirs = (queries, keys, values)
    own, own_keys, own_values = (each[:, prefix:].index_select(1, rows.at) for each in theirs)
    local = rows.flat(rows.apart(own) @ rows.apart(own_keys).transpose(2, 3))
    local = local.masked_fill(torch.arange(rows.longest) > rows.place[:, None], -torch.inf)
    scores = torch.cat((own @ keys[:, :prefix].transpose(1, 2), local), dim=2)
    shares = (scores * scaling).softmax(-1).to(scores.dtype)
    before, within = shares[..., :prefix], shares[..., prefix:]
    return before @ values[:, :prefix] + rows.flat(rows.apart(within) @ rows.apart(own_values))


@lru_cache(maxsize=1)
def _rows_of(lengths: tuple[int, ...]) -> list[_Rows]:
    """Groups conversations of about the same length, since each row is as long as its group's longest.

    Args:
        lengths: Of the conversations of a pack, in tokens.
    """
    begins = [0, *accumulate(lengths)]
    order = sorted(range(len(lengths)), key=lengths.__getitem__)
    groups = (order[start : start + _GROUP] for start in range(0, len(order), _GROUP))
    return [_Rows([(begins[n], lengths[n]) for n in group]) for group in groups]


class _Rows:
    """Conversations side by side as rows of one length: few large products instead of many small ones.

    Torch's fused attention took 40 % of a training step on a CPU; so written, and in groups, it takes a
    quarter of that.

    Args:
        spans: Of each conversation where it begins after the prefix, and how long it is, in tokens.

    Attributes:
        at: Places of their tokens after the prefix, one conversation after the other.
        place: Of each token, its place in its conversation.
        longest: Of the lengths.
    """

    def __init__(self, spans: Sequence[tuple[int, int]]) -> None:
        import torch

        self._count = len(spans)
        self.longest = max(length for _, length in spans)
        self.place = torch.cat([torch.arange(length) for _, length in spans])
        self.at = torch.cat([torch.arange(begin, begin + length) for begin, length in spans])
        row = torch.cat([torch.full((length,), row) for row, (_, length) in enumerate(spans)])
        self._cell = row * self.longest + self.place

    def apart(self, states: torch.Tensor) -> torch.Tensor:
        """From (heads, tokens, size) to (heads, conversations, longest, size), filled up with zeros."""
        blank = states.new_zeros(states.shape[0], self._count * self.longest, states.shape[2])
        return blank.index_copy(1, self._cell, states).view(-1, self._count, self.longest, states.shape[2])

    def flat(self, states: torch.Tensor) -> torch.Tensor:
        """Undoes `apart`."""
        return states.flatten(1, 2).index_select(1, self._cell)


def _positions(model: Qwen2_5_VLForConditionalGeneration, encoder: Encoder, piece: Piece) -> torch.Tensor:
    """Positions (3, 1, length) in time, row and column, as the model counts them."""
    import torch

    if not piece.pictures:
        return torch.arange(len(piece.ids)).expand(3, 1, -1)
    ids = torch.tensor([piece.ids])
    merged = [(1, p.size_px[1] // 14, p.size_px[0] // 14) for p in piece.pictures]
    kinds = (ids == model.config.image_token_id).int()
    positions, _ = model.model.get_rope_index(
        ids, mm_token_type_ids=kinds, image_grid_thw=torch.tensor(merged)
    )
    found: torch.Tensor = positions
    return found


def _pixels(processor: Qwen2_5_VLProcessor, pictures: Sequence[Picture]) -> dict[str, torch.Tensor]:
    made = processor.image_processor(images=[picture.image for picture in pictures], return_tensors="pt")
    return {"pixel_values": made["pixel_values"], "image_grid_thw": made["image_grid_thw"]}
