"""Replays written answers: tests, examples and playbooks without weights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import yaml

from agent.cancelling import stop_if_cancelled
from agent.models.base import CHARACTERS_PER_TOKEN, CONTEXT_TOKENS, Question, Reply, VisionModel
from agent.models.families import QWEN2_5_VL
from agent.models.messages import Turn, text_of
from tools.errors import ModelError
from tools.records import Provenance

__all__ = ["ScriptedModel"]


class ScriptedModel(VisionModel):
    """Gives the answers that were written for it, one per call.

    Args:
        answers: In the order of the calls; or, per request, the answers to it: the key that occurs latest in
            what the user said is the one that is meant.
        name: For logs and reports.

    Attributes:
        sent: The conversations that it was sent, one per call.
    """

    has_eyes = False

    def __init__(self, answers: Sequence[str] | Mapping[str, Sequence[str]], name: str = "scripted") -> None:
        super().__init__(name, Provenance(tool="agent", model=name), QWEN2_5_VL, CONTEXT_TOKENS)
        keyed = answers if isinstance(answers, Mapping) else {"": answers}
        self._answers = {request: list(replies) for request, replies in keyed.items()}
        self.sent: list[tuple[Turn, ...]] = []

    @classmethod
    def load(cls, path: Path) -> ScriptedModel:
        """Reads a YAML file: a list of answers, or a mapping of requests to lists of answers.

        Raises:
            ModelError: The file is not there or holds something else.
        """
        hint = "Expected a YAML list of answers, or a mapping of requests to lists of answers."
        try:
            content = yaml.safe_load(path.read_text("utf-8"))
        except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
            raise ModelError(
                f"The answers `{path}` cannot be read ({type(error).__name__}).", hint
            ) from error
        lists = content.values() if isinstance(content, dict) else [content]
        if not all(isinstance(one, list) and all(isinstance(text, str) for text in one) for one in lists):
            raise ModelError(f"`{path}` does not hold written answers.", hint)
        if isinstance(content, dict):
            content = {str(request): answers for request, answers in content.items()}
        return cls(content, name=f"scripted:{path.name}")

    def _reply(self, question: Question) -> Reply:
        self.sent.append(question.turns)
        said = text_of(question.turns, "user")
        places = {request: said.rfind(request) for request in self._answers}
        request = max(places, key=lambda key: (places[key], len(key)), default="")
        if places.get(request, -1) < 0:
            raise ModelError(
                f"`{self.name}` has no answer to what was asked.", "Add the request to its answers."
            )
        if not self._answers[request]:
            raise ModelError(
                f"`{self.name}` has no further answer to `{request}`.", "Add one to its answers."
            )
        text = self._answers[request].pop(0)
        for line in text.splitlines(keepends=True):
            stop_if_cancelled(self.cancel)
            if self.on_text is not None:
                self.on_text(line)
        return Reply(text, self.estimated_tokens(question.turns), len(text) // CHARACTERS_PER_TOKEN)
