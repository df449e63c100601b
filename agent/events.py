"""The one typed stream of what happens in a session: the CLI, the log and the app are all fed by it.

Events are frozen records that go through JSON unchanged. They carry image ids, never pixels.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import StrEnum, auto
from typing import Annotated, Literal

from pydantic import Field, JsonValue, TypeAdapter

from agent.phrases import phrase
from tools.records import BoxXyxyPx, Inspection, Language, Provenance, Record, Verdict

__all__ = [
    "EVENT",
    "Abstained",
    "Answer",
    "Approve",
    "CodeWritten",
    "Decision",
    "Event",
    "GoodKept",
    "ImageShown",
    "Inspected",
    "LoadEnd",
    "LoadFinished",
    "LoadProgress",
    "LoadStarted",
    "Note",
    "Outcome",
    "Purpose",
    "Sink",
    "StepFinished",
    "TextDelta",
    "ToolFinished",
    "ToolProgress",
    "ToolStarted",
    "Tried",
    "TurnFinished",
    "TurnStarted",
    "Usage",
]


class Outcome(StrEnum):
    """How a turn ended."""

    ANSWERED = auto()
    DECLINED = auto()
    FAILED = auto()
    CANCELLED = auto()


class Purpose(StrEnum):
    """What a model is loaded for."""

    SCREENING = auto()
    LOCALIZATION = auto()
    CAPTIONS = auto()
    TRANSLATION = auto()
    CONVERSATION = auto()
    REPORT = auto()  # all that were not needed before: a report names each
    SIGHT = auto()  # it is loaded; pictures of known content are put before it


class LoadEnd(StrEnum):
    """How the loading of a model ended, for the turn that waited for it."""

    LOADED = auto()
    FAILED = auto()
    LEFT = auto()  # the turn was stopped; what cannot be stopped goes on, for the next turn


class Usage(Record):
    """What a step or a turn cost.

    Attributes:
        input_tokens: Of the prompt, picture tokens included.
        output_tokens: Written by the model.
        images: Pictures in the prompt.
        seconds: Wall clock.
    """

    input_tokens: int = 0
    output_tokens: int = 0
    images: int = 0
    seconds: float = 0.0

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            input_tokens=self.input_tokens + other.input_tokens,
            output_tokens=self.output_tokens + other.output_tokens,
            images=self.images + other.images,
            seconds=self.seconds + other.seconds,
        )


class TurnStarted(Record):
    """The user asked something.

    Attributes:
        at: ISO 8601 with zone.
    """

    kind: Literal["turn_started"] = "turn_started"
    turn: int
    request: str
    at: str


class TextDelta(Record):
    """A piece of what the model is writing, as it comes."""

    kind: Literal["text_delta"] = "text_delta"
    turn: int
    step: int
    text: str


class CodeWritten(Record):
    """The program that the model wrote in a step, before it runs.

    Attributes:
        thought: What it wrote before the code; often empty.
    """

    kind: Literal["code_written"] = "code_written"
    turn: int
    step: int
    thought: str = ""
    code: str


class ToolStarted(Record):
    """A tool was called.

    Attributes:
        call: Number of the call within the session.
    """

    kind: Literal["tool_started"] = "tool_started"
    call: int
    tool: str
    arguments: dict[str, JsonValue] = Field(default_factory=dict)


class ToolProgress(Record):
    """A tool works through many images."""

    kind: Literal["tool_progress"] = "tool_progress"
    call: int
    done: int
    total: int


class ToolFinished(Record):
    """A tool returned, or refused.

    Attributes:
        result: What the code received; None where it failed.
        error: Message and hint, as the code received them; empty where all is well.
    """

    kind: Literal["tool_finished"] = "tool_finished"
    call: int
    tool: str
    result: JsonValue = None
    error: str = ""
    seconds: float = 0.0


class LoadStarted(Record):
    """A turn waits for a model that is being loaded; not logged.

    Attributes:
        load: Number of the load within the program.
        model: As the user names it.
    """

    kind: Literal["load_started"] = "load_started"
    load: int
    purpose: Purpose
    model: str


class LoadProgress(Record):
    """What a load waits for is being downloaded; not logged.

    Attributes:
        hub_id: What is downloaded.
        done_mb: Megabytes of it that have come, of those that were not on this machine.
        total_mb: Megabytes that were not on this machine.
        seconds: Since the download began.
    """

    kind: Literal["load_progress"] = "load_progress"
    load: int
    hub_id: str
    done_mb: float
    total_mb: float
    seconds: float


class LoadFinished(Record):
    """The turn waits no longer; not logged."""

    kind: Literal["load_finished"] = "load_finished"
    load: int
    end: LoadEnd
    seconds: float = 0.0


class ImageShown(Record):
    """A picture will be before the model at its next step.

    Attributes:
        image_id: `img_003`, or `contact sheet 1`.
        region_xyxy_px: Part of the image; None for all of it.
        tokens: What it costs in the prompt.
    """

    kind: Literal["image_shown"] = "image_shown"
    image_id: str
    region_xyxy_px: BoxXyxyPx | None = None
    width_px: int
    height_px: int
    tokens: int = 0


class Decision(Record):
    """A verdict was changed by someone: who, when and why.

    Attributes:
        act: Decisions that were taken together have one number, counted within the session; 0 in logs of
            earlier versions.
        takes_back: The act that this takes back; 0 for none.
        by_threshold: Whether it is only what the rules say at another threshold; it goes with that.
        named_good: Whether the image was named as a good part.
        kept_as: Its name among the good parts; empty where it is not among them.
    """

    kind: Literal["decision"] = "decision"
    image_id: str
    before: Verdict | None = None
    verdict: Verdict
    reason: str
    by: str
    at: str
    act: int = 0
    takes_back: int = 0
    by_threshold: bool = False
    named_good: bool = False
    kept_as: str = ""

    @property
    def is_return(self) -> bool:
        """Whether it gives way to what was before it, rather than says what somebody thinks of the part."""
        return bool(self.takes_back) or self.by_threshold

    def why(self, language: Language) -> str:
        """Returns the reason, for a reader of a language where it is not in the words of whoever decided."""
        return phrase("named_good", language) if self.named_good else self.reason


class Inspected(Record):
    """An image was inspected: all that is known of it, before any decision on it."""

    kind: Literal["inspected"] = "inspected"
    inspection: Inspection


class Tried(Record):
    """Images are shown as another threshold finds them, or as the recipe's does again; verdicts apart.

    Attributes:
        image_ids: Those that it is about.
        inspections: As found at the other threshold; none where the recipe's holds again.
    """

    kind: Literal["tried"] = "tried"
    image_ids: tuple[str, ...]
    inspections: tuple[Inspection, ...] = ()


class GoodKept(Record):
    """Images were kept as good parts: what was inspected before was not held against them.

    Attributes:
        image_ids: Empty where the good parts were changed outside of the session.
        total: Good parts by now; 0 likewise.
        by: Who said that they are good; empty likewise.
        sha256: Hash of the good parts by now, empty where there are none; None in logs of earlier versions.
    """

    kind: Literal["good_kept"] = "good_kept"
    image_ids: tuple[str, ...]
    total: int
    by: str
    at: str
    sha256: str | None = None


class StepFinished(Record):
    """One round of model and code is over.

    Attributes:
        observation: What the code printed and returned, as the model will read it.
        error: Why the step failed; empty where it did not.
    """

    kind: Literal["step_finished"] = "step_finished"
    turn: int
    step: int
    observation: str = ""
    error: str = ""
    usage: Usage = Usage()


class Abstained(Record):
    """The model was not sure enough of its newest program, which was not run.

    Attributes:
        sureness: Of the program, a log-probability.
        least: What it should have been at least.
        meant: The request that it may have been, which the user is asked about; empty where none is likely.
    """

    kind: Literal["abstained"] = "abstained"
    turn: int
    step: int
    sureness: float
    least: float
    meant: str = ""


class Note(Record):
    """Something the user should know: a missing wall of the sandbox, a blind backend, a fallback."""

    kind: Literal["note"] = "note"
    text: str


class Answer(Record):
    """What the user is told.

    Attributes:
        unverified: Why the answer could not be traced to results; empty for a verified one.
    """

    kind: Literal["answer"] = "answer"
    turn: int
    text: str
    unverified: tuple[str, ...] = ()


class TurnFinished(Record):
    """A turn is over; the session can take the next.

    Attributes:
        artifacts: Files that were written, below the output folder as it was given.
        error: Message and hint where the outcome is `failed`.
        writer: The model that wrote its programs; None where none was written.
    """

    kind: Literal["turn_finished"] = "turn_finished"
    turn: int
    outcome: Outcome
    steps: int = 0
    usage: Usage = Usage()
    artifacts: tuple[str, ...] = ()
    error: str = ""
    writer: Provenance | None = None


Event = Annotated[
    TurnStarted
    | TextDelta
    | CodeWritten
    | ToolStarted
    | ToolProgress
    | ToolFinished
    | LoadStarted
    | LoadProgress
    | LoadFinished
    | ImageShown
    | Decision
    | Inspected
    | Tried
    | GoodKept
    | StepFinished
    | Abstained
    | Note
    | Answer
    | TurnFinished,
    Field(discriminator="kind"),
]

EVENT: TypeAdapter[Event] = TypeAdapter(Event)

Sink = Callable[[Event], None]

# Whether the agent may take decisions, which are one question together.
Approve = Callable[[Sequence[Decision]], bool]
