"""How good images are kept and compared, and what else is noted of them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Set as AbstractSet

from pydantic import Field

from tools.records import Record

__all__ = ["Notes", "ReferenceOptions"]


class ReferenceOptions(Record):
    """How references are kept and compared.

    Attributes:
        overkill: Share of good images that may score above the threshold.
        rigid: Whether images are laid over each other and compared place by place; None finds out.
        turns: Angles, spread over the full circle, in which references are kept; 1 keeps them as they are.
        foreground: Whether an even background is left out of the comparison.
        layout: Whether edges and shapes of a rigid part are compared, besides its patches.
        max_patches: Patches kept per backbone, as a coreset.
        anchor: The recipe's threshold when the set was made: its own 0.5 lies there on the recipe's scale, so
            that another threshold lets more or fewer pass from then on.
    """

    overkill: float = Field(default=0.05, gt=0.0, lt=0.5)
    rigid: bool | None = None
    turns: int = Field(default=1, ge=1, le=36)
    foreground: bool = False
    layout: bool = True
    max_patches: int = Field(default=4000, ge=100)
    anchor: float = Field(default=0.5, ge=0.0, le=1.0)


class Notes(Record):
    """What is kept of good images besides their features, by their `picture_key`.

    Attributes:
        words: The suspicion that words have of each.
        words_by: Hash of the model, labels and settings that had it.
        alarms: How sure the detector is of a defect in each, at most.
        alarms_by: Hash of the detector and its settings.
        paths: Where each lay when it was added.
    """

    words: dict[str, float] = Field(default_factory=dict)
    words_by: str = ""
    alarms: dict[str, float] = Field(default_factory=dict)
    alarms_by: str = ""
    paths: dict[str, str] = Field(default_factory=dict)

    @property
    def sha256(self) -> str:
        """Hash of what decides whether words and the detector are heard; where the images lie does not."""
        deciding = self.model_dump(exclude={"paths"})
        return hashlib.sha256(json.dumps(deciding, sort_keys=True).encode()).hexdigest()

    def joined(self, newer: Notes) -> Notes:
        """Returns both; what another model said than the newer ones' is forgotten."""
        words = self.words if self.words_by == newer.words_by else {}
        alarms = self.alarms if self.alarms_by == newer.alarms_by else {}
        return Notes(
            words=words | newer.words,
            words_by=newer.words_by,
            alarms=alarms | newer.alarms,
            alarms_by=newer.alarms_by,
            paths=self.paths | newer.paths,
        )

    def only(self, picture_keys: AbstractSet[str]) -> Notes:
        """Returns what is noted of these images."""
        kept = {
            name: {key: value for key, value in getattr(self, name).items() if key in picture_keys}
            for name in ("words", "alarms", "paths")
        }
        return self.model_copy(update=kept)
