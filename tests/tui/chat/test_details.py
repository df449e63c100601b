from __future__ import annotations

import pytest
from rich.cells import cell_len

from agent.events import Decision
from tests.tui.chat.staging import finding, inspection
from tools.overriding import overridden
from tools.recipe.file import load_recipe
from tools.records import Centre, Description, Language, Verdict
from tui.chat.details import details, headline

EN, KO = Language.EN, Language.KO
TWO = inspection(finding(1, (0, 0, 9, 9)), finding(2, (20, 20, 30, 30), "dent", 7.5))


def test_the_verdict_has_a_sign_and_a_word_beside_its_colour() -> None:
    assert headline("img_001", TWO, EN).plain == "✗ REJECT  img_001"
    assert headline("img_001", TWO, KO).plain == "✗ 불합격  img_001"
    assert headline("img_001", None, EN).plain == "img_001"


def test_the_chosen_finding_is_told_in_full_and_the_others_in_a_line() -> None:
    text = details(TWO, 1, EN).plain
    assert " 1 scratch · 3.2 ± 0.1 mm" in text
    assert "▸2 dent · major 4/5" in text
    assert "7.5 ± 0.1 mm" in text
    assert "0.90 · detector" in text
    assert "where  " in text
    assert "at the upper left" in text
    assert "scratch.max_length_mm" in text
    assert "the limit is 2 mm" in text


def test_a_confidence_is_told_on_its_side_of_the_recipes_limit() -> None:
    recipe = load_recipe()
    limit = recipe.localization.review_confidence
    doubtful = finding(1, (0, 0, 9, 9)).model_copy(update={"confidence": limit - 0.0001})
    assert "0.3999 · detector" in details(inspection(doubtful), 0, EN, recipe).plain


def test_korean_has_no_english_words_of_ours() -> None:
    text = details(TWO, 0, KO, load_recipe()).plain
    for word in ("rule ", "length ", "confidence", "screening", "scratch ", "suspect", "calliper"):
        assert word not in text
    assert "길이" in text
    assert "스크래치" in text


@pytest.mark.parametrize(
    ("language", "width", "said", "method"),
    [
        (
            EN,
            80,
            "   centre           x 0.45 ± 0.06 mm, y 0.42 ± 0.37 mm",
            "calliper length, centroid of pixel",
        ),
        (KO, 80, "   중심             x 0.45 ± 0.06 mm, y 0.42 ± 0.37 mm", "무게중심"),
        (EN, 30, "   centre  x 0.45 ± 0.06 mm,\n     y 0.42 ± 0.37 mm", "centroid of"),
    ],
)
def test_the_centre_of_the_chosen_finding_is_told(
    language: Language, width: int, said: str, method: str
) -> None:
    centre = Centre(
        xy_px=(4.5, 4.25),
        uncertainty_xy_px=(0.5, 0.25),
        xy_mm=(0.45, 0.425),
        uncertainty_xy_mm=(0.06, 0.37),
        method="centroid of pixel coverage",
    )
    found = TWO.findings[0].model_copy(update={"centre": centre})
    assert said in details(inspection(found), 0, language, width_cells=width).plain
    assert method in " ".join(details(inspection(found), 0, language, width_cells=width).plain.split())
    assert "x 0.45" not in details(inspection(found), None, language, width_cells=width).plain


def test_a_decision_is_told_with_who_when_why_and_what_the_rules_said() -> None:
    decided = overridden(TWO, Verdict.ACCEPT, "only glare", by="kim", at="2026-11-21T17:40:00+09:00")
    text = details(decided, 0, EN).plain
    assert "only glare" in text
    assert "kim, 2026-11-21 17:40" in text
    assert "✗ reject: Scratch is 3.20 mm long" in text


def test_an_agent_is_named_as_one() -> None:
    decided = overridden(TWO, Verdict.REVIEW, "unsure", by="agent", at="2026-11-21T17:40:00+09:00")
    assert "the agent, 2026-11-21" in details(decided, 0, EN).plain
    assert "에이전트, 2026-11-21" in details(decided, 0, KO).plain


def test_all_decisions_are_told_the_last_first() -> None:
    first = Decision(
        image_id="img_001",
        before=Verdict.REJECT,
        verdict=Verdict.ACCEPT,
        reason="only glare",
        by="agent",
        at="2026-11-21T17:30:00+09:00",
    )
    last = first.model_copy(update={"verdict": Verdict.REVIEW, "reason": "taken back", "by": "kim"})
    decided = overridden(TWO, last.verdict, last.reason, by=last.by, at=last.at)
    text = details(decided, 0, EN, decisions=[first, last]).plain
    assert text.count("taken back") == 1
    assert "the agent, 2026-11-21 17:30: ✓ accept: only glare" in text
    assert text.index("taken back") < text.index("only glare")


def test_a_decision_on_what_was_not_inspected_is_told() -> None:
    decision = Decision(
        image_id="img_001", verdict=Verdict.ACCEPT, reason="seen", by="kim", at="2026-11-21T17:30:00+09:00"
    )
    assert headline("img_001", None, EN, [decision]).plain == "✓ ACCEPT  img_001"
    assert "kim, 2026-11-21 17:30: ✓ accept: seen" in details(None, None, EN, decisions=[decision]).plain


def test_an_image_that_cannot_be_read_says_why() -> None:
    text = details(inspection(is_readable=False, verdict=Verdict.REVIEW), None, EN).plain
    assert "the file is cut off" in text
    assert "no findings" not in text


def test_what_was_not_inspected_says_so() -> None:
    assert details(None, None, EN).plain == "Not inspected yet."


@pytest.mark.parametrize("language", list(Language))
@pytest.mark.parametrize("width", [22, 40, 80])
def test_values_and_sentences_are_folded_at_their_spaces(width: int, language: Language) -> None:
    lines = details(TWO, 1, language, width_cells=width).plain.splitlines()
    own = [line for line in lines if line.startswith("   ")]
    assert all(cell_len(line) <= width for line in own)
    assert any("7.5 ± 0.1 mm" in line for line in lines)


def test_a_click_on_a_finding_chooses_it() -> None:
    styles = [str(span.style) for span in details(TWO, 0, EN).spans]
    assert any("choose(1)" in style for style in styles)


def test_a_value_in_a_sentence_stays_whole() -> None:
    described = TWO.findings[0].model_copy(
        update={"description": Description(en="It is 8.38 ± 0.99 mm long, 44 ± 11 mm² large.", ko="")}
    )
    for width in range(24, 44):
        text = details(inspection(described), 0, EN, width_cells=width).plain
        assert "8.38 ± 0.99 mm" in text
        assert "44 ± 11 mm²" in text


@pytest.mark.parametrize(
    ("flag", "language", "said"),
    [
        ("duplicate of img_001", EN, "same content as img_001"),
        ("duplicate of img_001", KO, "img_001 사진과 내용이 같음"),
        ("no scale: no marker", KO, "척도 없음: no marker"),
        ("of another version", KO, "of another version"),
    ],
)
def test_a_remark_is_told_in_words(flag: str, language: Language, said: str) -> None:
    flagged = TWO.model_copy(update={"flags": (flag,)})
    assert said in details(flagged, None, language).plain
