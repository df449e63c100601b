"""Requests as people write them, with what each one wants: from templates, slots, pairs and noise."""

from __future__ import annotations

import hashlib
import json
import random
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum, auto
from functools import cache
from pathlib import Path

from agent.forge import slots
from agent.forge.noise import babble, dressed, slipped
from agent.forge.programs import SPOKEN
from tools.recipe import Recipe
from tools.records import ImageRecord, Language

__all__ = [
    "BOTH",
    "FOLLOWING",
    "HELD_OUT",
    "THEM",
    "Request",
    "Scope",
    "Share",
    "Wish",
    "in_one",
    "intents",
    "make_pair",
    "make_request",
    "phrasings",
    "share_of",
    "templates",
]

_PHRASES = Path(__file__).parent / "data" / "phrases.jsonl"
_SLOT = re.compile(r"\{(\w+)\}")
_BABBLE = 0.5  # of what means nothing is made up
_HELD_OUT_SHARE = 5  # one in so many templates is kept out of training
_TUNING_SHARE = 2  # and one in so many of these chooses thresholds, so that the others judge them

EN, KO = Language.EN, Language.KO
Wish = tuple[str, dict[str, str]]
"""A key of `PROGRAMS` and what fills its gaps."""

FOLLOWING = frozenset(
    {
        "follow_measure", "follow_reject", "follow_accept", "follow_report", "follow_same", "follow_look",
        "follow_describe", "follow_measure_it", "follow_next", "follow_before", "follow_locate",
        "follow_inspect", "follow_review", "follow_compare", "follow_reject_them", "follow_accept_them",
        "follow_measure_them", "follow_describe_them", "follow_keep_good",
    }
)  # fmt: skip
"""Intents that lean on the turn before."""

THEM = "_them"
"""Ends intents that lean on a turn about several images."""

BOTH = "+"
"""Stands between the two intents of phrasings that want both, as `measure_id+report`."""

_PAIRED = (
    "inspect_all", "inspect_id", "measure_id", "measure_ids", "measure_all", "locate_id", "locate_all",
    "describe_id", "screen_all", "screen_ids", "compare", "count_by_type", "biggest", "images_list", "reject",
    "accept", "review", "report", "report_lot", "report_ids", "findings_type", "measure_over", "decide_two",
    "decide_two_back",
)  # fmt: skip
_LEANING = ("follow_reject", "follow_accept", "follow_same", "follow_describe", "follow_measure_it")
_JOINTS = {
    EN: (
        " and ", ", and ", " and then ", ", then ", ". Then ", "; ", ". ", " + ", ", also ", " & ", ". Also ",
        " and also ", ". After that ", ", plus ", "\n",
    ),
    KO: (
        ", ", " 그리고 ", ". 그리고 ", " 하고 ", ". 그다음 ", " 다음에 ", "; ", ". ", " + ", " 그 다음 ",
        ". 그리고 나서 ", "\n",
    ),
}  # fmt: skip
_TWO_VERDICTS = {
    "decide_two": ("accept", "reject"),
    "decide_two_back": ("reject", "accept"),
    "decide_two_hold": ("reject", "review"),
    "decide_two_doubt": ("accept", "review"),
}
_OF_ONE = {
    "locate_measure": ("locate_id", "measure_id"),
    "describe_measure": ("describe_id", "measure_id"),
    "measure_describe": ("measure_id", "describe_id"),
    "inspect_measure": ("inspect_id", "measure_id"),
    "inspect_describe": ("inspect_id", "describe_id"),
    "inspect_locate": ("inspect_id", "locate_id"),
    "measure_reject": ("measure_id", "reject"),
    "describe_review": ("describe_id", "review"),
    "reject_report": ("reject", "report"),
}  # both of the same images
_OF_ALL = {
    "inspect_report": ("inspect_all", "report"),
    "inspect_biggest": ("inspect_all", "biggest"),
    "inspect_count": ("inspect_all", "count_by_type"),
}
_NAMING = frozenset(
    {"accept", "reject", "review", "search_like", "follow_compare", "follow_same", "follow_measure"}
)
_OF_SEVERAL = frozenset({"keep_good"})  # all images that are named, whatever else is wished
_TO = r" (?:(?:up |on )?to|thru|through|till?|until) | ?(?:-|–|~|\.\.|부터|에서부터|에서 시작해|에서| 이후) ?"
_RANGE = re.compile(
    rf"(?<!compare )\{{id\}}(?:{_TO})\{{id2\}}(?!,? ?(?:[-~&+]|and|or)? ?\{{id3\}})"
    r"|\beverything between \{id\} and \{id2\}"
)  # all between them are meant
_MANY = frozenset(
    {
        "measure_id", "locate_id", "describe_id", "inspect_id", "reject", "accept", "review", *_OF_ONE,
        *_OF_SEVERAL,
    }
)  # fmt: skip


