"""Tells an answer in plain words from an announcement of work and from broken code or noise."""

from __future__ import annotations

import re

__all__ = ["announces_work", "answer_in_prose", "without_thinking"]

_THINKING = re.compile(r"<think(?:ing)?>.*?(?:</think(?:ing)?>|\Z)", re.DOTALL | re.IGNORECASE)
_LABEL = re.compile(r"\A[*#_\s]*(?:answer|response|reply|답변?|대답)[*_]*\s*[:：][*_]*\s*", re.IGNORECASE)
_THOUGHT = re.compile(r"\A[*#_\s]*(?:thoughts?|thinking|plan|생각|계획)[*_]*\s*[:：]", re.IGNORECASE)
_PLURAL = re.compile(r"\((?:e?s|들)\)")
# Tags, fences, JSON, calls, assignments and definitions: somebody tried to write a program.
_CODE = re.compile(
    r"</?\w+>|```|^\s*[\[{]|\b[A-Za-z_][\w.]*\(|^\s*[A-Za-z_]\w*\s*[+*/-]?=[^=]"
    r"|^\s*(?:from \w+ )?import \w|^\s*(?:def|for|while|class|if) [^.]*:\s*$",
    re.MULTILINE,
)
_WORD = re.compile(r"[^\W\d_]{2,}")
_STRANGE = re.compile(r"[^\w\s.,;:!?'\"()\[\]/%+*#~°²³×±µ·…–—−“”‘’`|<>=&@$€₩→-]")
_LONGEST_NOISE = 0.05  # share of signs that no sentence has

_WORK = (
    r"(?:see|look|view|open|zoom|screen|inspect|examine|check|measure|locate|analy[sz]e|compare|describe|find"
    r"|detect|determine|identify|review|list|get|load|fetch|run|call|use|execute|perform|write|create|generate"
    r"|prepare|make|produce|start|begin|proceed|continue|process|do|try|go|first|now|then|print|search|record)"
)
_INTENT = re.compile(
    r"\b(?:(?:i|we)(?:['’]ll| will| shall| am going to|['’]m going to| are going to|['’]re going to)"
    r"|let me|let['’]s|let us|(?:i|we) (?:first |now )?(?:need|want|have|plan|intend) to"
    r"|(?:i|we) (?:should|must)|(?:the |my )?(?:next|first) step (?:is|will be) to)"
    rf"\s+(?:(?:now|first|then|next|also|just|quickly|carefully|start by|begin by)\s+)*{_WORK}\b"
    rf"|^(?:now |first,? )?(?:{_WORK[3:-1]})\w*ing\b[^.!?]*(?:\.\.\.|…|now\.?)\s*$",
    re.IGNORECASE | re.MULTILINE,
)
_INTENT_KO = re.compile(
    r"(?<!알)(?<!모르)(?<!좋)(?<!없)(?<!감사하)겠(?:습니다|어요|음)"
    r"|[가-힣](?:게요)(?=[\s.!~]|\Z)|려고 (?:합니다|해요)|도록 하(?:죠|지요)|(?:중입니다|예정입니다)"
)
_ASSENT = re.compile(
    r"(?:(?:sure|ok|okay|of course|certainly|understood|got it|alright|absolutely|right away"
    r"|네|예|알겠습니다|알겠어요|물론입니다|좋습니다|그러죠)[\s.,!~]*)+",
    re.IGNORECASE,
)


def without_thinking(text: str) -> str:
    """Returns an answer without what a reasoning model thought aloud: programs in there are drafts."""
    return _THINKING.sub("", text)


def answer_in_prose(text: str) -> str:
    """Returns what a model says to the user in plain words; nothing where that is no finished answer.

    Broken code, noise, a plan, a bare assent and the announcement of work are none.
    """
    said = without_thinking(text).strip()
    plain = _PLURAL.sub("", said)
    if _CODE.search(plain) or _THOUGHT.match(said) or announces_work(said) or not _is_sentence(said):
        return ""
    return _LABEL.sub("", said)


def announces_work(text: str) -> bool:
    """Returns whether a model says what it is about to do, or just agrees: the work is still to come."""
    said = without_thinking(text).strip()
    is_open = said.endswith((":", "："))
    return is_open or bool(
        _THOUGHT.match(said) or _ASSENT.fullmatch(said) or _INTENT.search(said) or _INTENT_KO.search(said)
    )


def _is_sentence(text: str) -> bool:
    words = _WORD.findall(text)
    is_whole = len(words) >= 3 or bool(words and text.endswith((".", "!", "?", "。", "다", "요")))
    return is_whole and len(_STRANGE.findall(text)) <= _LONGEST_NOISE * len(text)
