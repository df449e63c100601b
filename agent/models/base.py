"""What the agent asks of any model: an answer to a conversation with pictures, in counted tokens."""

from __future__ import annotations

import threading
from abc import abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from PIL import Image
from smolagents.models import ChatMessage, MessageRole, Model
from smolagents.monitoring import TokenUsage

from agent.cancelling import stop_if_cancelled
from agent.models.messages import Turn, conversation, pictures_of, text_of
from agent.models.pictures import Picture
from agent.models.repair import CLOSE, code_of, cut, repaired
from tools.errors import ModelError

if TYPE_CHECKING:
    from agent.abstention import Abstention
    from agent.models.families import Family
    from agent.models.selftest import Sight
    from tools.records import BoxXyxyPx, Provenance

__all__ = [
    "CHARACTERS_PER_TOKEN",
    "CONTEXT_TOKENS",
    "MAX_PICTURE_TOKENS",
    "MAX_TOKENS",
    "ContextOverflow",
    "Question",
    "Reply",
    "VisionModel",
]

CONTEXT_TOKENS = 32_768  # where nobody tells
CHARACTERS_PER_TOKEN = 4  # where nobody counts
MAX_TOKENS = 768
MAX_PICTURE_TOKENS = 2048  # Qwen's advice for grounding is 1,024 to 2,048


class ContextOverflow(Exception):
    """The prompt does not fit into the model's context or memory."""


@dataclass(frozen=True)
class Question:
    """What a backend is to answer.

    Attributes:
        turns: The conversation so far.
        stops: Texts at which the model must stop; the answer ends before the first of them.
        max_tokens: Limit of the answer.
        response_format: JSON schema as OpenAI's protocol takes it, for backends that can enforce one.
    """

    turns: tuple[Turn, ...]
    stops: tuple[str, ...] = ()
    max_tokens: int = MAX_TOKENS
    response_format: dict[str, Any] | None = None


@dataclass(frozen=True)
class Reply:
    """What a backend answered.

    Attributes:
        text: As written.
        tokens: Per token of the text, in order: the end of the text so far in characters, and the
            log-probability; empty where the backend does not tell.
        reused_tokens: How many tokens of the prompt were not computed again.
    """

    text: str
    input_tokens: int
    output_tokens: int
    tokens: tuple[tuple[int, float], ...] = ()
    reused_tokens: int = 0

    def mean_logprob(self, part: str) -> float | None:
        """Mean log-probability of the tokens of one part of the text, or of all where it does not occur."""
        inside = self._logprobs(part)
        return sum(inside) / len(inside) if inside else None

    def sureness(self, part: str) -> float | None:
        """Log-probability of one part of the text as a whole, or of all where it is absent.

        It is the chance that a program drawn by lot would be the same one. Of the signals that were measured
        it told right programs of the pocket model from wrong ones best: better than the least likely token,
        and than the mean, in which the many certain tokens around a guessed id drown it.
        """
        inside = self._logprobs(part)
        return sum(inside) if inside else None

    def _logprobs(self, part: str) -> list[float]:
        start = max(self.text.find(part), 0)
        end = start + len(part) if part and part in self.text else len(self.text)
        before = (0, *(token_end for token_end, _ in self.tokens))
        return [
            logprob
            for token_start, (token_end, logprob) in zip(before, self.tokens, strict=False)
            if token_end > start and token_start < end
        ]