class Share(StrEnum):
    """What templates are for; each is for one thing alone, by its hash."""

    TRAINING = auto()
    TUNING = auto()
    JUDGING = auto()


HELD_OUT = (Share.TUNING, Share.JUDGING)


@dataclass(frozen=True)
class Scope:
    """What a request may speak of.

    Attributes:
        share: Of the templates, what is used. Those held out are used as they stand.
    """

    records: Sequence[ImageRecord]
    recipe: Recipe
    share: Share = Share.TRAINING


@dataclass(frozen=True)
class Request:
    """What somebody says, and what it means."""

    text: str
    language: Language
    intent: str
    wishes: tuple[Wish, ...]

    @property
    def kind(self) -> str:
        """Its intent, or `pair` for any two wishes."""
        return "pair" if BOTH in self.intent else self.intent


@cache
def _phrases() -> dict[tuple[str, str, Share], tuple[str, ...]]:
    found: dict[tuple[str, str, Share], list[str]] = {}
    for line in _PHRASES.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        found.setdefault((row["intent"], row["lang"], share_of(row["text"])), []).append(row["text"])
    return {key: tuple(texts) for key, texts in found.items()}


def share_of(template: str) -> Share:
    """Returns what a template is for: a fifth is kept out of training, half of it for thresholds."""
    rest, held = divmod(int(hashlib.sha256(template.encode()).hexdigest(), 16), _HELD_OUT_SHARE)
    if held:
        return Share.TRAINING
    return Share.JUDGING if rest % _TUNING_SHARE else Share.TUNING


def templates(intent: str, language: Language, *shares: Share) -> tuple[str, ...]:
    """Returns the phrasings of an intent that are for these; none where there are none."""
    found = _phrases()
    return tuple(text for share in shares for text in found.get((intent, language.value, share), ()))


def phrasings(*shares: Share) -> Iterator[str]:
    """Yields all phrasings that are for these, of all intents and of both languages."""
    return (text for (_, _, share), texts in _phrases().items() if share in shares for text in texts)


@cache
def intents(language: Language) -> tuple[str, ...]:
    """Returns the intents that a language has phrasings for, but for those of any two wishes (`in_one`)."""
    return tuple(
        sorted({intent for intent, of, _ in _phrases() if of == language.value and BOTH not in intent})
    )


@cache
def in_one(language: Language, share: Share, *, leans: bool) -> tuple[tuple[str, ...], tuple[int, ...]]:
    """Returns the intents of any two wishes that there are phrasings for, and how many.

    Args:
        language: Of the phrasings.
        share: Of the phrasings.
        leans: Whether a wish may lean on the turn before.
    """
    found = {
        intent: len(texts)
        for (intent, of, part), texts in _phrases().items()
        if BOTH in intent
        and of == language.value
        and part is share
        and (leans or FOLLOWING.isdisjoint(intent.split(BOTH)))
    }
    return tuple(found), tuple(found.values())


