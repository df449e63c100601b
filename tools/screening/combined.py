"""Screening by all that there is to hold an image against: words, good parts, its batch, a template."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np

from tools.errors import Cancelled, ImageError, UsageError
from tools.localization.localizer import CLEAR_LABEL
from tools.localization.regions import beside, finding_at, hot_regions
from tools.records import (
    HeatMap,
    ImageRecord,
    Provenance,
    Screening,
    ScreeningStatus,
    Source,
    SourceScore,
)
from tools.references.keeping import model_key, readable
from tools.references.mutual import MIN_IMAGES, Panel, panel_ids
from tools.references.templates import heat_of
from tools.screening.fusion import (
    UNFAMILIAR,
    UNNOTED,
    detector_score,
    fused,
    heat_on_scale,
    knows,
    on_scale,
    words_score,
)
from tools.timing import timed_together
from tools.voices import BAD_TEMPLATE, NO_TEMPLATE, OUTDATED, OWN, TOO_FEW, strongest_source
from tools.zones import cells_to_search

if TYPE_CHECKING:
    import threading

    from numpy.typing import NDArray

    from tools.images import Batch
    from tools.localization.localizer import Localizer, Look
    from tools.recipe import Recipe
    from tools.records import BoxXyxyPx, Finding
    from tools.references.backbones import Backbone
    from tools.references.reference_set import ReferenceScore, ReferenceSet
    from tools.references.templates import Templates
    from tools.screening.screener import Screener

    Picture = tuple[ImageRecord, NDArray[np.uint8]]

__all__ = ["CombinedScreener"]

_ALIKE = 0.1  # what an image without any difference has on the scale of good parts
_CLEAR_GOOD = 0.75  # share of good parts that are clear to words that know them
# Of a batch's calm images: words that know its parts find more than these clear, even where most are bad or
# the parts are of many kinds (made-up batches: 0.2 to 0.33; nine in ten of 40 bad: 0.6). Words that do not
# may call some nearly clear (real batches: 0.77 at least). By 16 images a batch of many kinds had 0.67.
_CLEAR_CALM, _PLAINLY_CLEAR = 0.125, 0.65
_TOGETHER = 16  # images between words and detector, held decoded
_ASKED = 24  # calm images of a batch that show whether words know its parts


@dataclass(frozen=True)
class _Said:
    """What a source says, with its heat map on the scale of the suspicion."""

    score: SourceScore
    heat: HeatMap | None = None


class CombinedScreener:
    """Asks words first and then the other sources, and forms one suspicion from those that may decide.

    Words decide where they know the parts: where most good ones are clear to them. Good parts always decide
    where the recipe has any; so does a template, and nothing stands in for one that is missing. The batch is
    asked where there are neither and words do not know its parts; before it can be, `prepare` looks through
    at most `MAX_PANEL` of its images.

    Args:
        words: Screens by words.
        recipe: Its `references` section.
        good: The recipe's good parts; None where it has none.
        backbones: What describes the patches of a batch; none where batches are not asked.
        templates: Finds differences to a picture without defects; None where the recipe names none.
        detector: Asked where words are in doubt; None where the recipe leaves it out of the suspicion.
    """

    def __init__(
        self,
        words: Screener,
        recipe: Recipe,
        *,
        good: ReferenceSet | None = None,
        backbones: Sequence[Backbone] = (),
        templates: Templates | None = None,
        detector: Localizer | None = None,
    ) -> None:
        self._words, self._recipe, self._good = words, recipe, good
        self._backbones, self._templates = tuple(backbones), templates
        self._detector = detector
        self._panel: Panel | None = None
        self._prepared = ""
        self._is_small = False
        seers = self._backbones if good is None else good.backbones
        self._seers = " + ".join(seer.name for seer in seers)
        self._is_noted = good is None or self._has_noted(good)
        self._is_known = templates is None if good is None else self._is_noted and self._known_by(good)
        self._is_heard = detector is None or self.hears(detector.provenance)
        self.provenance = words.provenance

    @property
    def models(self) -> tuple[Provenance, ...]:
        """What each source is, without timings; of a batch's panel, what it will be made with."""
        held = (each.provenance for each in (self._good, self._templates) if each is not None)
        if self._good is not None or not self._backbones:
            return (self.provenance, *held)
        batch = Provenance(
            tool="batch",
            model=self._seers,
            weights_sha256=next(
                (each.weights_sha256 for each in self._backbones if each.weights_sha256), None
            ),
            parameters={each.name: dict(each.parameters) for each in self._backbones},
        )
        return (self.provenance, *held, batch)

    def plan(self, records: Sequence[ImageRecord]) -> str:
        """What the images of a batch will be held against, for a person to read."""
        if self._good is not None:
            silent = f"; {UNNOTED}: they are not heard before `loupe good --rebuild`"
            count = self._good.compared
            parts = f"{count} good part{'s' * (count != 1)}"
            return f"held against {parts}{'' if self._is_noted else silent}"
        if self._templates is not None:
            return f"held against their template{_lacking(self._templates, records)}"
        if not self._backbones:
            return "judged by words alone"
        if len(records) < MIN_IMAGES:
            needed = f"to be held against each other {MIN_IMAGES} are needed"
            return f"judged by words alone: no good parts are named, and {needed}"
        return "held against each other where words do not know them, as no good parts are named"

    def hears(self, detector: Provenance) -> bool:
        """Whether a detector has been shown each of the good parts, if there are any, as it sees now."""
        if self._good is None:
            return True
        notes = self._good.notes
        is_known = all(each.picture_key in notes.alarms for each in self._good.references)
        return is_known and notes.alarms_by == model_key(detector)

    def prepare(self, batch: Batch, *, cancel: threading.Event | None = None) -> None:
        """Looks through a batch whose images are to be held against each other; once per batch.

        Raises:
            Cancelled: The event was set.
        """
        if not self._backbones or self._prepared == batch.sha256:
            return
        self._panel, self._is_small, self._is_known = None, False, True
        ids = panel_ids([record.id for record in batch.records])
        try:
            pictures = readable(batch, ids, cancel)
            panel = Panel.build(pictures, self._backbones, overkill=self._recipe.references.overkill)
        except UsageError:
            self._is_small = True
        else:
            self._is_known = self._known_in(batch, panel, cancel)
            self._panel = None if self._is_known else panel
        self._prepared = batch.sha256

    def screen(
        self, images: Iterable[Picture], *, cancel: threading.Event | None = None
    ) -> Iterator[Screening]:
        """Yields a screening per image, in order; arguments as for `Screener.screen`."""
        waiting: deque[Picture] = deque()

        def watched() -> Iterator[Picture]:
            for picture in images:
                waiting.append(picture)
                yield picture

        by_words = self._words.screen(watched(), cancel=cancel)
        while some := list(islice(by_words, _TOGETHER if self._detector else 1)):
            pictures = [waiting.popleft() for _ in some]
            looks = self._looks(some, pictures, cancel)
            for screening, picture in zip(some, pictures, strict=True):
                if cancel is not None and cancel.is_set():
                    return
                yield self._combined(screening, picture, looks.get(screening.image_id))

    def _looks(
        self, screenings: Sequence[Screening], pictures: Sequence[Picture], cancel: threading.Event | None
    ) -> dict[str, tuple[Look, float]]:
        """What the detector makes of each image of which words are in doubt, and the seconds it took."""
        least = self._recipe.screening.detector_from
        if self._detector is None or least is None or not self._is_known or not self._is_heard:
            return {}
        pairs = zip(screenings, pictures, strict=True)
        asked = [picture for screening, picture in pairs if screening.suspicion >= least]
        found, share_s = timed_together(self._detector.look(asked, cancel=cancel))
        return {record.id: (each, share_s) for (record, _), each in zip(asked, found, strict=False)}

    def embed(self, images_rgb: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
        """As `Screener.embed`."""
        return self._words.embed(images_rgb)

    def located(
        self, picture: Picture, screening: Screening, found: Sequence[Finding] = ()
    ) -> tuple[Finding, ...]:
        """What counts of a detector's findings, and where else a suspect image is unlike good parts.

        Of what the detector found counts that of which it is surer than of anything in the good parts.

        A region has the type that words see in it where they know the part and are sure; else it stays
        unclassified.

        Args:
            picture: The image.
            screening: Of this image, by this screener.
            found: By the detector.
        """
        record, image_rgb = picture
        heard = tuple(
            finding.model_copy(update={"id": f"{record.id}-{number}"})
            for number, finding in enumerate(self._heard(found), start=1)
        )
        source = strongest_source(screening)
        if screening.status is not ScreeningStatus.SUSPECT or source in (None, Source.WORDS):
            return heard
        provenance = Provenance(
            tool=str(source),
            model="" if source is Source.TEMPLATE else self._seers,
            parameters={"threshold": screening.threshold},
        )
        regions = beside(self._places(picture, screening, source), heard)
        sure = screening.suspicion
        unlike = (
            finding_at(record, number, box, min(peak, sure), provenance)
            for number, (box, peak) in enumerate(regions, start=len(heard) + 1)
        )
        return (*heard, *(self._named(finding, image_rgb) for finding in unlike))

    def _heard(self, found: Sequence[Finding]) -> tuple[Finding, ...]:
        """What the detector is surer of than of anything in the good parts.

        One that did not see them as it sees now could raise any false alarm again: then these speak alone.
        """
        return tuple(finding for finding in found if finding.confidence > self._alarm(finding))

    def _sure(self, look: Look) -> float:
        """How sure the detector is of a defect; beside good parts only what it finds is heard."""
        if self._good is None:
            return look.surest
        return max((finding.confidence for finding in self._heard(look.findings)), default=0.0)

    def _alarm(self, finding: Finding) -> float:
        """How sure the detector that found something is of a defect in a good part, at most."""
        if self._good is None or not finding.provenance:
            return 0.0
        if not self.hears(finding.provenance[0]):
            return 1.0
        alarms = self._good.notes.alarms
        return max((alarms.get(each.picture_key, 0.0) for each in self._good.references), default=0.0)

    def _places(
        self, picture: Picture, screening: Screening, source: Source
    ) -> list[tuple[BoxXyxyPx, float]]:
        record, image_rgb = picture
        if source is Source.TEMPLATE and self._templates is not None:
            differences = self._templates.differences(record, image_rgb)
            return [(each.box_xyxy_px, each.score) for each in differences]
        heat = screening.heat_map
        if heat is None:
            return []
        cells = cells_to_search(heat, screening.calm_below, self._recipe.zones)
        return hot_regions(heat, screening.threshold, (record.width_px, record.height_px), cells)

    def _named(self, finding: Finding, image_rgb: NDArray[np.uint8]) -> Finding:
        """The finding with the type that words see in its place."""
        if not self._is_known:
            return finding
        x_min, y_min, x_max, y_max = finding.box_xyxy_px
        crop = image_rgb[int(y_min) : int(np.ceil(y_max)), int(x_min) : int(np.ceil(x_max))]
        record = ImageRecord(id=finding.id, name=finding.id)
        (seen,) = self._words.screen([(record, crop)])
        is_clear = seen.label in self._recipe.defects and seen.scores[seen.label] >= CLEAR_LABEL
        return finding.model_copy(update={"type": seen.label}) if is_clear else finding

    def _combined(self, screening: Screening, picture: Picture, look: tuple[Look, float] | None) -> Screening:
        asked = self._by_good(picture), self._by_template(picture), self._by_batch(picture)
        said = [each for source in asked for each in _timed(source)]
        if not said and self._detector is None:
            return screening
        is_alone = self._templates is None and not any(each.score.decided for each in said)
        by_words = words_score(
            screening,
            is_known=self._is_known or is_alone,
            why_not=UNFAMILIAR if self._is_noted else UNNOTED,
        )
        scores = [by_words, *(each.score for each in said)]
        if look is not None:
            seen, elapsed_s = look
            score = detector_score(self._sure(seen), screening.threshold)
            scores.append(score.model_copy(update={"elapsed_s": elapsed_s}))
        elif not self._is_heard:
            scores.append(SourceScore(source=Source.DETECTOR, score=0.0, suspicion=0.0, remark=OUTDATED))
        strongest = max(said, key=lambda each: (each.score.decided, each.score.suspicion), default=None)
        return fused(screening, scores, strongest.heat if strongest else None, self._recipe)

    def _by_good(self, picture: Picture) -> Iterator[_Said]:
        if self._good is None:
            return
        (score,) = self._good.score([picture])
        anchor, calibration = self._good.options.anchor, self._good.calibration
        remark = OWN if self._good.holds(picture[0]) else calibration.remark
        yield _said(Source.REFERENCES, score, anchor, self._good.compared, remark)

    def _by_batch(self, picture: Picture) -> Iterator[_Said]:
        if self._is_small:
            yield _Said(SourceScore(source=Source.BATCH, score=0.0, suspicion=0.0, remark=TOO_FEW))
        if self._panel is None:
            return
        (score,) = self._panel.score([picture])
        threshold = self._recipe.screening.threshold
        yield _said(Source.BATCH, score, threshold, self._panel.size - 1)

    def _by_template(self, picture: Picture) -> Iterator[_Said]:
        if self._templates is None:
            return
        record, image_rgb = picture
        threshold = self._recipe.screening.threshold
        try:
            differences = self._templates.differences(record, image_rgb)
        except ImageError:
            why = BAD_TEMPLATE if self._templates.has(record) else NO_TEMPLATE
            yield _Said(SourceScore(source=Source.TEMPLATE, score=0.0, suspicion=0.0, remark=why))
            return
        # Any region that differs is a finding; the more it differs, the farther above the threshold.
        each = [on_scale((1 + difference.score) / 2, threshold) for difference in differences]
        score = SourceScore(
            source=Source.TEMPLATE,
            score=differences[0].score if differences else 0.0,
            suspicion=round(each[0] if each else on_scale(_ALIKE, threshold), 6),
            decided=True,
            compared_with=1,
        )
        yield _Said(score, heat_of(differences, record, each))

    def _known_by(self, good: ReferenceSet) -> bool:
        """Whether words know the good parts, about each of which they were asked."""
        words = [good.notes.words[each.picture_key] for each in good.references]
        settings = self._recipe.screening
        return knows(words, settings.threshold - settings.review_band, _CLEAR_GOOD)

    def _has_noted(self, good: ReferenceSet) -> bool:
        """Whether the same words were asked about each good part: the few that came later show nothing."""
        notes = good.notes
        is_asked = all(each.picture_key in notes.words for each in good.references)
        return is_asked and notes.words_by == model_key(self._words.provenance)

    def _known_in(self, batch: Batch, panel: Panel, cancel: threading.Event | None) -> bool:
        """Whether words know the parts of a batch, shown by its calmest images."""
        pictures = readable(batch, panel.calm_ids[:_ASKED], cancel)
        words = [each.suspicion for each in self._words.screen(pictures, cancel=cancel)]
        if cancel is not None and cancel.is_set():
            raise Cancelled("the work was stopped", "ask again to go on")
        return knows(words, _PLAINLY_CLEAR, _CLEAR_CALM)


def _said(
    source: Source,
    score: ReferenceScore,
    anchor: float,
    compared_with: int,
    remark: str = "",
) -> _Said:
    return _Said(
        SourceScore(
            source=source,
            score=score.deviations,
            suspicion=round(on_scale(score.score, anchor), 6),
            decided=True,
            compared_with=compared_with,
            parts=score.parts,
            remark=remark,
        ),
        heat_on_scale(score.heat_map, anchor),
    )


def _lacking(templates: Templates, records: Sequence[ImageRecord]) -> str:
    """How many images have no template, as the end of a sentence; empty where each has one."""
    lacking = sum(not templates.has(record) for record in records)
    if not lacking:
        return ""
    told = "no image has one" if lacking == len(records) else f"{lacking} of {len(records)} have none"
    return f", but {told}: those go to a person (`references.template` in the recipe says where they are)"


def _timed(said: Iterator[_Said]) -> Iterator[_Said]:
    """Notes with what a source says the seconds that it took."""
    each_said, share_s = timed_together(said)
    for each in each_said:
        yield replace(each, score=each.score.model_copy(update={"elapsed_s": share_s}))