class VisionModel(Model):  # type: ignore[misc]  # smolagents has no types
    """A model that sees: local weights, a server or written answers.

    Attributes:
        name: For logs and reports.
        provenance: Which weights answer, for the report.
        family: How it counts and locates in pictures.
        context_tokens: Size of its context.
        max_tokens: Limit of one answer.
        max_picture_tokens: Limit of one picture.
        cancel: When set, `generate` raises `TurnCancelled` within a second.
        on_text: Called with each piece of text as it is written.
        has_eyes: Whether its answers come from looking; written ones do not.
        sight: What its self-test showed; None before one.
        abstention: How sure it must be of a program; None where nobody measured that.
    """

    has_eyes: ClassVar[bool] = True

    def __init__(
        self,
        name: str,
        provenance: Provenance,
        family: Family,
        context_tokens: int,
        max_tokens: int = MAX_TOKENS,
        max_picture_tokens: int = MAX_PICTURE_TOKENS,
    ) -> None:
        super().__init__(model_id=name)
        self.name = name
        self.provenance = provenance
        self.family = family
        self.context_tokens = context_tokens
        self.max_tokens = max_tokens
        self.max_picture_tokens = max_picture_tokens
        self.cancel: threading.Event | None = None
        self.on_text: Callable[[str], None] | None = None
        self.sight: Sight | None = None
        self.abstention: Abstention | None = None
        self._lock = threading.Lock()
        self._limit_tokens = max_picture_tokens

    def generate(
        self,
        messages: list[ChatMessage],
        stop_sequences: list[str] | None = None,
        response_format: dict[str, Any] | None = None,
        tools_to_call_from: list[Any] | None = None,
        max_tokens: int | None = None,
        **kwargs: Any,  # noqa: ANN401
    ) -> ChatMessage:
        """Answers a conversation.

        Where the closing tag of code is a stop sequence, code is expected, and the answer is repaired. A
        prompt that is too long is tried once more with its pictures at half the tokens.

        Args:
            messages: smolagents' messages; a picture is `{"type": "image", "image": Picture}`.
            stop_sequences: The answer ends before the first of them.
            response_format: JSON schema for backends that can enforce one.
            tools_to_call_from: Not used: the agent calls tools in code.
            max_tokens: Limit of the answer; the model's own by default.
            **kwargs: Not used; smolagents' signature.

        Returns:
            The answer with its token counts; `raw` holds `mean_logprob` and `sureness` (of the code where
            there is code; None where unknown), `text` (as written) and `reused_tokens`.

        Raises:
            TurnCancelled: The user stopped the turn.
            ModelError: The model cannot answer.
        """
        stops = tuple(stop_sequences or ())
        question = Question(
            tuple(conversation(messages)), stops, max_tokens or self.max_tokens, response_format
        )
        with self._lock:
            stop_if_cancelled(self.cancel)
            reply = self._answer(question)
            stop_if_cancelled(self.cancel)
        text = cut(reply.text, stops)
        content = repaired(text) if CLOSE in stops else text
        code = code_of(content)
        return ChatMessage(
            role=MessageRole.ASSISTANT,
            content=content,
            token_usage=TokenUsage(reply.input_tokens, reply.output_tokens),
            raw={
                "mean_logprob": reply.mean_logprob(code),
                "sureness": reply.sureness(code),
                "text": reply.text,
                "reused_tokens": reply.reused_tokens,
            },
        )

    def _answer(self, question: Question) -> Reply:
        self._limit_tokens = self.max_picture_tokens
        try:
            return self._reply(question)
        except ContextOverflow as overflow:
            smaller = self._with_half_the_pictures(question)
            if smaller is None:
                raise self._too_long(overflow) from overflow
        try:
            return self._reply(smaller)
        except ContextOverflow as overflow:
            raise self._too_long(overflow) from overflow

    def _too_long(self, overflow: ContextOverflow) -> ModelError:
        return ModelError(
            f"The conversation does not fit into `{self.name}`: {overflow}.",
            "Begin a new conversation, look at fewer pictures, or choose a model with a larger context.",
        )

    def _with_half_the_pictures(self, question: Question) -> Question | None:
        """The same question, no picture of which costs more than half of what the largest did."""
        pictures = pictures_of(question.turns)
        if not pictures:
            return None
        self._limit_tokens = max(max(self.picture_tokens(*picture.size_px) for picture in pictures) // 2, 1)
        smaller = {
            picture: Picture(picture.label, self.fitted(picture.image, self._limit_tokens))
            for picture in pictures
        }
        turns = tuple(
            Turn(
                turn.role, tuple(smaller[part] if isinstance(part, Picture) else part for part in turn.parts)
            )
            for turn in question.turns
        )
        return Question(turns, question.stops, question.max_tokens, question.response_format)

    @abstractmethod
    def _reply(self, question: Question) -> Reply:
        """Answers; raises `ContextOverflow` where the prompt is too long."""

    def picture_tokens(self, width_px: int, height_px: int) -> int:
        """How many tokens of the prompt a picture of that size takes; an estimate for unknown families."""
        return self.family.picture_tokens(width_px, height_px, self.max_picture_tokens)

    def estimated_tokens(self, turns: Sequence[Turn]) -> int:
        """About how many tokens a conversation takes with its pictures."""
        written = sum(len(text_of(turns, role)) for role in ("system", "user", "assistant"))
        shown = sum(self.picture_tokens(*picture.size_px) for picture in pictures_of(turns))
        return written // CHARACTERS_PER_TOKEN + shown

    def fitted(self, image: Image.Image, max_tokens: int | None = None) -> Image.Image:
        """Resizes a picture to the grid that the model's processor would use, so that coordinates agree.

        Args:
            image: Any mode and size.
            max_tokens: Limit of its cost; the model's own limit holds as well.

        Returns:
            RGB, sides multiples of the family's `token_px`.
        """
        limit = min(max_tokens or self.max_picture_tokens, self.max_picture_tokens)
        size = self.family.fitted_size(*image.size, limit)
        rgb = image if image.mode == "RGB" else image.convert("RGB")
        return rgb if rgb.size == size else rgb.resize(size, Image.Resampling.LANCZOS)

    def to_picture_xyxy_px(self, box: Sequence[float], picture_size_px: tuple[int, int]) -> BoxXyxyPx | None:
        """Maps a box that the last answer named to pixels of the picture that was shown, clipped to it.

        Args:
            box: x_min, y_min, x_max, y_max as the model wrote them.
            picture_size_px: Width and height of the `Picture`.

        Returns:
            The box, or None where nothing of it lies inside the picture.
        """
        seen = self.family.fitted_size(*picture_size_px, self._limit_tokens)
        return self.family.to_picture_xyxy_px(box, picture_size_px, seen)

    def close(self) -> None:
        """Frees what the model holds; it cannot be used afterwards."""
