from __future__ import annotations

import hashlib
import json
import re
import threading
from dataclasses import replace
from pathlib import Path

import pytest
from pypdf import PdfReader

from reports.document import write_report
from reports.source import ImageRgb, ReportInput
from tests.reports.builders import (
    CENTRE_MM,
    CENTRE_PX,
    RECIPE,
    RUN,
    finding,
    held_against,
    inspection,
    mixed_batch,
    picture,
    report,
    unreadable,
)
from tools.errors import Cancelled, ImageError, OutputError
from tools.images.reasons import Reason
from tools.overriding import AGENT, overridden
from tools.recipe import Recipe
from tools.records import (
    Centre,
    DecidedBy,
    Description,
    Inspection,
    Language,
    Origin,
    Provenance,
    Source,
    Unit,
    Verdict,
)


def written(source: ReportInput, folder: Path) -> PdfReader:
    path = folder / "report.pdf"
    pages = write_report(source, path)
    reader = PdfReader(path)
    assert len(reader.pages) == pages
    return reader


def text_of(reader: PdfReader) -> str:
    return " ".join(" ".join(page.extract_text() for page in reader.pages).split())


def twin_of(image_id: str, number: int) -> Inspection:
    twin = inspection(number, Verdict.ACCEPT, flags=(f"duplicate of {image_id}",))
    return twin.model_copy(update={"image": twin.image.model_copy(update={"duplicate_of": image_id})})


@pytest.fixture(scope="module")
def english(tmp_path_factory: pytest.TempPathFactory) -> PdfReader:
    return written(report(*mixed_batch()), tmp_path_factory.mktemp("en"))


@pytest.fixture(scope="module")
def korean(tmp_path_factory: pytest.TempPathFactory) -> PdfReader:
    return written(report(*mixed_batch(), language=Language.KO), tmp_path_factory.mktemp("ko"))


@pytest.mark.parametrize(
    "said",
    [
        "7.25 ± 0.10 mm",
        "1.5 ± 0.1 mm",
        "33.5 ± 0.1 px",
        "Cover & lid",
        "Lot A-17",
        RUN.recipe_sha256,
        "2026-03-04 06:07:08 UTC+09:00",
        "김검사",
        "Yield 33.3 % (1 of 3 inspected",
        "scratch.max_length_mm",
        "Longer than 5 mm.",
        "The file is cut off.",
        "A scratch at the upper left.",
        "numpy 2.0",
        "none: values in px",
        f"{1:064x}",
        "Prepared by",
    ],
)
def test_the_report_says(english: PdfReader, said: str) -> None:
    assert said in text_of(english)


@pytest.mark.parametrize(
    "said",
    [
        "품질 검사 보고서",
        "덮개",
        "스크래치",
        "7.25 ± 0.10 mm",
        "불합격",
        "5 mm보다 깁니다.",
        "좌상단",
        "김검사",
    ],
)
def test_korean_text_can_be_extracted(korean: PdfReader, said: str) -> None:
    assert said in text_of(korean)


@pytest.mark.parametrize(
    ("centre", "language", "said"),
    [
        (CENTRE_MM, Language.EN, "Place, centre"),
        (CENTRE_MM, Language.EN, "x 4.05 ± 0.06 mm y 3.52 ± 0.13 mm"),
        (CENTRE_PX, Language.EN, "x 40.5 ± 0.5 px y 35.2 ± 1.2 px"),
        (CENTRE_MM, Language.KO, "위치, 중심"),
        (CENTRE_MM, Language.KO, "x 4.05 ± 0.06 mm y 3.52 ± 0.13 mm"),
    ],
)
def test_the_report_says_where_the_centre_is(
    tmp_path: Path, centre: Centre, language: Language, said: str
) -> None:
    source = report(inspection(1, findings=(finding(centre=centre),)), language=language)
    assert said in text_of(written(source, tmp_path))


def test_every_page_says_which_of_how_many(english: PdfReader) -> None:
    total = len(english.pages)
    for number, page in enumerate(english.pages, start=1):
        assert f"Page {number} of {total}" in page.extract_text()


