"""What the sentences of an answer claim: verdicts on images or on all of them, and a report that was written.

They are read by patterns, in English and Korean; what these do not understand is no claim. Each looks some
characters around a word and no farther, so that the time grows with the length of an answer and no faster.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from tools.records import Verdict

__all__ = ["IMAGE_ID", "VerdictClaim", "report_claims", "verdict_claims"]

IMAGE_ID = re.compile(r"(?<![A-Za-z0-9])img_\d+(?!\d)")

_CLAUSES = re.compile(r"[;,\n]|[.!?](?=\s|$)|\band\b|\bbut\b|그리고|하지만|이고|이며")
_LISTED = re.compile(r"(img_\d+)\s*(?:(?:,\s*)?(?:\band\b|그리고|및)|[,&]|와|과|하고|이랑|랑)\s*(?=img_\d)")
_NO_VERDICT = r"(?!률| ?(?:기준|조건|여부|한도|범위|수\b))"  # 합격 기준 is a criterion, 합격률 a rate
# The longest first: 불합격 holds 합격.
_VERDICT_WORDS = (
    (Verdict.REJECT, re.compile(rf"\breject(?:ed|s|ion)?\b|(?:불합격|불량){_NO_VERDICT}", re.IGNORECASE)),
    # A close review of a part, "review img_003 yourself" and 재검토 결과 say what somebody does, no verdict.
    (
        Verdict.REVIEW,
        re.compile(
            r"(?<!out of )(?<!please )\breview\b(?! (?:of\b|img_\d))|재검토(?! ?(?:한 )?결과)|보류",
            re.IGNORECASE,
        ),
    ),
    (
        Verdict.ACCEPT,
        re.compile(rf"\baccept(?:ed|s)?\b|\bpass(?:ed|es)?\b|(?<!불)합격{_NO_VERDICT}|양품", re.IGNORECASE),
    ),
)

_AROUND = 80  # characters before and after a word that may deny it, or say what it is about
_EXCEPTED = re.compile(
    r"\b(?:except|apart from|besides|other than|the rest)\b|제외|빼고|말고|외에|외의|이외|나머지",
    re.IGNORECASE,
)
_CONDITION = re.compile(r"\b(?:if|unless|whether)\b", re.IGNORECASE)
# English denies before the verdict: "not accepted", "no reason to reject"; but not "no defect: accepted".
_DENIAL = re.compile(
    r"\b(?:not|never|cannot|\w+n['’]t|neither|nor|none|undecided"
    r"|no (?:longer|reasons?|need|one|images?|parts?|pictures?|photos?|pieces?|reports?)"
    r"|(?:would|should|could|can|may|might|shall)"
    r"(?! (?:now |also |clearly )?(?:confirm|report|say|state|tell|see)\b)"
    r"|(?:ask|asked|want|wanted|wish|like|told|tried|unable)(?: me| you)? to)\b",
    re.IGNORECASE,
)
_TURNS = re.compile(
    r"\b(?:so|because|since|with|therefore|thus|hence|which|due)\b|[:(=→—–]| - ", re.IGNORECASE
)
_MOST_DENIED = 5  # words between a denial and what it denies
# Korean denies after the verdict: 합격이 아닙니다; but not 합격이며 결함이 없습니다.
_DENIAL_KO = re.compile(
    r"않|아니|아닙|아님|없|못|거절|거부|취소|실패|\s안 ?[되됩돼됐했합]"
    r"|[일할될] ?수|[인는일할될]지|까요|려면|[이하되라으]면"
)
_TURNS_KO = re.compile(
    r"결함|이상|문제|하자|흠|손상|스크래치|긁|찍|크랙|균열|오염|니다|(?<!라)고\s|며\s|지만|므로|[:(=→—–]| - "
)
_AROUND_KO = 24

_THINGS = r"(?:images?|parts?|pictures?|photos?|pieces?)"
_THINGS_KO = r"(?:이미지|사진|부품|제품)"
_ALL = (
    rf"(?:(?<!of )\b(?:all|every)(?: of)?(?: the| these)?(?: (?P<count>\d+))? {_THINGS}\b"
    r"(?! (?:that|which|with|of)\b)|\beverything\b"
    rf"|(?:모든|전체) ?{_THINGS_KO}(?! ?(?:중|가운데)))"
)
_OF_ALL = re.compile(rf"{_ALL}(?P<between>[^:(\d]*)\Z", re.IGNORECASE)
_FOR_ALL = re.compile(rf"[\s:]*{_ALL}", re.IGNORECASE)
_SOME = re.compile(
    r"\b(?:one|two|three|four|five|some|most|none|few|many|with|where)\b"
    r"|하나|[한두세네] ?[장개건]|일부|대부분|몇",
    re.IGNORECASE,
)
_MOST_BETWEEN = 5  # words between all images and their verdict
# "All pass" and 모두 합격 are of all images only where nothing before them says of which.
_BARE = re.compile(
    r"\W*(?:(?:so|thus|therefore|yes) )?(?:they )?all(?: of them)?(?: (?P<count>\d+))?"
    r"(?: (?:are|were|is|have|been|now)){0,3}\s*"
    r"|\W*(?:(?:따라서|결론적으로|결과적으로|검사 결과|확인 결과) ?)?(?:이번 )?(?:배치[의는]? ?)?(?:총 ?)?"
    rf"(?:{_THINGS_KO}(?:은|는|이|가)? ?)?(?:(?P<count_ko>\d+) ?[장개건점](?:의|은|는|이|가)? ?)?"
    rf"(?:{_THINGS_KO}(?:은|는|이|가)? ?)?(?:모두|전부)(?: ?다)?\s*",
    re.IGNORECASE,
)
_NUMBER = re.compile(r"\d+")

_REPORT = re.compile(r"\breport\b", re.IGNORECASE)
_WRITTEN_AFTER = re.compile(r"\b(?:written|created|generated|saved|made|exported)\b", re.IGNORECASE)
_WRITTEN_BEFORE = re.compile(r"\b(?:wrote|written|created|generated|saved|made|exported)\b", re.IGNORECASE)
_REPORT_KO = re.compile(r"보고서")
_WRITTEN_KO = re.compile(r"만들었|만들어졌|작성했|작성되었|생성했|생성되었|저장했|저장되었|완료")
_WITHOUT_KO = re.compile(r"아니|않|못|(?<!문제)(?<!문제 )(?<!이상 )(?<!이상)(?<!오류)(?<!오류 )없")


class VerdictClaim(NamedTuple):
    """A verdict that a sentence gives.

    Attributes:
        ids: Of the images that it names; none where it speaks of all.
    """

    verdict: Verdict
    ids: tuple[str, ...]


def verdict_claims(answer: str, count: int) -> Iterator[VerdictClaim]:
    """Yields the verdicts that an answer gives to images, or to all of them.

    Args:
        answer: As the user would read it.
        count: Of the images of the batch.
    """
    is_about_some = False
    for clause in _CLAUSES.split(_LISTED.sub(r"\1 ", answer)):
        ids = tuple(IMAGE_ID.findall(clause))
        named = [(verdict, list(words.finditer(clause))) for verdict, words in _VERDICT_WORDS]
        claimed = [(verdict, found) for verdict, found in named if found]
        if len(claimed) == 1 and not _EXCEPTED.search(clause):
            verdict, found = claimed[0]
            stated = [word for word in found if not _is_denied(clause, word)]
            if stated and (ids or any(_is_of_all(clause, each, count, is_about_some) for each in stated)):
                yield VerdictClaim(verdict, ids)
        is_about_some |= bool(ids) or any(each != str(count) for each in _NUMBER.findall(clause))


def report_claims(answer: str) -> Iterator[str]:
    """Yields the clauses that say that a report has been written."""
    for clause in _CLAUSES.split(answer):
        if any(not _is_denied(clause, word) for word in _said_of_report(clause)):
            yield clause


def _said_of_report(clause: str) -> Iterator[re.Match[str]]:
    """Yields the words that say of a report that it is written."""
    first = _REPORT.search(clause)
    if first:
        yield from _WRITTEN_AFTER.finditer(clause, first.end())
        before = _WRITTEN_BEFORE.search(clause)
        if before and _REPORT.search(clause, before.end()):
            yield before
    first = _REPORT_KO.search(clause)
    written = first and _WRITTEN_KO.search(clause, first.end())
    if first and written and not _WITHOUT_KO.search(clause, first.end(), written.start()):
        yield written


def _is_denied(clause: str, word: re.Match[str]) -> bool:
    """Whether a word is denied, asked for or only possible, and not something else in the same clause."""
    before = clause[max(word.start() - _AROUND, 0) : word.start()]
    after = clause[word.end() : word.end() + _AROUND]
    if _CONDITION.search(before) or _CONDITION.search(after):
        return True
    denials = list(_DENIAL.finditer(before))
    if denials:
        between = before[denials[-1].end() :]
        if len(between.split()) <= _MOST_DENIED and not _TURNS.search(between):
            return True
    denial = _DENIAL_KO.search(after, 0, _AROUND_KO)
    return denial is not None and not _TURNS_KO.search(after, 0, denial.start())


def _is_of_all(clause: str, word: re.Match[str], count: int, is_about_some: bool) -> bool:
    """Whether a verdict is that of all images, of which there are so many."""
    before = clause[max(word.start() - _AROUND, 0) : word.start()]
    if found := _OF_ALL.search(before):
        is_near = len(found["between"].split()) <= _MOST_BETWEEN and not _SOME.search(found["between"])
        return is_near and found["count"] in (None, str(count))
    if found := _FOR_ALL.match(clause[word.end() : word.end() + _AROUND]):
        is_verb = word.group().lower() == "review"  # "review all images" looks at them
        return not is_verb and found["count"] in (None, str(count))
    bare = _BARE.fullmatch(before) if word.start() <= _AROUND and not is_about_some else None
    return bare is not None and (bare["count"] or bare["count_ko"] or str(count)) == str(count)
