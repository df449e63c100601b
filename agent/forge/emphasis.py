"""Which wishes are asked more often: those that the model still gets wrong."""

from __future__ import annotations

from collections.abc import Iterable

from tools.records import Language

__all__ = ["Emphasis"]

_LEAST, _MOST = 0.3, 3.0  # times as often as without emphasis
_KEPT = 0.95  # of what was known, at each trial
_UNTRIED = 1.0  # failures


class Emphasis:
    """How often a model fails each wish in each language, and how often the wish is to be asked therefore.

    Half of the wishes are learned soon, and asking on for them teaches nothing. What fails more is drawn
    more (Loshchilov & Hutter 2015, "Online batch selection for faster training of neural networks"), within
    bounds: what can never be told apart should not drive out all else.
    """

    def __init__(self) -> None:
        self._failures: dict[tuple[Language, str], float] = {}

    def weight(self, language: Language, intent: str) -> float:
        """Returns how many times as often as others this wish is to be drawn."""
        if not self._failures:
            return 1.0
        mean = sum(self._failures.values()) / len(self._failures)
        return min(max(self._failures.get((language, intent), _UNTRIED) / max(mean, 1e-3), _LEAST), _MOST)

    def note(self, language: Language, trials: Iterable[tuple[str, float]]) -> None:
        """Learns from trials.

        Args:
            language: Of the requests.
            trials: Per request its intent, and the chance that the model writes another program.
        """
        for intent, failure in trials:
            known = self._failures.get((language, intent), _UNTRIED)
            self._failures[language, intent] = _KEPT * known + (1 - _KEPT) * failure

    def hardest(self, count: int = 5) -> str:
        """Returns the wishes that fail most, for a line of progress."""
        ranked = sorted(self._failures.items(), key=lambda pair: -pair[1])[:count]
        return ", ".join(f"{intent} {language.value} {failure:.2f}" for (language, intent), failure in ranked)
