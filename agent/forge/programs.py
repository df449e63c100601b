"""What the pocket model should write: a short program per wish, and how two wishes become one program.

A program computes rows and says them in an f-string, so that the model copies ids and limits from the
request, but never a result. `$name` stands for what is copied; all else is the same each time.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from string import Template

from tools.records import Language

__all__ = ["PROGRAMS", "SPOKEN", "Program", "after_error", "joined", "pieces", "written"]

EN, KO = Language.EN, Language.KO


@dataclass(frozen=True)
class Program:
    """Statements, and an expression per language that says what they found.

    Attributes:
        body: Lines before the answer; empty where there is nothing to compute.
        en, ko: A Python expression, the text of the answer.
    """

    body: str
    en: str
    ko: str

    def says(self, language: Language) -> str:
        """Returns the expression in a language."""
        return self.ko if language is KO else self.en


_JUDGED = """\
reject = [f"{row['id']} ({row['reason']})" for row in rows if row["verdict"] == "reject"]
review = [f"{row['id']} ({row['reason']})" for row in rows if row["verdict"] == "review"]
accept = [row["id"] for row in rows if row["verdict"] == "accept"]
"""
_JUDGED_EN = (
    """f"Of {len(rows)} images, {len(accept)} pass, {len(reject)} fail, {len(review)} need a look.\\n"""
    """Reject: {'; '.join(reject) or 'none'}\\nReview: {'; '.join(review) or 'none'}\\n"""
    """Accept: {', '.join(accept) or 'none'}\""""
)
_JUDGED_KO = (
    """f"이미지 {len(rows)}장 가운데 합격 {len(accept)}장, 불합격 {len(reject)}장, """
    """재검토 {len(review)}장입니다.\\n"""
    """불합격: {'; '.join(reject) or '없음'}\\n재검토: {'; '.join(review) or '없음'}\\n"""
    """합격: {', '.join(accept) or '없음'}\""""
)
_SCREENED = """\
rows.sort(key=lambda row: row.get("suspicion", 0), reverse=True)
said = [f"{row['id']} {row.get('suspicion', '?')} {row.get('label', '?')}, {row['status']}" for row in rows]
"""
_SIZED = (
    """said = [f"{row['finding']}: {row['type']}, {row['length']} x {row['width']} {row['unit']}"""
    """ (±{row['uncertainty']})" if row.get("unit") else f"{row['id']}: ?" for row in rows]\n"""
)
_PAST = (
    """said = [f"{row['name']}, lot {row['lot'] or '?'}: {row['verdict']},"""
    """ {', '.join(row['types']) or '-'}" for row in rows]\n"""
)
_PAST_EN = """f"{len(rows)} past cases: {'; '.join(said) or 'none'}\""""
_PAST_KO = """f"과거 사례 {len(rows)}건: {'; '.join(said) or '없음'}\""""
_RECORDED_EN = """"; ".join(f"{row['id']} is now on record as {row['verdict']}" for row in rows)"""
_RECORDED_KO = """"; ".join(f"{row['id']} 판정을 {ko[row['verdict']]}으로 기록했습니다" for row in rows)"""
_KO_WORDS = 'ko = {"accept": "합격", "reject": "불합격", "review": "재검토"}\n'
_OF_TYPE = """\
inspect()
rows = [row for row in findings() if row["type"] == "$type"]
said = [f"{row['finding']} ({row['place']})" for row in rows]
"""
_BAD = 'bad = [row["id"] for row in inspect() if row["verdict"] == "reject"]\n'
_LONGEST = """\
rows = [row for row in measure() if row["length"]]
rows.sort(key=lambda row: row["length"], reverse=True)
said = [f"{row['finding']}: {row['type']}, {row['length']} {row['unit']}" for row in rows[:1]]
"""

_LISTED = """f"{len(rows)} images: {', '.join(row['id'] + ' ' + row['name'] for row in rows)}\""""
_HELP_EN = (
    "I inspect the photographs of this batch: I screen, locate and measure defects, describe and compare "
    "parts, decide verdicts on your word and write the report. Try: inspect everything; measure the "
    "defects; write the report."
)
_HELP_KO = (
    "이 배치의 사진을 검사합니다. 선별, 결함 위치와 크기 측정, 설명, 비교를 하고, 지시에 따라 판정을 "
    "기록하고 보고서를 만듭니다. 예: 전체 검사해 줘, 결함 크기 재 줘, 보고서 만들어 줘."
)

