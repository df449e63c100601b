from __future__ import annotations

import unicodedata

import pytest

from tools.glossary import find_type, fold, label_name, place_phrase, with_article, with_particle, word
from tools.recipe.file import load_recipe
from tools.records import Language, Quantity, Severity, Verdict


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ("scratch", "scratch"),
        ("Scratches", "scratch"),
        ("SCUFF", "scratch"),
        ("score-line", "scratch"),
        ("긁힘", "scratch"),
        ("기스", "scratch"),
        ("흠집", "scratch"),
        ("스크래치", "scratch"),
        ("스 크래치", "scratch"),
        (unicodedata.normalize("NFD", "흠집"), "scratch"),
        ("찍힘", "dent"),
        ("눌림", "dent"),
        ("덴트", "dent"),
        ("dents", "dent"),
        ("균열", "crack"),
        ("얼룩", "contamination"),
        ("ｄｅｎｔ", "dent"),
        ("먼지", None),
        ("dust", None),
        ("", None),
        ("s", None),
        ("scratched", None),
    ],
)
def test_find_type(said: str, name: str | None) -> None:
    assert find_type(load_recipe(), said) == name


def test_every_word_of_the_bundled_recipe_finds_its_type() -> None:
    recipe = load_recipe()
    for name, defect in recipe.defects.items():
        for known in (name, defect.ko, *defect.synonyms):
            assert find_type(recipe, known) == name


def test_fold_ignores_what_people_vary() -> None:
    assert fold("Tool-Mark") == fold(" tool mark ") == fold("TOOL_MARK")
    assert fold("dent") != fold("bent")


@pytest.mark.parametrize(
    ("noun", "pair", "expected"),
    [
        ("스크래치", "이/가", "스크래치가"),
        ("찍힘", "이/가", "찍힘이"),
        ("크랙", "은/는", "크랙은"),
        ("길이", "은/는", "길이는"),
        ("면적", "을/를", "면적을"),
        ("너비", "과/와", "너비와"),
        ("판정", "과/와", "판정과"),
        ("찍힘", "으로/로", "찍힘으로"),
        ("스크래치", "으로/로", "스크래치로"),
        ("얼룩말", "으로/로", "얼룩말로"),
        (unicodedata.normalize("NFD", "찍힘"), "이/가", unicodedata.normalize("NFD", "찍힘") + "이"),
        ("0.5", "을/를", "0.5를"),
        ("0.3", "을/를", "0.3을"),
        ("img_003-1", "은/는", "img_003-1은"),
        ("img_003-2", "은/는", "img_003-2는"),
        ("0.1", "으로/로", "0.1로"),
        ("0.6", "으로/로", "0.6으로"),
        ("5 mm", "을/를", "5 mm를"),
        ("4 mm²", "과/와", "4 mm²와"),
        ("30 px", "을/를", "30 px을"),
        ("30 px", "으로/로", "30 px로"),
        ("label", "이/가", "label이"),
        ("logo", "이/가", "logo가"),
        ("'찍힘'", "이/가", "'찍힘'이"),
        ("", "이/가", "가"),
    ],
)
def test_korean_particles(noun: str, pair: str, expected: str) -> None:
    assert with_particle(noun, pair) == expected


@pytest.mark.parametrize(
    ("noun", "expected"),
    [
        ("scratch", "a scratch"),
        ("oil spot", "an oil spot"),
        ("unclassified anomaly", "an unclassified anomaly"),
        ("contamination", "contamination"),
        ("suspected rust", "suspected rust"),
        ("Surface porosity", "Surface porosity"),
        ("inclusion", "an inclusion"),
        ("ding", "a ding"),
        ("cavity", "a cavity"),
        ("used tool mark", "a used tool mark"),
        ("unit mark", "a unit mark"),
        ("unidentified spot", "an unidentified spot"),
        ("eutectic spot", "a eutectic spot"),
        ("one-sided burr", "a one-sided burr"),
        ("hourly mark", "an hourly mark"),
        ("honing mark", "a honing mark"),
    ],
)
def test_articles(noun: str, expected: str) -> None:
    assert with_article(noun) == expected


def test_names_fall_back_on_what_the_recipe_has() -> None:
    recipe = load_recipe()
    assert label_name(recipe, "scratch", Language.KO) == "스크래치"
    assert label_name(recipe, "dust", Language.KO) == "먼지"
    assert label_name(recipe, "unclassified", Language.KO) == "미분류 이상"
    assert label_name(recipe, "hole", Language.KO) == "hole"


@pytest.mark.parametrize("language", list(Language))
def test_every_term_has_a_word(language: Language) -> None:
    words = [word(term, language) for kind in (Verdict, Severity, Quantity) for term in kind]
    assert all(words)
    assert len(set(words)) == len(words)


def test_places() -> None:
    assert place_phrase("upper-left", Language.EN) == "at the upper left"
    assert place_phrase("centre", Language.KO) == "중앙"
    assert place_phrase("nowhere", Language.EN) == ""
