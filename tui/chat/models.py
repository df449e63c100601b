"""Which models can answer, which one does, and what each costs; as texts for a choice."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.chat.words import Words

if TYPE_CHECKING:
    from agent.session import Session

__all__ = ["known_models", "model_choices", "model_title"]

_SERVER = "http://127.0.0.1:8000/v1#"


def known_models() -> list[str]:
    """Returns the names of the models that can answer: the sets that have one, and a server."""
    from tools.checkpoints import MODEL_SETS

    return [*(name for name, kinds in MODEL_SETS.items() if kinds["agent"].id), _SERVER]


def model_choices(session: Session, words: Words) -> list[tuple[str, str]]:
    """Returns each model with a text: the one that answers first, then the known ones with what they cost."""
    current = session.model_name
    loaded = words("header.loaded" if session.is_model_loaded else "header.not_loaded")
    others = [name for name in known_models() if name != current]
    return [(current, f"● {current} · {loaded}"), *((name, f"  {_told(name, words)}") for name in others)]


def model_title(session: Session, words: Words) -> str:
    """Returns what the conversation has cost so far."""
    usages = [turn.usage for turn in session.turns]
    return words(
        "model.title",
        turns=len(usages),
        seconds=sum(usage.seconds for usage in usages),
        read=sum(usage.input_tokens for usage in usages),
        written=sum(usage.output_tokens for usage in usages),
    )


def _told(name: str, words: Words) -> str:
    from tools.checkpoints import MODEL_SETS

    if name == _SERVER:
        return f"{name} … · {words('model.server')}"
    choice = MODEL_SETS[name]["agent"]
    if not choice.download_mb:
        return f"{name} · {words('model.inside')}"
    cost = words("model.cost", download=choice.download_mb / 1000, memory=choice.memory_mb / 1000)
    return f"{name} · {choice.id} · {cost}"