def make_request(
    rng: random.Random, scope: Scope, language: Language, intent: str, *, is_noisy: bool = True
) -> Request:
    """Makes a request of an intent or of two (`BOTH`); what `FOLLOWING` ones wish is a later matter."""
    if intent == "gibberish" and is_noisy and rng.random() < _BABBLE:
        return Request(babble(rng, language), language, intent, (("gibberish", {}),))
    others = (each for each in (Share.TUNING, Share.JUDGING, Share.TRAINING) if each is not scope.share)
    candidates = (templates(intent, language, share) for share in (scope.share, *others))
    plain = rng.choice(next(texts for texts in candidates if texts))
    template = slipped(rng, dressed(rng, plain, language)) if is_noisy else plain
    spelled, values = _filled(rng, scope, language, intent, template)
    return Request(spelled, language, intent, tuple(_wishes(intent, values, language)))


def make_pair(rng: random.Random, scope: Scope, language: Language, *, leans: bool = False) -> Request:
    """Makes a request of two wishes in one sentence, or in two.

    Args:
        rng: Chooses.
        scope: What it may speak of.
        language: Of the user.
        leans: Whether the first wish leans on the turn before.
    """
    opening = rng.choice(_LEANING if leans else _PAIRED)
    first, second = (make_request(rng, scope, language, intent) for intent in (opening, rng.choice(_PAIRED)))
    tail = second.text
    if language is EN and rng.random() < 0.8 and not tail[:2].isupper():
        tail = tail[:1].lower() + tail[1:]
    text = first.text.rstrip(".!~ ") + rng.choice(_JOINTS[language]) + tail
    return replace(first, text=text, intent="pair", wishes=(*first.wishes, *second.wishes))


def _filled(
    rng: random.Random, scope: Scope, language: Language, intent: str, template: str
) -> tuple[str, dict[str, str]]:
    """Fills the gaps of a template; returns the text, and per gap what a program says for it."""
    names = dict.fromkeys(_SLOT.findall(template))
    spelled: dict[str, str] = {}
    values: dict[str, str] = {}
    takes_several = intent.endswith("_ids") or not _OF_SEVERAL.isdisjoint(intent.split(BOTH))
    if takes_several and _RANGE.search(template) and len(scope.records) > 2:
        (spelled["id"], spelled["id2"]), codes = slots.stretch(rng, scope.records)
        values["id"] = ", ".join(codes)
    elif "id2" in names:
        wanted = [name for name in ("id", "id2", "id3") if name in names]
        chosen = slots.images(rng, scope.records, language, len(wanted))
        chosen += [chosen[-1]] * (len(wanted) - len(chosen))
        for name, (text, code) in zip(wanted, chosen, strict=True):
            spelled[name], values[name] = text, code
    elif "id" in names:
        is_bare = intent == "name_of" or bool(
            re.search(r"\{id\}번|(?:image|img|picture|photo|part|number|no\.|#) ?\{id\}", template)
        )
        if intent in _MANY and not is_bare and len(scope.records) > 2 and rng.random() < 0.12:
            spelled["id"], codes = slots.listed(rng, scope.records, language)
            values["id"] = ", ".join(codes)
        else:
            spelled["id"], values["id"] = slots.one_image(rng, scope.records, language, is_bare=is_bare)
    if "row" in names:
        spelled["row"], spelled["column"], values["id"] = slots.place(rng, scope.records)
    makers: dict[str, Callable[[], tuple[str, str]]] = {
        "thr": lambda: slots.threshold(rng, language),
        "type": lambda: slots.type_name(rng, scope.recipe, language),
        "lot": lambda: (slots.lot(rng),) * 2,
        "mm": lambda: (slots.millimetres(rng),) * 2,
        "phrase": lambda: (slots.phrase(rng, language),) * 2,
    }
    for name in names:
        if name in makers:
            spelled[name], values[name] = makers[name]()
    return _SLOT.sub(lambda gap: spelled.get(gap[1], gap[0]), template), values


