from __future__ import annotations

import ast
import random
import re
from pathlib import PurePosixPath

import pytest

from agent.forge import language as forge_language
from agent.forge import slots
from agent.forge.cases import make_case
from agent.forge.language import (
    BOTH,
    FOLLOWING,
    HELD_OUT,
    Scope,
    Share,
    in_one,
    intents,
    make_pair,
    make_request,
    phrasings,
    share_of,
    templates,
)
from agent.forge.noise import babble, dressed, slipped
from agent.forge.programs import joined
from tools.records import Language

CASE = make_case(random.Random(3), 12)
SCOPE = Scope(CASE.records, CASE.recipe)
PATHS = [PurePosixPath(record.name) for record in CASE.records]
NAMES = {f"img_{number:03d}" for number in range(1, 100)}  # some are asked about that are not there
NAMES |= {name for path in PATHS for name in (str(path), path.name, path.stem)}


@pytest.mark.parametrize("language", [*Language])
def test_every_request_means_a_program(language: Language) -> None:
    rng = random.Random(1)
    for intent in intents(language):
        for _ in range(8):
            request = make_request(rng, SCOPE, language, intent)
            assert "{" not in request.text
            if intent not in FOLLOWING:
                ast.parse(joined(list(request.wishes), language))


@pytest.mark.parametrize("language", [*Language])
def test_what_a_pair_of_wishes_names_stands_in_its_wishes(
    language: Language, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = random.Random(17)
    pairs, _ = in_one(language, Share.TRAINING, leans=True)
    for intent, template in [
        (pair, each) for pair in pairs for each in templates(pair, language, *Share)[:6]
    ]:
        monkeypatch.setattr(forge_language, "templates", lambda *_, only=template: (only,))
        request = make_request(rng, SCOPE, language, intent, is_noisy=False)
        monkeypatch.undo()
        assert len(request.wishes) == 2
        said = str([given for _, given in request.wishes])
        assert ("lot=" in said) is ("{lot}" in template)
        assert len(NAMES & set(re.findall(r'"([^"]+)"', said))) == sum(
            gap in template for gap in ("{id}", "{id2}", "{id3}")
        )


def test_a_fifth_of_the_phrasings_is_held_out_and_never_trained_on() -> None:
    known, tuning, judging = ({*phrasings(share)} for share in (Share.TRAINING, *HELD_OUT))
    held = tuning | judging
    assert not known & held
    assert 0.17 < len(held) / len(known | held) < 0.23
    assert {share_of(text) for text in held} == {*HELD_OUT}
    assert not tuning & judging  # what chose thresholds does not judge them
    assert 0.4 < len(judging) / len(held) < 0.6


def test_a_held_out_request_is_a_held_out_template_as_it_stands() -> None:
    rng = random.Random(2)
    scope = Scope(CASE.records, CASE.recipe, share=Share.JUDGING)
    texts = templates("report", Language.EN, Share.JUDGING)
    for _ in range(20):
        assert make_request(rng, scope, Language.EN, "report", is_noisy=False).text in texts


@pytest.mark.parametrize("language", [*Language])
def test_what_is_copied_survives_noise(language: Language) -> None:
    rng = random.Random(5)
    for _ in range(60):
        request = make_request(rng, SCOPE, language, "report_lot")
        [(_, given)] = request.wishes
        found = re.search(r'lot="([^"]+)"', given["options"])
        assert found
        assert found[1] in request.text


@pytest.mark.parametrize("language", [*Language])
def test_noise_leaves_slots_alone(language: Language) -> None:
    rng = random.Random(6)
    for _ in range(200):
        text = slipped(rng, dressed(rng, "please measure {id} and {id2} 사진 크기 재줘", language))
        assert re.findall(r"\{\w+\}", text) == ["{id}", "{id2}"]


@pytest.mark.parametrize("language", [*Language])
def test_a_pair_holds_the_wishes_of_both(language: Language) -> None:
    rng = random.Random(7)
    for _ in range(40):
        request = make_pair(rng, SCOPE, language)
        assert len(request.wishes) == 2
        ast.parse(joined(list(request.wishes), language))


@pytest.mark.parametrize(
    ("intent", "tools"),
    [
        ("locate_measure", ["locate", "measure"]),
        ("inspect_describe", ["inspect", "describe"]),
        ("measure_reject", ["measure", "decide"]),
        ("describe_review", ["describe", "decide"]),
    ],
)
@pytest.mark.parametrize("language", [*Language])
def test_two_wishes_about_one_image_are_about_the_same(
    intent: str, tools: list[str], language: Language
) -> None:
    rng = random.Random(14)
    for _ in range(40):
        code = joined(list(make_request(rng, SCOPE, language, intent).wishes), language)
        assert [tool for tool in re.findall(r"(\w+)\(", code) if tool in tools] == tools
        named = re.findall(r'"(?:img_\d+|[^"\s]+\.\w{3,4})"', code)
        assert len(set(named)) * 2 == len(named)


@pytest.mark.parametrize(
    ("intent", "calls"),
    [
        ("measure_id+report_lot", [("measure", 1), ("write_report", 0)]),
        ("locate_id+reject", [("locate", 1), ("decide", 1)]),
        ("review+screen_all", [("decide", 1), ("screen", 0)]),
        ("compare+reject", [("compare", 2), ("decide", 1)]),
        ("measure_id+compare", [("measure", 1), ("compare", 2)]),
        ("inspect_all+report_lot_ko", [("inspect", 0), ("write_report", 0)]),
    ],
)
@pytest.mark.parametrize("language", [*Language])
def test_two_wishes_in_one_request_take_the_images_that_are_theirs(
    intent: str, calls: list[tuple[str, int]], language: Language
) -> None:
    rng = random.Random(16)
    for _ in range(30):
        request = make_request(rng, SCOPE, language, intent)
        code = joined(list(request.wishes), language)
        made = [
            (tool, len(NAMES & set(re.findall(r'"([^"]+)"', line))))
            for line in code.splitlines()
            for tool in re.findall(r"= \[?(\w+)\(", line)
            if tool in dict(calls)
        ]
        assert made == calls
        if intent == "compare+reject":
            one, other = re.findall(r"compare\((\".+\"), (\".+\")\)", code)[0]
            assert f"for each in [{other}]" in code
            assert one != other


@pytest.mark.parametrize("language", [*Language])
@pytest.mark.parametrize("share", [*Share])
def test_pairs_that_somebody_wrote_lean_only_where_they_may(language: Language, share: Share) -> None:
    alone, any_of = (in_one(language, share, leans=leans) for leans in (False, True))
    assert set(alone[0]) < set(any_of[0])
    assert sum(alone[1]) > 50
    for intent in any_of[0]:
        leaning = any(part in FOLLOWING for part in intent.split(BOTH))
        assert leaning is (intent not in alone[0])


def test_a_report_after_a_rejection_is_on_all_images() -> None:
    rng = random.Random(15)
    for language in [*Language] * 40:
        first, (wish, given) = make_request(rng, SCOPE, language, "reject_report").wishes
        assert (first[0], first[1]["verdict"], wish) == ("decide", "reject", "report")
        assert "ids=" not in given["options"]


def test_a_korean_request_for_a_report_asks_for_a_korean_one() -> None:
    rng = random.Random(8)
    for intent, is_korean in (("report", True), ("report_ko", True), ("report_en", False)):
        [(_, given)] = make_request(rng, SCOPE, Language.KO, intent).wishes
        assert ('language="ko"' in given["options"]) is is_korean


def test_lots_hold_a_digit_and_nothing_that_code_would_trip_over() -> None:
    rng = random.Random(9)
    for _ in range(300):
        assert re.fullmatch(r"[A-Za-z0-9./_-]*\d[A-Za-z0-9./_-]*", slots.lot(rng))


def test_a_threshold_is_written_as_a_fraction() -> None:
    rng = random.Random(10)
    for language in [*Language] * 100:
        said, code = slots.threshold(rng, language)
        number = re.match(r"[\d.]+", said)
        assert number
        value = float(number[0]) / (100 if number[0] != said else 1)
        assert value == pytest.approx(float(code))


@pytest.mark.parametrize("language", [*Language])
def test_a_range_names_all_images_in_it(language: Language) -> None:
    rng = random.Random(11)
    for _ in range(80):
        text, codes = slots.listed(rng, CASE.records, language)
        numbers = [int(code.strip('"').removeprefix("img_")) for code in codes]
        written = [int(number) for number in re.findall(r"\d+", text)]
        if len(written) == 2 < len(numbers):
            assert numbers == list(range(written[0], written[1] + 1))
        else:
            assert written == numbers


@pytest.mark.parametrize("language", [*Language])
def test_babble_is_no_phrasing(language: Language) -> None:
    rng = random.Random(12)
    known = {text for intent in intents(language) for text in templates(intent, language, Share.TRAINING)}
    said = [babble(rng, language) for _ in range(300)]
    assert all(said)
    assert sum(text in known for text in said) < 10  # a lone symbol or particle may be listed as gibberish


def test_from_one_image_to_another_means_all_between() -> None:
    rng = random.Random(13)
    end = r"((?:img_)?\d+)"
    found = 0
    for _ in range(400):
        request = make_request(rng, SCOPE, Language.EN, "screen_ids", is_noisy=False)
        if ends := re.search(
            rf"\b{end} (?:(?:up )?to|thr(?:u|ough)|till) {end}\b", request.text, re.IGNORECASE
        ):
            first, last = (int(each.upper().removeprefix("IMG_")) for each in ends.groups())
            names = ", ".join(f'"img_{n:03d}"' for n in range(first, last + 1))
            assert request.wishes == (("screen", {"ids": f"[{names}]"}),)
            found += 1
    assert found > 10


@pytest.mark.parametrize("language", [*Language])
def test_noise_keeps_questions_and_orders_apart(language: Language) -> None:
    rng = random.Random(13)
    for _ in range(200):
        assert "?" in slipped(rng, dressed(rng, "accept {id}?", language))
        assert "?" not in slipped(rng, dressed(rng, "accept {id}", language))
