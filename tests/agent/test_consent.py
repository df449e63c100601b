from __future__ import annotations

from collections.abc import Sequence

import pytest

from agent.consent import Consent
from agent.events import Decision
from tools.records import Language, Verdict


def decisions(*ids: str, verdict: Verdict = Verdict.REJECT) -> list[Decision]:
    return [
        Decision(image_id=each, verdict=verdict, reason="dust", by="agent", at="2026-11-23T10:00:00+09:00")
        for each in ids
    ]


class Asked:
    """Says no, and counts."""

    def __init__(self) -> None:
        self.questions: list[Sequence[Decision]] = []

    def __call__(self, wanted: Sequence[Decision]) -> bool:
        self.questions.append(wanted)
        return False


def test_the_same_is_not_asked_again_in_a_turn() -> None:
    asked = Asked()
    consent = Consent(asked)
    for _ in range(3):
        assert not consent(decisions("img_002"))
    assert not consent(decisions("img_001", "img_002"))
    assert len(asked.questions) == 1
    assert not consent(decisions("img_002", verdict=Verdict.ACCEPT))
    consent.begin_turn()
    assert not consent.is_refused
    assert not consent(decisions("img_002"))
    assert len(asked.questions) == 3


def test_nobody_to_ask_lets_the_agent_decide() -> None:
    consent = Consent(None)
    assert consent(decisions("img_002"))
    assert not consent.is_refused


@pytest.mark.parametrize(
    ("ids", "language", "said"),
    [
        (["img_002"], Language.EN, "You did not agree, so nothing was changed for img_002."),
        (["img_003", "img_002"], Language.KO, "동의하지 않으셔서 img_002, img_003 판정은 그대로 두었습니다."),
        (
            [f"img_00{number}" for number in range(1, 8)],
            Language.EN,
            "You did not agree, so nothing was changed for img_001, img_002, img_003, img_004, img_005 ….",
        ),
    ],
)
def test_a_refusal_is_said_in_the_users_language(ids: list[str], language: Language, said: str) -> None:
    consent = Consent(Asked())
    consent(decisions(*ids))
    assert consent.refusal(language) == said