def _wishes(intent: str, values: dict[str, str], language: Language) -> list[Wish]:
    wanted = (_OF_ONE | _OF_ALL).get(intent) or tuple(intent.split(BOTH))
    if len(wanted) == 1:
        return [_wish(intent, values, language)]
    return [
        _wish(each, _own(each, values, which), language) for which, each in zip((0, -1), wanted, strict=True)
    ]


def _own(intent: str, values: dict[str, str], which: int) -> dict[str, str]:
    """What one of two wishes takes: of two images the first or the last; a report is on all of them."""
    if intent in ("compare", *_TWO_VERDICTS, *_OF_SEVERAL):
        return values
    images = [values[name] for name in ("id", "id2") if name in values]
    rest = {name: value for name, value in values.items() if name not in ("id", "id2")}
    return {**rest, "id": images[which]} if images and (intent in _NAMING or intent.endswith("_id")) else rest


def _wish(intent: str, values: dict[str, str], language: Language) -> Wish:
    stem, _, of = intent.partition("_")
    some = [values[name] for name in ("id", "id2", "id3") if name in values]
    plain = {
        "images_list": "images",
        "findings_type": "of_type",
        "count_type": "of_type",
        "which_decide": "which",
    }
    if intent in _OF_SEVERAL:
        return intent, {"ids": _many(some)}
    if intent == "sheet_at":
        return intent, {"image": values["id"]}
    if of == "bad":
        return intent, {"more": ', language="ko"' if language is KO and stem != "measure" else ""}
    if intent in ("accept", "reject", "review"):
        return _decision(intent, values, language)
    if intent in _TWO_VERDICTS:
        first, second = _TWO_VERDICTS[intent]
        spoken = {"verdict": first, "second": second, "reason": SPOKEN[language]}
        return "decide_two", {"id": values["id"], "other": values["id2"], **spoken}
    if intent == "inspect_id" and len(some) == 1 and "," not in some[0]:
        return "inspect_one", {"id": some[0]}
    if stem == "describe":
        spoken_ko = language is KO or of == "id_ko"
        return "describe", {
            "ids": ", ".join(filter(None, (_many(some), 'language="ko"' if spoken_ko else "")))
        }
    if intent in ("screen_thr", "inspect_thr"):
        return intent, {"thr": values["thr"]}
    if stem in ("inspect", "screen", "locate", "measure") and of not in ("over", "type"):
        return stem, {"ids": _many(some)}
    if intent == "measure_over":
        return ("type_over" if "type" in values else intent), {
            k: values[k] for k in ("mm", "type") if k in values
        }
    if stem == "report":
        return "report", {"options": _options(values, {"ko": KO, "lot_ko": KO, "en": EN}.get(of, language))}
    if intent == "compare":
        return intent, {"id": values["id"], "other": values["id2"]}
    renamed = {"id": values.get("id", ""), "text": values.get("phrase", ""), "type": values.get("type", "")}
    return plain.get(intent, intent), {name: value for name, value in renamed.items() if value}


def _decision(verdict: str, values: dict[str, str], language: Language) -> Wish:
    return "decide", {"several": values["id"], "verdict": verdict, "reason": SPOKEN[language]}


def _many(some: Sequence[str]) -> str:
    """Ids as the argument of a tool: nothing, one string, or a list."""
    flat = ", ".join(dict.fromkeys(some))
    return f"[{flat}]" if "," in flat else flat


def _options(values: dict[str, str], language: Language) -> str:
    some = [values[name] for name in ("id", "id2", "id3") if name in values]
    is_part = "id2" in values or "," in values.get("id", "")
    parts = (
        f'lot="{values["lot"]}"' if "lot" in values else "",
        f"ids={_many(some)}" if is_part else "",
        'language="ko"' if language is KO else "",
    )
    return ", ".join(part for part in parts if part)