def test_contents_and_overview_lead_to_the_right_pages(english: PdfReader) -> None:
    pages = [" ".join(page.extract_text().split()) for page in english.pages]
    outline = {}

    def walk(entries: list[object]) -> None:
        for entry in entries:
            if isinstance(entry, list):
                walk(entry)
            else:
                outline[entry.title] = english.get_destination_page_number(entry)  # type: ignore[attr-defined]

    walk(english.outline)
    assert "Signature" in pages[outline["Disposition and signatures"]]
    assert outline["img_001 · line/cover_1.jpg"] <= outline["img_003 · line/cover_3.jpg"]
    listed = pages[0].replace(" .", "")
    for title, page in outline.items():
        if "·" in title:
            assert title in pages[page]
        else:
            assert f"{page + 1} {title}" in listed


def test_metadata_speaks_the_report_s_language_and_time(korean: PdfReader, english: PdfReader) -> None:
    assert (english.root_object["/Lang"], korean.root_object["/Lang"]) == ("en", "ko-KR")
    assert english.metadata is not None
    assert english.metadata.creation_date is not None
    assert english.metadata.creation_date.isoformat() == "2026-03-04T06:07:08+09:00"
    assert english.metadata.subject == "Visual inspection of Cover & lid, lot A-17"
    assert korean.xmp_metadata is not None
    assert korean.xmp_metadata.dc_title == {"x-default": "품질 검사 보고서"}


def test_fonts_are_embedded(korean: PdfReader) -> None:
    fonts = {
        font.get_object()["/BaseFont"]: font.get_object()
        for page in korean.pages
        for font in page["/Resources"]["/Font"].values()
    }
    assert {name.split("+")[1] for name in fonts} == {"NanumGothic", "NanumGothicBold"}
    assert all("/FontFile2" in font["/FontDescriptor"] for font in fonts.values())


def test_the_inspections_are_attached(english: PdfReader) -> None:
    attached = {name: contents[0] for name, contents in english.attachments.items()}
    assert set(attached) == {"inspections.jsonl", "recipe.json", "run.json"}
    lines = attached["inspections.jsonl"].decode().splitlines()
    assert [Inspection.model_validate_json(line) for line in lines] == list(mixed_batch())
    assert json.loads(attached["run.json"])["lot"] == "A-17"


def test_the_attached_recipe_has_the_hash_that_is_printed(english: PdfReader) -> None:
    (recipe,) = english.attachments["recipe.json"]
    assert hashlib.sha256(recipe).hexdigest() == RUN.recipe_sha256
    assert Recipe.model_validate_json(recipe) == RECIPE


@pytest.mark.parametrize("language", Language)
def test_equal_input_gives_equal_bytes(tmp_path: Path, language: Language) -> None:
    paths = [tmp_path / "one.pdf", tmp_path / "two.pdf"]
    for path in paths:
        write_report(report(*mixed_batch(), language=language), path)
    assert paths[0].read_bytes() == paths[1].read_bytes()


@pytest.mark.parametrize(
    "inspections",
    [
        pytest.param((unreadable(1), unreadable(2)), id="all unreadable"),
        pytest.param((inspection(1, Verdict.ACCEPT),), id="all accepted"),
        pytest.param((inspection(1, Verdict.REVIEW),), id="no findings"),
        pytest.param(
            (inspection(1, findings=tuple(finding(number=n) for n in range(1, 40))),), id="many findings"
        ),
        pytest.param((), id="nothing"),
    ],
)
def test_odd_batches_make_a_report(tmp_path: Path, inspections: tuple[Inspection, ...]) -> None:
    text = text_of(written(report(*inspections), tmp_path))
    assert "Disposition and signatures" in text
    for item in inspections:
        assert item.image.id in text


