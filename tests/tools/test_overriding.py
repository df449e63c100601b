from __future__ import annotations

from tests.reports.builders import RECIPE, finding, inspection
from tools.overriding import AGENT, is_changed, is_confirmed, overridden, rule_judged
from tools.records import DecidedBy, Inspection, Verdict
from tools.wording import describe_image

AT = "2026-03-04T05:30:00+09:00"


def described() -> Inspection:
    plain = inspection(1, Verdict.REJECT, (finding(),))
    description = describe_image(plain.findings, plain.screening, plain.judgement, RECIPE, "a long scratch")
    return plain.model_copy(update={"description": description})


def test_the_rule_stays_known_however_often_somebody_decides() -> None:
    rule = described()
    once = overridden(rule, Verdict.ACCEPT, "dust", by=AGENT, at=AT)
    twice = overridden(once, Verdict.REVIEW, "unsure now", by="Kim", at=AT)
    assert [i.judgement.verdict for i in (rule, once, twice)] == [
        Verdict.REJECT,
        Verdict.ACCEPT,
        Verdict.REVIEW,
    ]
    assert once.judgement.decided_by is DecidedBy.AGENT
    assert twice.judgement.decided_by is DecidedBy.HUMAN
    assert twice.judgement.overrides == rule.judgement
    assert {rule_judged(i) for i in (rule, once, twice)} == {Verdict.REJECT}
    back = overridden(twice, Verdict.REJECT, "as measured", by="Kim", at=AT)
    assert [is_changed(i.judgement) for i in (rule, once, twice, back)] == [False, True, True, False]
    assert [is_confirmed(i.judgement) for i in (rule, once, twice, back)] == [False, False, False, True]
    assert Inspection.model_validate_json(twice.model_dump_json()) == twice


def test_the_description_tells_the_verdict_that_holds() -> None:
    rule = described()
    once = overridden(rule, Verdict.ACCEPT, "dust", by=AGENT, at=AT)
    twice = overridden(once, Verdict.REVIEW, "unsure now", by="Kim", at=AT)
    assert rule.description
    assert once.description
    assert twice.description
    assert "By the recipe's criteria: reject." in rule.description.en
    assert once.description.en == rule.description.en.replace(
        "By the recipe's criteria: reject.", "Decided by the agent: accept."
    )
    assert "Decided by an inspector: review." in twice.description.en
    assert "검사원 판정" in twice.description.ko
    assert "레시피 기준 판정" not in twice.description.ko
