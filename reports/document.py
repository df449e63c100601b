"""The PDF report: puts the sections together, paginates them, and writes the file in one step."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from tempfile import NamedTemporaryFile

from reportlab import rl_config
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import BaseDocTemplate, Flowable, Frame, PageBreak, PageTemplate, Spacer

from reports.decisions import decisions_section
from reports.edition import Edition
from reports.evidence import accepted_section, not_accepted_section
from reports.flowables import Anchor
from reports.fonts import BOLD, REGULAR, elide, esc, plain, register_fonts
from reports.metadata import attach_files, set_dates, set_xmp
from reports.pictures import Evidence, gather_evidence
from reports.sections import (
    criteria_section,
    image_list_section,
    making_section,
    measurement_section,
    remarks_section,
    signature_section,
    unreadable_section,
)
from reports.source import ReportInput
from reports.styles import (
    CONTENT_HEIGHT,
    CONTENT_WIDTH,
    MARGIN_BOTTOM,
    MARGIN_SIDE,
    MARGIN_TOP,
    MUTED,
    PAGE_HEIGHT,
    PAGE_WIDTH,
    RULE,
)
from reports.summary import first_page
from tools.errors import Cancelled, OutputError
from tools.progress import Steps
from tools.records import Language

__all__ = ["write_report"]

# ASCII85 makes every picture a quarter larger for the sake of 7-bit mail.
rl_config.useA85 = 0

# The first finds the page numbers that the second prints; rarely the numbers themselves move a page break.
_PASSES = 2

_LANGUAGE_TAGS = {Language.EN: "en", Language.KO: "ko-KR"}


def write_report(
    report: ReportInput,
    path: Path,
    *,
    progress: Callable[[int, int], None] | None = None,
    cancel: threading.Event | None = None,
) -> int:
    """Writes the PDF report under a temporary name and renames it once it is whole.

    Args:
        report: The input; equal inputs give equal bytes.
        path: Where the PDF goes; an existing file is replaced.
        progress: Told steps done and steps in all: photographs prepared and pages laid out.
        cancel: Set by another thread to stop; nothing is left behind then.

    Returns:
        The number of pages.

    Raises:
        Cancelled: `cancel` was set.
        OutputError: The file cannot be written.
    """
    register_fonts()
    edition = Edition.of(report)
    steps = Steps(progress, len(report.inspections) + _PASSES * len(edition.not_accepted))
    evidence = gather_evidence(report, advance=steps.advance, cancel=cancel)
    try:
        with NamedTemporaryFile(
            dir=path.parent, prefix=f".{path.stem}-", suffix=".pdf", delete=False
        ) as file:
            unfinished = Path(file.name)
        try:
            template = _ReportTemplate(edition, unfinished, steps, cancel)
            template.multiBuild(list(_story(edition, evidence)))
            unfinished.chmod(0o666 & ~_umask())
            unfinished.replace(path)
        finally:
            unfinished.unlink(missing_ok=True)
    except OSError as error:
        raise OutputError(
            f"The report {path} cannot be written: {error.strerror or error}.",
            "Check that the folder exists, that it is yours to write to, and that the disk is not full.",
        ) from error
    return template.page_total


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _story(edition: Edition, evidence: dict[str, Evidence]) -> Iterator[Flowable]:
    yield from first_page(edition)
    yield PageBreak()
    yield from criteria_section(edition)
    yield from not_accepted_section(edition, evidence)
    yield from accepted_section(edition, evidence)
    yield from unreadable_section(edition)
    yield from decisions_section(edition)
    yield from remarks_section(edition)
    yield from making_section(edition)
    yield from measurement_section(edition)
    yield from image_list_section(edition)
    yield Spacer(0, 6)
    yield from signature_section(edition)


class _ReportTemplate(BaseDocTemplate):  # type: ignore[misc]
    """Pages with a running header and `page x of y`; page numbers come from the pass before."""

    def __init__(self, edition: Edition, path: Path, steps: Steps, cancel: threading.Event | None) -> None:
        self._edition, self._steps, self._cancel = edition, steps, cancel
        self._pages: dict[str, int] = {}
        self._pages_before: dict[str, int] = {}
        self.page_total = self._total_before = 0
        words, run = edition.words, edition.report.run
        self._subject = words("subject", part=edition.part_name, lot=edition.given(run.lot))
        super().__init__(
            str(path),
            pagesize=(PAGE_WIDTH, PAGE_HEIGHT),
            leftMargin=MARGIN_SIDE,
            rightMargin=MARGIN_SIDE,
            topMargin=MARGIN_TOP,
            bottomMargin=MARGIN_BOTTOM,
            title=plain(edition.title),
            author=plain(run.inspector or edition.report.recipe.report.company or "Loupe"),
            subject=plain(self._subject),
            keywords=[plain(word) for word in self._keywords()],
            creator=f"Loupe {run.loupe_version}",
            lang=_LANGUAGE_TAGS[edition.language],
            invariant=1,
            pageCompression=1,
            initialFontName=REGULAR,
        )
        room = {"leftPadding": 0, "rightPadding": 0, "topPadding": 0, "bottomPadding": 0}
        lifted = 9  # the first page has no running header, so its title may stand higher
        first = Frame(MARGIN_SIDE, MARGIN_BOTTOM, CONTENT_WIDTH, CONTENT_HEIGHT + lifted, id="first", **room)
        later = Frame(MARGIN_SIDE, MARGIN_BOTTOM, CONTENT_WIDTH, CONTENT_HEIGHT, id="later", **room)
        self.addPageTemplates(
            [
                PageTemplate("first", [first], onPage=self._draw_footer, autoNextPageTemplate="later"),
                PageTemplate("later", [later], onPage=self._draw_header_and_footer),
            ]
        )

    def _keywords(self) -> list[str]:
        run, part = self._edition.report.run, self._edition.report.recipe.part
        return [word for word in (run.lot, part.name, part.number, run.recipe_name) if word]

    def note_anchor(self, anchor: Anchor) -> None:
        """Remembers where an anchor was drawn, and tells the contents about sections."""
        self._pages[anchor.key] = self.page
        if anchor.level == 0:
            self.notify("TOCEntry", (0, esc(anchor.title), self.page, anchor.key))
        else:
            self._steps.advance()

    def page_of(self, key: str) -> int:
        """The page of an anchor as of the pass before; 0 in the first pass."""
        return self._pages_before.get(key, 0)

    def beforeDocument(self) -> None:
        """Starts a pass: metadata and attachments belong to its canvas."""
        self._pages_before, self._pages = self._pages, {}
        self._total_before, self.page_total = self.page_total, 0
        canvas, report = self.canv, self._edition.report
        canvas.setViewerPreference("DisplayDocTitle", "true")
        canvas.showOutline()
        set_dates(canvas, datetime.fromisoformat(report.created_at))
        set_xmp(
            canvas,
            title=self.title,
            subject=self.subject,
            author=self.author,
            language=_LANGUAGE_TAGS[self._edition.language],
            keywords=self.keywords,
            creator=self.creator,
            date=report.created_at,
        )
        lines = "".join(inspection.model_dump_json() + "\n" for inspection in report.inspections)
        attach_files(
            canvas,
            {
                "inspections.jsonl": ("application/jsonl", lines.encode()),
                "recipe.json": ("application/json", report.recipe.canonical_json.encode()),
                "run.json": ("application/json", report.run.model_dump_json(indent=2).encode()),
            },
        )

    def afterPage(self) -> None:
        """Counts the page; the moment at which a long report can be stopped."""
        self.page_total = self.page
        if self._cancel and self._cancel.is_set():
            raise Cancelled("The report was cancelled.")

    def _allSatisfied(self) -> bool:
        settled = self._pages == self._pages_before and self.page_total == self._total_before
        return bool(super()._allSatisfied()) and settled

    def _draw_header_and_footer(self, canvas: Canvas, template: BaseDocTemplate) -> None:
        words, run = self._edition.words, self._edition.report.run
        y = PAGE_HEIGHT - 13 * 72 / 25.4
        canvas.setFont(BOLD, 7.4)
        canvas.setFillColor(MUTED)
        canvas.drawString(MARGIN_SIDE, y, elide(self._edition.title, CONTENT_WIDTH / 2 - 10, 7.4, BOLD))
        lot = f"{words('lot')} {self._edition.given(run.lot)} · {self._edition.part_name}"
        canvas.setFont(REGULAR, 7.4)
        canvas.drawRightString(PAGE_WIDTH - MARGIN_SIDE, y, elide(lot, CONTENT_WIDTH / 2 - 10, 7.4))
        self._draw_rule(canvas, y - 5)
        self._draw_footer(canvas, template)

    def _draw_footer(self, canvas: Canvas, template: BaseDocTemplate) -> None:
        words, run = self._edition.words, self._edition.report.run
        y = MARGIN_BOTTOM - 8 * 72 / 25.4
        self._draw_rule(canvas, y + 9)
        canvas.setFont(REGULAR, 7)
        canvas.setFillColor(MUTED)
        made_by = f"Loupe {run.loupe_version} · {words('recipe')} {run.recipe_name} {run.recipe_sha256[:12]}"
        canvas.drawString(MARGIN_SIDE, y, elide(made_by, CONTENT_WIDTH - 90, 7))
        number = words("page_of", page=template.page, total=self._total_before)
        canvas.drawRightString(PAGE_WIDTH - MARGIN_SIDE, y, number)

    def _draw_rule(self, canvas: Canvas, y: float) -> None:
        canvas.setStrokeColor(RULE)
        canvas.setLineWidth(0.5)
        canvas.line(MARGIN_SIDE, y, PAGE_WIDTH - MARGIN_SIDE, y)