@pytest.mark.parametrize(
    "name",
    [
        "<b>&amp;\n\t" * 25,
        "가" * 200 + ".jpg",
        "x" * 5000,
        "</para><img src='x'/>",
        "🙂.jpg",
        "%s {page} \\ (]",
    ],
)
def test_names_of_any_kind_do_no_harm(tmp_path: Path, name: str) -> None:
    item = inspection(1, findings=(finding(),), name=name, flags=(name,))
    judgement = item.judgement.model_copy(update={"reason_en": name, "decided_by": DecidedBy.HUMAN})
    item = item.model_copy(update={"error": name, "judgement": judgement})
    lost = unreadable(2)
    lost = lost.model_copy(update={"image": lost.image.model_copy(update={"name": name, "reason": name})})
    run = RUN.model_copy(update={"lot": name, "inspector": name, "station": name})
    assert len(written(report(item, lost, run=run), tmp_path).pages) < 9


def test_an_empty_lot_is_said_to_be_missing(tmp_path: Path) -> None:
    reader = written(report(*mixed_batch(), run=RUN.model_copy(update={"lot": ""})), tmp_path)
    assert "Lot not given" in text_of(reader)


def test_an_override_is_named(tmp_path: Path) -> None:
    item = inspection(1, Verdict.ACCEPT)
    judgement = item.judgement.model_copy(
        update={"decided_by": DecidedBy.HUMAN, "reason_en": "Within drawing note 4."}
    )
    text = text_of(written(report(item.model_copy(update={"judgement": judgement})), tmp_path))
    assert "verdict decided by inspector (override): Within drawing note 4." in text


def test_remarks_are_gathered_in_the_report_s_language(tmp_path: Path) -> None:
    flagged = [
        inspection(n, Verdict.ACCEPT, flags=("image caption dropped", "no scale: no marker"))
        for n in range(1, 131)
    ]
    text = text_of(written(report(*flagged, twin_of("img_001", 131), language=Language.KO), tmp_path))
    assert text.count("사진의 자동 캡션이") == 3  # 130 ids in rows of 60
    assert "척도 없음: no marker" in text
    assert text.count("img_001 사진과 내용이 같음 (다시 세지 않음)") == 1
    assert "duplicate of" not in text


@pytest.mark.parametrize(
    ("numbers", "said", "counted"),
    [
        ((1, 2, 3), ["same content as img_001; not counted again img_002, img_003"], "1 of 1"),
        (
            (2, 3),
            ["same content as img_001 img_002", "same content as img_001; not counted again img_003"],
            "1 of 1",
        ),
    ],
)
def test_what_is_said_of_duplicates_is_what_was_counted(
    tmp_path: Path, numbers: tuple[int, ...], said: list[str], counted: str
) -> None:
    images = [inspection(1, Verdict.ACCEPT), twin_of("img_001", 2), twin_of("img_001", 3)]
    text = text_of(written(report(*(images[number - 1] for number in numbers)), tmp_path))
    assert f"({counted} inspected photographs accepted" in text
    for each in said:
        assert each in text


def test_a_korean_report_says_nothing_in_english(tmp_path: Path) -> None:
    marker = "No ArUco marker of DICT_4X4_50 was found in the picture."
    flags = ("caption dropped: img_001-1", "image caption dropped", f"no scale: {marker}")
    odd = finding().model_copy(update={"type": "unclassified", "origin": Origin.REFERENCE, "place": "centre"})
    first = held_against(inspection(1, Verdict.REJECT, (finding(), odd), scale=None, flags=flags))
    parts = [
        overridden(first, Verdict.REVIEW, "다시 볼 것", by=AGENT, at=RUN.started_at),
        held_against(
            inspection(2, Verdict.ACCEPT, (finding("img_002", unit=Unit.PX),)), strongest=Source.BATCH
        ),
        inspection(3, Verdict.REVIEW, (finding("img_003"),)),
        twin_of("img_003", 4),
        unreadable(5, reason=Reason.TRUNCATED),
    ]
    tools = ("screening", "references", "batch", "template", "localization", "captioning", "agent")
    run = RUN.model_copy(update={"models": tuple(Provenance(tool=tool, model="pocket") for tool in tools)})

    def load(image_id: str) -> ImageRgb:
        if image_id in ("img_003", "img_004"):
            raise ImageError(Reason.GONE)
        return picture(image_id)

    source = replace(report(*parts, language=Language.KO, run=run), load_image=load)
    text = text_of(written(source, tmp_path))
    english = re.findall(r"[A-Za-z]{2,}(?: [a-z]{2,})+", text)
    assert english == []
    assert "사진에서 DICT_4X4_50 ArUco 마커를 찾지 못함" in text
    assert "결함의 자동 캡션이" in text
    assert "파일이 더 이상 존재하지 않습니다" in text