PROGRAMS: dict[str, Program] = {
    "inspect": Program(f"rows = inspect($ids)\n{_JUDGED}", _JUDGED_EN, _JUDGED_KO),
    "inspect_one": Program(
        "row = inspect($id)[0]\n",
        """f"{row['id']}: {row['verdict']}. {row['reason']}\"""",
        """f"{row['id']}: {{'accept': '합격', 'reject': '불합격', 'review': '재검토'}[row['verdict']]}."""
        """ {row['reason']}\"""".replace("{{", "{ {"),
    ),
    "inspect_thr": Program(f"rows = inspect(threshold=$thr)\n{_JUDGED}", _JUDGED_EN, _JUDGED_KO),
    "screen": Program(
        f"rows = screen($ids)\n{_SCREENED}",
        """f"Most suspect first: {'; '.join(said)}\"""",
        """f"의심도가 높은 순서: {'; '.join(said)}\"""",
    ),
    "screen_thr": Program(
        'rows = screen(threshold=$thr)\nhits = [row["id"] for row in rows if row["status"] == "suspect"]\n',
        """f"{len(hits)} of {len(rows)} images are suspect at this threshold:"""
        """ {', '.join(hits) or 'none'}\"""",
        """f"이 기준에서 {len(rows)}장 가운데 {len(hits)}장이 의심됩니다: {', '.join(hits) or '없음'}\"""",
    ),
    "locate": Program(
        "rows = locate($ids)\n"
        """said = [f"{row['finding']}: {row['type']} at {row['box_xyxy_px']}" if "finding" in row else"""
        """ f"{row['id']}: ?" for row in rows]\n""",
        '"\\n".join(said) or "No defect was located."',
        '"\\n".join(said) or "결함 위치를 찾지 못했습니다."',
    ),
    "measure": Program(
        f"rows = measure($ids)\n{_SIZED}",
        '"\\n".join(said) or "There is no defect to measure."',
        '"\\n".join(said) or "측정할 결함이 없습니다."',
    ),
    "describe": Program(
        "rows = describe($ids)\n"
        """said = [f"{row['id']}: {row.get('text') or row['reason']}" for row in rows]\n""",
        '"\\n".join(said)',
        '"\\n".join(said)',
    ),
    "measure_bad": Program(
        f"{_BAD}rows = measure(bad) if bad else []\n{_SIZED}",
        '"\\n".join(said) or ("There is no defect to measure." if bad else "No image is rejected.")',
        '"\\n".join(said) or ("측정할 결함이 없습니다." if bad else "불합격 이미지가 없습니다.")',
    ),
    "describe_bad": Program(
        f"{_BAD}rows = describe(bad$more) if bad else []\n"
        """said = [f"{row['id']}: {row.get('text') or row['reason']}" for row in rows]\n""",
        '"\\n".join(said) or "No image is rejected."',
        '"\\n".join(said) or "불합격 이미지가 없습니다."',
    ),
    "report_bad": Program(
        f"{_BAD}row = write_report(ids=bad$more) if bad else {{}}\n",
        """f"The report on {row['images']} images is written: {row['report']}" if bad else"""
        """ "No image is rejected.\"""",
        """f"이미지 {row['images']}장의 보고서를 만들었습니다: {row['report']}" if bad else"""
        """ "불합격 이미지가 없습니다.\"""",
    ),
    "look": Program("look($id)\n", "", ""),
    "look_worst": Program(
        'rows = screen()\nworst = max(rows, key=lambda row: row.get("suspicion", 0))\nlook(worst["id"])\n',
        "",
        "",
    ),
    "examine": Program(
        "row = examine($id)\n",
        """f"{row['id']}: the vision model proposes {len(row['candidates'])} more candidates.\"""",
        """f"{row['id']}: 비전 모델이 후보 {len(row['candidates'])}건을 더 제시합니다.\"""",
    ),
    "compare": Program(
        "row = compare($id, $other)\n"
        """said = [f"{each['what']}: {each[row['id']]} / {each[row['other']]}\""""
        """ for each in row["differences"]]\n""",
        """f"{row['id']} / {row['other']}: similarity {row['similarity']};"""
        """ differences: {'; '.join(said) or '-'}\"""",
        """f"{row['id']} / {row['other']}: 유사도 {row['similarity']}, 차이: {'; '.join(said) or '-'}\"""",
    ),
    "search_like": Program(f"rows = search(like=$id)\n{_PAST}", _PAST_EN, _PAST_KO),
    "search_text": Program(f'rows = search(text="$text")\n{_PAST}', _PAST_EN, _PAST_KO),
    "images": Program(
        "rows = images()\n", _LISTED, _LISTED.replace("{len(rows)} images", "이미지 {len(rows)}장")
    ),
    "name_of": Program(
        'rows = [row for row in images() if row["id"] == $id]\n',
        """rows[0]["id"] + ": " + rows[0]["name"] if rows else "There is no such image.\"""",
        """rows[0]["id"] + ": " + rows[0]["name"] if rows else "그런 이미지가 없습니다.\"""",
    ),
    "verdicts": Program(
        "rows = images()\n"
        """said = [f"{row['id']} {row['verdict']}" for row in rows if row["verdict"]]\n""",
        """f"{len(said)} of {len(rows)} images have a verdict: {', '.join(said) or 'none'}\"""",
        """f"{len(rows)}장 가운데 {len(said)}장이 판정되었습니다: {', '.join(said) or '없음'}\"""",
    ),
    "of_type": Program(
        _OF_TYPE,
        """f"{len(rows)} found: {', '.join(said) or 'none'}\"""",
        """f"{len(rows)}건: {', '.join(said) or '없음'}\"""",
    ),
    "count_by_type": Program(
        "inspect()\ncounts = {}\nfor row in findings():\n"
        '    counts[row["type"]] = counts.get(row["type"], 0) + 1\n'
        "ranked = sorted(counts.items(), key=lambda pair: pair[1], reverse=True)\n",
        """", ".join(f"{name}: {count}" for name, count in ranked) or "No defect was found.\"""",
        """", ".join(f"{name}: {count}건" for name, count in ranked) or "결함이 없습니다.\"""",
    ),
    "measure_over": Program(
        f'rows = [row for row in measure() if row["unit"] == "mm" and row["length"] > $mm]\n{_SIZED}',
        """f"{len(rows)} are longer: {'; '.join(said) or 'none'}\"""",
        """f"{len(rows)}건이 초과합니다: {'; '.join(said) or '없음'}\"""",
    ),
    "type_over": Program(
        'rows = [row for row in measure() if row["unit"] == "mm" and row["length"] > $mm]\n'
        f'rows = [row for row in rows if row["type"] == "$type"]\n{_SIZED}',
        """f"{len(rows)} are longer: {'; '.join(said) or 'none'}\"""",
        """f"{len(rows)}건이 초과합니다: {'; '.join(said) or '없음'}\"""",
    ),
    "biggest": Program(
        _LONGEST,
        """f"The biggest is {said[0]}" if said else "There is no defect to measure.\"""",
        """f"가장 큰 결함은 {said[0]}입니다." if said else "측정할 결함이 없습니다.\"""",
    ),
    "measure_type": Program(
        f'rows = [row for row in measure() if row["type"] == "$type"]\n{_SIZED}',
        '"\\n".join(said) or "There is no defect to measure."',
        '"\\n".join(said) or "측정할 결함이 없습니다."',
    ),
    "biggest_type": Program(
        _LONGEST.replace(
            '["length"]]', '["length"]]\nrows = [row for row in rows if row["type"] == "$type"]'
        ),
        """f"The biggest is {said[0]}" if said else "There is no defect to measure.\"""",
        """f"가장 큰 결함은 {said[0]}입니다." if said else "측정할 결함이 없습니다.\"""",
    ),
    "decide": Program(
        'rows = [decide(each, "$verdict", "$reason") for each in [$several]]\n', _RECORDED_EN, _RECORDED_KO
    ),
    "decide_two": Program(
        'rows = [decide($id, "$verdict", "$reason"), decide($other, "$second", "$reason")]\n',
        _RECORDED_EN,
        _RECORDED_KO,
    ),
    "keep_good": Program(
        "row = keep_good($ids)\n",
        """f"{row['added']} new good parts, {row['good_parts']} in all. {row['remark'] or ''}\"""",
        """f"양품 {row['added']}장을 새로 기억했습니다. 모두 {row['good_parts']}장입니다."""
        """{' 기준을 정하기에는 아직 적습니다.' if row['remark'] else ''}\"""",
    ),
    "report": Program(
        "row = write_report($options)\n",
        """f"The report on {row['images']} images is written: {row['report']}\"""",
        """f"이미지 {row['images']}장의 보고서를 만들었습니다: {row['report']}\"""",
    ),
    "help": Program("", f'"{_HELP_EN}"', f'"{_HELP_KO}"'),
    "out_of_scope": Program(
        "",
        'decline("I only inspect the photographs of this batch; I cannot help with that.")',
        'decline("저는 이 배치의 사진 검사만 합니다. 그 요청은 도와드릴 수 없습니다.")',
    ),
    "unsafe": Program(
        "",
        'decline("I will not do that: records stay true, and I touch nothing but this inspection.")',
        'decline("그것은 하지 않겠습니다. 기록은 사실대로 두며, 이 검사 밖의 것은 다루지 않습니다.")',
    ),
    "gibberish": Program(
        "",
        '"I did not understand that. You can say, for example: inspect everything; measure the defects; '
        'write the report."',
        '"이해하지 못했습니다. 예를 들어 이렇게 말씀해 주세요: '
        '전체 검사해 줘, 결함 크기 재 줘, 보고서 만들어 줘."',
    ),
    "which": Program(
        "",
        '"Which image do you mean? Please name its id."',
        '"어느 이미지를 말씀하시나요? 번호를 알려 주세요."',
    ),
    "sheet_at": Program(
        "", '"That is $image on the contact sheet."', '"콘택트 시트의 그 자리는 $image입니다."'
    ),
    "thanks": Program("", '"You are welcome. What is next?"', '"천만에요. 다음은 무엇을 할까요?"'),
    "no_ledger": Program(
        "",
        '"This session keeps no record of past cases, so there is nothing to search."',
        '"이 세션은 과거 사례를 기록하지 않아 검색할 수 없습니다."',
    ),
    "no_eyes": Program(
        "",
        '"No vision model can be asked here; locate and look work without one."',
        '"여기서는 비전 모델에 물을 수 없습니다. 위치 찾기와 보기는 가능합니다."',
    ),
    "no_image": Program(
        "",
        '"There is no such image; the ids run from $first to $last."',
        '"그런 이미지가 없습니다. 번호는 $first부터 $last까지입니다."',
    ),
    "only_image": Program(
        "",
        '"There is no such image; the only one is $first."',
        '"그런 이미지가 없습니다. $first 하나뿐입니다."',
    ),
    "unreadable": Program(
        "",
        '"$image cannot be read, so nothing was done with it."',
        '"$image 파일을 읽을 수 없어 처리하지 못했습니다."',
    ),
    "failed": Program(
        "",
        '"That did not work: the tool reported an error."',
        '"처리하지 못했습니다. 도구에서 오류가 났습니다."',
    ),
}
"""A program per wish; `look` and `look_worst` answer at the next step, with `describe`."""

