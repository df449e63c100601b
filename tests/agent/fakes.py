"""Engines that answer at once and count how often they were asked, behind the real interfaces."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tests.tools.pipeline.test_fixed import FakeLocalizer, FakeMeasurer, FakeScreener
from tools.errors import LoupeError
from tools.images import Batch
from tools.pipeline.engines import Engines
from tools.pipeline.stepwise import Known
from tools.recipe import Recipe
from tools.records import Finding, ImageRecord, Provenance, Scale, Screening, ScreeningStatus

Picture = NDArray[np.uint8]


class CountingScreener(FakeScreener):
    """Remembers the company in which it saw each image."""

    provenance = Provenance(tool="screening", model="fake", weights_sha256="c1" * 32)

    def __init__(self, statuses: Mapping[str, ScreeningStatus]) -> None:
        super().__init__(statuses)
        self.companies: list[list[str]] = []
        self.before_each: Callable[[], None] = lambda: None

    def screen(
        self, images: Iterable[tuple[ImageRecord, Picture]], *, cancel: threading.Event
    ) -> Iterator[Screening]:
        shown = list(images)
        self.companies.append([record.id for record, _ in shown])
        self.before_each()
        yield from super().screen(shown, cancel=cancel)

    def embed(self, images_rgb: Sequence[Picture]) -> NDArray[np.float32]:
        colours = np.stack([image.reshape(-1, 3).mean(axis=0) for image in images_rgb]).astype(np.float32)
        return np.asarray(colours / np.linalg.norm(colours, axis=1, keepdims=True), np.float32)


class CountingLocalizer(FakeLocalizer):
    """Remembers the company in which it saw each image."""

    provenance = Provenance(tool="localization", model="fake")

    def __init__(self, found_in: Sequence[str]) -> None:
        super().__init__(found_in)
        self.companies: list[list[str]] = []

    def locate(
        self, images: Iterable[tuple[ImageRecord, Picture]], *, cancel: threading.Event
    ) -> Iterator[tuple[Finding, ...]]:
        shown = list(images)
        self.companies.append([record.id for record, _ in shown])
        yield from super().locate(shown, cancel=cancel)


class CountingMeasurer(FakeMeasurer):
    """Gives outlines to what is darker than its surroundings; remembers what it measured."""

    def __init__(self, fails_on: str = "") -> None:
        super().__init__(fails_on)
        self.measured: list[str] = []

    def measure(self, image_rgb: Picture, finding: Finding, scale: Scale | None) -> Finding:
        self.measured.append(finding.id)
        x_min, y_min, x_max, y_max = (round(edge) for edge in finding.box_xyxy_px)
        outline = ((x_min, y_min), (x_max, y_min), (x_max, y_max))
        is_seen = bool(image_rgb[y_min:y_max, x_min:x_max].min() < 40)
        measured = super().measure(image_rgb, finding, scale)
        return measured.model_copy(update={"contours_px": (outline,) if is_seen else ()})


class FakeEngines:
    """Stands for `tools.pipeline.engines.Engines`."""

    captioner = None
    translate = None

    def __init__(
        self,
        recipe: Recipe,
        statuses: Mapping[str, ScreeningStatus] | None = None,
        found_in: Sequence[str] = (),
        fails_on: str = "",
    ) -> None:
        self.recipe = recipe
        self.screener = CountingScreener(statuses or {})
        self.localizer = CountingLocalizer(found_in)
        self.measurer = CountingMeasurer(fails_on)
        self.words = self.screener
        self.good_parts: Any = None
        self.good_sha256 = ""
        self.known: dict[str, Known] = {}
        self.models = (self.screener.provenance, self.localizer.provenance)

    def forget_good_parts(self) -> None:
        self.known.clear()

    @property
    def as_engines(self) -> Engines:
        return cast(Any, self)


class FakeGoodParts:
    """Stands for `tools.references.keeping.GoodParts`: remembers what it is given as good, or fails."""

    def __init__(self, error: LoupeError | None = None) -> None:
        self.kept: list[str] = []
        self.error = error

    def add(self, batch: Batch, *_: object, ids: Sequence[str], **__: object) -> tuple[Any, int]:
        if self.error:
            raise self.error
        self.kept += ids
        records = [batch.record(image_id) for image_id in self.kept]
        references = [SimpleNamespace(name=f"{r.name} (2)", picture_key=r.picture_key) for r in records]
        remark = SimpleNamespace(remark="too few")
        return SimpleNamespace(references=references, calibration=remark), len(ids)


def write_batch(folder: Path, count: int) -> Batch:
    """Writes grey pictures of differing brightness with a dark spot where `FakeLocalizer` finds one."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(1, count + 1):
        picture = np.full((64, 64, 3), (50 + 37 * number % 200, 120, 140), np.uint8)
        picture[12:18, 12:38] = 10
        Image.fromarray(picture).save(folder / f"part_{number}.png")
    return Batch.open([folder])
