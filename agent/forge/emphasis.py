"""What is asked more often: wishes that the model still gets wrong, and phrasings of them."""

from __future__ import annotations

from collections.abc import Iterable

from agent.forge.language import Request
from tools.records import Language

__all__ = ["Emphasis"]

_LEAST, _MOST = 0.3, 3.0  # times as often as without emphasis
_KEPT = 0.95  # of what was known, at each trial
_KEPT_OF_PHRASING = 0.5  # each is seen a few times only
_LEAST_SHARE = 0.1  # of a phrasing that never fails
_UNTRIED = 1.0  # failures


class Emphasis:
    """How often a model fails each wish and each phrasing, and how often they are to be asked therefore.

    Half of the wishes are learned soon, and asking on for them teaches nothing. What fails more is drawn
    more (Loshchilov & Hutter 2015, "Online batch selection for faster training of neural networks"), within
    bounds: what can never be told apart should not drive out all else.
    """

    def __init__(self) -> None:
        self._failures: dict[tuple[Language, str], float] = {}
        self._of_phrasing: dict[str, float] = {}

    def weight(self, language: Language, intent: str) -> float:
        """Returns how many times as often as others this wish is to be drawn."""
        if not self._failures:
            return 1.0
        mean = sum(self._failures.values()) / len(self._failures)
        return min(max(self._failures.get((language, intent), _UNTRIED) / max(mean, 1e-3), _LEAST), _MOST)

    def share(self, template: str) -> float:
        """Returns how much of what is drawn of a phrasing is to be asked: all of one that always fails."""
        return max(self._of_phrasing.get(template, _UNTRIED), _LEAST_SHARE)

    def note(self, trials: Iterable[tuple[Request, float]]) -> None:
        """Learns from trials.

        Args:
            trials: Requests, each with the chance that the model writes another program.
        """
        for request, failure in trials:
            wish = request.language, request.intent
            known = self._failures.get(wish, _UNTRIED)
            self._failures[wish] = _KEPT * known + (1 - _KEPT) * failure
            if text := request.template:
                known = self._of_phrasing.get(text, failure)
                self._of_phrasing[text] = _KEPT_OF_PHRASING * known + (1 - _KEPT_OF_PHRASING) * failure

    def hardest(self, count: int = 5) -> str:
        """Returns the wishes that fail most, for a line of progress."""
        ranked = sorted(self._failures.items(), key=lambda pair: -pair[1])[:count]
        return ", ".join(f"{intent} {language.value} {failure:.2f}" for (language, intent), failure in ranked)