def test_limits_on_pictures_are_stated(tmp_path: Path) -> None:
    item = inspection(1, findings=tuple(finding(number=n) for n in range(1, 10)))
    text = text_of(written(report(item), tmp_path))
    assert "first 6 findings of each photograph; 3 more" in text


def test_a_lost_photograph_is_said(tmp_path: Path) -> None:
    text = text_of(written(report(*mixed_batch(), lost=True), tmp_path))
    assert "The picture could not be shown: The file has vanished <since>." in text


def test_cancelling_leaves_nothing_behind(tmp_path: Path) -> None:
    cancel = threading.Event()
    with pytest.raises(Cancelled):
        write_report(
            report(*mixed_batch()), tmp_path / "report.pdf", progress=lambda *_: cancel.set(), cancel=cancel
        )
    assert list(tmp_path.iterdir()) == []


def test_progress_counts_photographs_and_twice_their_pages(tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    write_report(
        report(*mixed_batch()), tmp_path / "r.pdf", progress=lambda done, of: told.append((done, of))
    )
    assert told == [(done, 8) for done in range(1, 9)]


def test_a_folder_that_cannot_be_used_is_said(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="cannot be written"):
        write_report(report(*mixed_batch()), tmp_path / "absent" / "report.pdf")


@pytest.mark.parametrize(
    ("language", "strongest", "said"),
    [
        (Language.EN, Source.REFERENCES, "where it is unlike the 8 good parts"),
        (Language.EN, Source.TEMPLATE, "where it differs from the template"),
        (Language.EN, Source.REFERENCES, "good parts (8) 0.90; template (1) 0.60; words 0.40, did not count"),
        (Language.EN, Source.REFERENCES, "most good ones would be suspect"),
        (Language.EN, Source.REFERENCES, "0.95 at most"),
        (Language.KO, Source.REFERENCES, "양품 8개와 다른 곳"),
        (Language.KO, Source.TEMPLATE, "기준 사진과 다른 곳"),
        (Language.KO, Source.REFERENCES, "의심도의 근거"),
    ],
)
def test_heat_maps_say_whose_they_are(
    language: Language, strongest: Source, said: str, tmp_path: Path
) -> None:
    shown = held_against(inspection(1, Verdict.REJECT, (finding(),)), strongest=strongest)
    assert said in text_of(written(report(shown, language=language), tmp_path))


def test_words_alone_are_no_list_of_sources(english: PdfReader) -> None:
    assert "Sources of suspicion" not in text_of(english)


def test_a_finding_is_told_beside_its_photograph(tmp_path: Path) -> None:
    two = [
        held_against(inspection(n, findings=tuple(finding(f"img_{n:03d}", number) for number in (1, 2))))
        for n in range(1, 8)
    ]
    for page in written(report(*two), tmp_path).pages:
        text = page.extract_text()
        assert text.count("A scratch at the upper left.") == text.count("0.88")  # its confidence


@pytest.mark.parametrize("language", list(Language))
def test_two_parts_with_a_finding_each_share_a_page(tmp_path: Path, language: Language) -> None:
    said = "A scratch was found on the metal surface, at the top, and this goes on for some lines. " * 4
    found = [
        finding(f"img_{n:03d}").model_copy(update={"description": Description(en=said, ko=said)})
        for n in range(1, 7)
    ]
    rejected = [held_against(inspection(n, Verdict.REJECT, (each,))) for n, each in enumerate(found, start=1)]
    texts = [page.extract_text() for page in written(report(*rejected, language=language), tmp_path).pages]
    counts = [count for text in texts if (count := len(re.findall(r"img_00\d · ", text)))]
    assert counts[1:-1] == [2, 2]  # the first shares its page with the overview
