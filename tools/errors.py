"""The one tree of Loupe's own errors: what happened, what to do about it, and the exit code.

LoupeError
├── UsageError             bad arguments or bad input, exit 2
│   ├── RecipeError        a recipe that does not hold, with file and line
│   ├── BatchError         no usable image in what was given
│   ├── OutputError        the output folder cannot be used
│   └── CalibrationError   a scale that cannot be established
├── ModelError             a checkpoint that cannot be loaded or used, exit 4
│   └── UntrustedCheckpointError   a pickle that nobody vouched for
├── TurnFailed             the agent could not finish a turn, exit 4; the session goes on
├── ImageError             one image that cannot be read; becomes a row, never ends a batch
└── Cancelled              the user stopped the work, exit 130
"""

from __future__ import annotations

from enum import IntEnum

__all__ = [
    "BatchError",
    "CalibrationError",
    "Cancelled",
    "ExitCode",
    "ImageError",
    "LoupeError",
    "ModelError",
    "OutputError",
    "RecipeError",
    "TurnFailed",
    "UntrustedCheckpointError",
    "UsageError",
]


class ExitCode(IntEnum):
    """What a command's exit status says to the script that called it."""

    ACCEPTED = 0
    REJECTED = 1
    USAGE = 2
    REVIEW = 3
    MODEL = 4
    DEFECT = 70  # of Loupe itself: EX_SOFTWARE of sysexits.h
    CANCELLED = 130


class LoupeError(Exception):
    """An error that a person can act on.

    Args:
        message: What happened, naming the file or value it happened to.
        hint: What to do about it; empty when there is nothing to add.
    """

    title = "Loupe cannot go on"
    exit_code = ExitCode.USAGE

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def as_text(self) -> str:
        """Returns message and hint as one text, sentence after sentence, without a full stop at its end."""
        return f"{self.message.rstrip('.')}. {self.hint}".rstrip(" .")


class UsageError(LoupeError):
    """Bad arguments or bad input."""

    title = "Bad input"


class RecipeError(UsageError):
    """A recipe file that is missing, is not YAML, or does not fit the schema."""

    title = "Recipe error"


class BatchError(UsageError):
    """The images given hold nothing that could be inspected."""

    title = "No images"


class OutputError(UsageError):
    """The output folder holds another run, or output cannot be written."""

    title = "Output error"


class CalibrationError(UsageError):
    """A scale could not be established from what was given."""

    title = "Calibration error"


class ModelError(LoupeError):
    """A checkpoint that cannot be found, loaded or used."""

    title = "Model error"
    exit_code = ExitCode.MODEL


class UntrustedCheckpointError(ModelError):
    """A pickle checkpoint that nobody vouched for: loading it would run its code."""

    title = "Untrusted checkpoint"


class TurnFailed(LoupeError):
    """The agent could not finish a turn: no program, no end, no server."""

    title = "The agent failed"
    exit_code = ExitCode.MODEL


class ImageError(LoupeError):
    """One image that cannot be read; its message is the reason in the image's row."""

    title = "Unreadable image"


class Cancelled(LoupeError):
    """The user stopped the work; what was done so far is kept."""

    title = "Cancelled"
    exit_code = ExitCode.CANCELLED
