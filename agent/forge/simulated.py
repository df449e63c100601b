"""The real workbench over a made-up batch: same tools, rows and errors, without pixels and without models."""

from __future__ import annotations

import math
import random
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

from agent.workbench import Workbench
from reports.ledger import PastCase
from tools.errors import ImageError
from tools.judging import judge
from tools.pipeline.stages import unreadable
from tools.records import Finding, ImageStatus, Inspection, Provenance, Screening, ScreeningStatus, Verdict
from tools.wording import describe_finding, describe_image

if TYPE_CHECKING:
    from agent.events import Sink
    from agent.forge.cases import Case
    from agent.rows import Row

__all__ = ["SimulatedSteps", "SimulatedWorkbench"]

_NAMES = ("cover_0412.jpg", "DSC0193.png", "shaft_77.jpg", "panel-a3.png", "part_1203.jpg")
_LOTS = ("A-17", "L2304", "", "0611-B", "QX-9")
_EMBEDDING = 8
_FEW = "good images are too few to see an overkill of 5%"
_FILES = ("inspections.jsonl", "run.json", "findings.csv", "coco.json")


class SimulatedWorkbench(Workbench):
    """Answers as the workbench does over images that look as a case says.

    Args:
        steps: What there is to see; may be shared, for it keeps nothing of a conversation.
        sink: Is told decisions.
        has_ledger: Whether past cases can be searched.
        has_eyes: Whether a vision model can be asked for what was missed.
    """

    def __init__(
        self,
        steps: SimulatedSteps,
        sink: Sink | None = None,
        *,
        has_ledger: bool = True,
        has_eyes: bool = True,
    ) -> None:
        case = steps.case
        ledger: Any = _Ledger() if has_ledger else None
        batch: Any = SimpleNamespace(records=case.records, sha256="")
        screener = SimpleNamespace(provenance=Provenance(tool="screening"))
        engines: Any = SimpleNamespace(recipe=case.recipe, screener=screener, models=(), known={})
        super().__init__(
            batch,
            case.recipe,
            out=Path("out"),
            engines=engines,
            sink=sink,
            ledger=ledger,
            ask_candidates=(lambda *_: []) if has_eyes else None,
        )
        self._steps = cast(Any, steps)
        self._good: set[str] = set()

    def examine(self, id: str | int, region: list[float] | None = None) -> Row:  # noqa: A002, D102 -- as above
        self.readable(self.ids.one(id))
        return {"id": self.ids.one(id), "region": None, "candidates": []}

    def keep_good(self, ids: str | int | list[str]) -> Row:  # noqa: D102 -- as above
        wanted = [self.readable(each).id for each in self.ids.many(ids)]
        for each in wanted:
            self.override(each, Verdict.ACCEPT.value, "a good part", by=self.acting)
        new = set(wanted) - self._good
        self._good |= new
        return {"good_parts": len(self._good), "added": len(new), "remark": _FEW}

    def write_report(  # noqa: D102 -- as above
        self,
        lot: str | None = None,
        ids: str | int | list[str] | None = None,
        language: str = "en",
    ) -> Row:
        from agent.checks import language_of, line

        wanted, spoken = self.ids.many(ids), language_of(language)
        name = line("lot", lot) if lot is not None else self._lots.current
        inspections = self.inspections(sorted(wanted))
        self._lots.named(name, wanted)
        path = self.out / "report.pdf"
        self.artifacts.append(path)
        return {
            "report": str(path),
            "files": [str(self.out / name) for name in _FILES],
            "lot": name or None,
            "images": len(inspections),
            "language": spoken.value,
        }


SimulatedWorkbench.examine.__doc__ = Workbench.examine.__doc__
SimulatedWorkbench.keep_good.__doc__ = Workbench.keep_good.__doc__
SimulatedWorkbench.write_report.__doc__ = Workbench.write_report.__doc__


class SimulatedSteps:
    """Stands for `tools.pipeline.stepwise.Stepwise`: what it would see is in the case.

    Args:
        case: The batch.
    """

    def __init__(self, case: Case) -> None:
        self.case = case
        self.records = {record.id: record for record in case.records}
        self._inspections: dict[tuple[str, float | None], Inspection] = {}

    def is_readable(self, image_id: str) -> bool:
        """As its model."""
        return self.records[image_id].status is ImageStatus.READABLE

    def recall(self, inspections: Iterable[Inspection]) -> None:
        """Nothing to take up: the case holds all."""

    def screen(
        self, ids: Sequence[str], *, threshold: float | None = None, progress: object = None
    ) -> dict[str, Screening]:
        """As its model."""
        return {i: self._screening(i, threshold) for i in ids if self.is_readable(i)}

    def locate(self, ids: Sequence[str], *, progress: object = None) -> dict[str, tuple[Finding, ...]]:
        """As its model."""
        return {i: self.case.findings[i] for i in ids if self.is_readable(i)}

    measure = locate

    def inspect(
        self,
        ids: Sequence[str],
        *,
        threshold: float | None = None,
        progress: object = None,
        finished: object = None,
    ) -> dict[str, Inspection]:
        """As its model."""
        for image_id in ids:
            if (image_id, threshold) not in self._inspections:
                self._inspections[image_id, threshold] = self._inspection(image_id, threshold)
        return {i: self._inspections[i, threshold] for i in ids}

    def embedding(self, image_id: str) -> Any:  # noqa: ANN401
        """As its model: a direction of its own for each image."""
        import numpy as np

        if not self.is_readable(image_id):
            raise ImageError(self.records[image_id].reason)
        rng = random.Random(image_id)
        values = np.array([rng.uniform(0.2, 1.0) for _ in range(_EMBEDDING)], np.float32)
        return values / math.sqrt(float(values @ values))

    def _screening(self, image_id: str, threshold: float | None) -> Screening:
        from tools.screening.screener import with_threshold

        screening = self.case.screenings[image_id]
        return screening if threshold is None else with_threshold(screening, threshold, self.case.recipe)

    def _inspection(self, image_id: str, threshold: float | None) -> Inspection:
        record, recipe = self.records[image_id], self.case.recipe
        if not self.is_readable(image_id):
            return unreadable(record, recipe)
        screening = self._screening(image_id, threshold)
        found = self.case.findings[image_id] if screening.status is not ScreeningStatus.CLEAR else ()
        _, judged = judge(record, screening, found, recipe)
        told = tuple(f.model_copy(update={"description": describe_finding(f, recipe)}) for f in judged)
        judgement, told = judge(record, screening, told, recipe)
        return Inspection(
            image=record,
            screening=screening,
            findings=told,
            judgement=judgement,
            description=describe_image(told, screening, judgement, recipe),
        )


class _Ledger:
    """Stands for `reports.ledger.Ledger`: a few past cases, and nothing is kept."""

    def search(self, words: str, embedding: object, *, weights: str, limit: int) -> list[PastCase]:
        rng = random.Random(f"{words}{embedding}")
        count = min(rng.choice((0, 1, 2, 3, 5)), limit)
        return [
            PastCase(
                at="2026-05-11T09:30:00+09:00",
                name=rng.choice(_NAMES),
                lot=rng.choice(_LOTS),
                part="Metal cover",
                verdict=rng.choice([*Verdict]).value,
                types=tuple(rng.sample(("scratch", "dent", "crack"), rng.choice((0, 1, 2)))),
                reason="All criteria met: no defect found.",
                similarity=None if embedding is None else round(rng.uniform(0.5, 0.99), 3),
            )
            for _ in range(count)
        ]

    def add_inspections(self, *_: object, **__: object) -> None:
        """Keeps nothing."""

    add_decision = add_report = add_inspections