SPOKEN = {
    EN: "the user asked for it",
    KO: "사용자 지시",
}
"""What goes on record as the reason of a decision."""

_JOINT = "first = $say\n"
_LAST = "final_answer($say)"
_BOTH = 'final_answer(first + "\\n" + ($say))'


def written(wish: str, slots: Mapping[str, str], language: Language) -> str:
    """Returns the code of one wish.

    Args:
        wish: A key of `PROGRAMS`.
        slots: What is copied, by name.
        language: Of the answer.
    """
    return _filled(_template([wish], language), [slots])


def joined(wishes: list[tuple[str, Mapping[str, str]]], language: Language) -> str:
    """Returns the code of two wishes, one after the other."""
    return _filled(_template([wish for wish, _ in wishes], language), [slots for _, slots in wishes])


def after_error(error: str) -> tuple[str, dict[str, str]]:
    """Returns the wish that answers an error of a tool, with its slots."""
    import re

    if valid := re.search(r"valid ids: (img_\d+) to (img_\d+)", error):
        return "no_image", {"first": valid[1], "last": valid[2]}
    if only := re.search(r"the only id: (img_\d+)", error):
        return "only_image", {"first": only[1]}
    if lost := re.search(r"(img_\d+) cannot be read", error):
        return "unreadable", {"image": lost[1]}
    return "failed", {}


def _template(wishes: list[str], language: Language) -> list[str]:
    """The code of wishes, in parts that take the slots of one wish each."""
    parts = []
    for number, wish in enumerate(wishes):
        program = PROGRAMS[wish]
        is_last, say = number == len(wishes) - 1, program.says(language)
        frame = _JOINT if not is_last else _BOTH if number else _LAST
        needs_words = say == _RECORDED_KO
        end = frame.replace("$say", say) if say else ""
        parts.append((_KO_WORDS if needs_words else "") + program.body + end)
    return parts


def _filled(parts: list[str], slots: list[Mapping[str, str]]) -> str:
    code = "".join(Template(part).substitute(given) for part, given in zip(parts, slots, strict=True))
    return code.rstrip("\n")


def pieces() -> list[str]:
    """Returns what stands between the copied parts of all programs, a line at a time."""
    import re

    found: dict[str, None] = {}
    for language in Language:
        for wish in PROGRAMS:
            for wishes in ([wish], [wish, "help"], ["help", wish]):
                for part in _template(wishes, language):
                    for constant in re.split(r"\$[a-z]+", part):
                        found |= dict.fromkeys(constant.splitlines(keepends=True))
    return list(found)
