"""What the model is sent at each step: all that matters, a few live pictures, and never more than a budget.

smolagents replays everything at every step: each picture again, the code twice, every old observation. Here
finished turns shrink to request, answer and facts, and only the newest pictures stay pictures.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from smolagents.models import ChatMessage, MessageRole

    from agent.models.pictures import Picture

__all__ = ["Budget", "Memory", "Step", "Turn", "estimated_tokens"]


@dataclass(frozen=True)
class Budget:
    """What a prompt may hold.

    Attributes:
        tokens: Of the whole prompt, pictures included.
        pictures: Live ones, the contact sheet not counted.
        picture_tokens: Of one picture.
        sheet_tokens: Of the contact sheet.
        observation_chars: Of one observation in the running turn.
        fact_chars: Of one fact of a finished turn.
        turns: Finished ones; as many as there is room for when None.
    """

    tokens: int = 12_000
    pictures: int = 3
    picture_tokens: int = 1_024
    sheet_tokens: int = 1_024
    observation_chars: int = 6_000
    fact_chars: int = 240
    turns: int | None = None


@dataclass
class Step:
    """One round of the running turn.

    Attributes:
        written: What the model wrote, code tags included.
        observation: What came back.
        pictures: What it asked to see, to be shown with the observation.
    """

    written: str
    observation: str = ""
    pictures: list[Picture] = field(default_factory=list)


@dataclass
class Turn:
    """A request and what came of it.

    Attributes:
        facts: One short line per tool call: what it returned.
        answer: Empty while the turn is running.
        stands_alone: Whether it is read without what was said before.
        confirmed: The first program, where the user was asked if it is what is meant, and said yes.
    """

    request: str
    steps: list[Step] = field(default_factory=list)
    facts: list[str] = field(default_factory=list)
    answer: str = ""
    is_finished: bool = False
    stands_alone: bool = False
    confirmed: str = ""


@dataclass(frozen=True)
class _Keep:
    """How much of the past a prompt holds: finished turns, with facts or not, characters, live pictures."""

    turns: int
    facts: bool
    newest_chars: int
    older_chars: int
    pictures: int


def estimated_tokens(text: str) -> int:
    """Estimates the tokens of a text from above: three characters each, one each outside of ASCII."""
    wide = len(text) - len(text.encode("ascii", "ignore"))
    return wide + (len(text) - wide) // 3 + 1


def _cut(text: str, limit: int) -> str:
    if len(text) <= limit:
        return text
    half = limit // 2
    return f"{text[:half]} ... {len(text) - limit} characters left out ... {text[-half:]}"


class Memory:
    """The conversation, and its rendering as messages.

    Args:
        system_prompt: The first message.
        introduction: Table of the batch.
        sheet: Contact sheet that goes with it.
        budget: What a prompt may hold.
        picture_tokens: Returns what a picture of some width and height in px costs.
        seen: Returns in a line what is known of an image, to stand for a picture that is live no longer.
    """

    def __init__(
        self,
        system_prompt: str,
        introduction: str,
        sheet: Picture | None,
        budget: Budget,
        picture_tokens: Callable[[int, int], int],
        seen: Callable[[Picture], str],
    ) -> None:
        self.system_prompt = system_prompt
        self.turns: list[Turn] = []
        self._introduction = introduction
        self._sheet = sheet
        self._budget = budget
        self._picture_tokens = picture_tokens
        self._seen = seen

    @property
    def running(self) -> Turn:
        """The newest turn."""
        return self.turns[-1]

    def earlier(self) -> list[str]:
        """Returns what was asked, answered and observed in what is shown, but for the running request."""
        finished = [said for turn in self.before() for said in (turn.request, turn.answer)]
        return finished + [step.observation for step in self.running.steps]

    def messages(self) -> list[ChatMessage]:
        """Returns the prompt of the next step, within the budget.

        The oldest turns go first, then the facts of those that stay, then pictures and what old observations
        said; the request, the newest observation and the newest picture always stay.
        """
        finished, chars, pictures = len(self.before()), self._budget.observation_chars, self._budget.pictures
        messages: list[ChatMessage] = []
        for keep in (
            _Keep(finished, True, chars, chars, pictures),
            _Keep(finished, True, chars, chars // 4, pictures),
            _Keep(min(finished, 6), True, chars, chars // 4, pictures),
            _Keep(min(finished, 3), True, chars, chars // 8, pictures),
            _Keep(min(finished, 3), False, chars, chars // 8, min(pictures, 2)),
            _Keep(min(finished, 1), False, chars // 2, chars // 16, 1),
            _Keep(0, False, chars // 4, chars // 32, 1),
        ):
            messages = self._rendered(keep)
            if self.cost(messages) <= self._budget.tokens:
                break
        return messages

    def before(self) -> list[Turn]:
        """Returns the finished turns that the running one may lean on."""
        finished = [] if self.running.stands_alone else self.turns[:-1]
        most = self._budget.turns
        return finished if most is None else finished[max(len(finished) - most, 0) :]

    def _live_pictures(self, count: int) -> list[Picture]:
        """The pictures that stay pictures, newest first: the same one only once."""
        newest: list[Picture] = []
        for step in reversed(self.running.steps):
            for picture in reversed(step.pictures):
                if all(picture.label != other.label for other in newest):
                    newest.append(picture)
        return newest[:count]

    def _rendered(self, keep: _Keep) -> list[ChatMessage]:
        from smolagents.models import MessageRole

        composer = _Composer()
        composer.add(MessageRole.SYSTEM, self.system_prompt)
        composer.add(MessageRole.USER, self._introduction)
        if self._sheet:
            composer.add_picture(self._sheet)
        finished = self.before()
        for turn in finished[len(finished) - keep.turns :]:
            facts = "\n".join(_cut(fact, self._budget.fact_chars) for fact in turn.facts)
            known = f"\nWhat the tools said then:\n{facts}" if facts and keep.facts else ""
            composer.add(MessageRole.USER, f"Request: {turn.request}{known}")
            composer.add(MessageRole.ASSISTANT, f"<code>\nfinal_answer({turn.answer!r})\n</code>")
        composer.add(MessageRole.USER, f"Request: {self.running.request}")
        live = self._live_pictures(keep.pictures)
        for step in self.running.steps:
            limit = keep.newest_chars if step is self.running.steps[-1] else keep.older_chars
            composer.add(MessageRole.ASSISTANT, step.written)
            composer.add(MessageRole.USER, f"Observation:\n{_cut(step.observation, limit)}")
            for picture in step.pictures:
                if any(picture is shown for shown in live):
                    composer.add_picture(picture)
                else:
                    composer.add(MessageRole.USER, f"[{picture.label} was shown here. {self._seen(picture)}]")
        return composer.messages

    def cost(self, messages: Sequence[ChatMessage]) -> int:
        """Returns the tokens of a prompt, estimated from above for its text."""
        total = 0
        for message in messages:
            parts: list[dict[str, Any]] = message.content
            for part in parts:
                if part["type"] == "image":
                    total += self._picture_tokens(*part["image"].image.size)
                else:
                    total += estimated_tokens(part["text"])
        return total


class _Composer:
    """Collects messages; what the same role says in a row is one message, as chat templates want it."""

    def __init__(self) -> None:
        self.messages: list[ChatMessage] = []

    def add(self, role: MessageRole, text: str) -> None:
        self._add(role, {"type": "text", "text": text})

    def add_picture(self, picture: Picture) -> None:
        """Adds the label, so that the model can tell pictures apart, then the picture, both as the user's."""
        from smolagents.models import MessageRole

        self.add(MessageRole.USER, f"{picture.label}:")
        self._add(MessageRole.USER, {"type": "image", "image": picture})

    def _add(self, role: MessageRole, part: dict[str, Any]) -> None:
        from smolagents.models import ChatMessage

        if self.messages and self.messages[-1].role == role:
            parts: list[dict[str, Any]] = self.messages[-1].content
            last = parts[-1]
            if part["type"] == last["type"] == "text":
                last["text"] += f"\n{part['text']}"
            else:
                parts.append(part)
        else:
            self.messages.append(ChatMessage(role=role, content=[part]))
