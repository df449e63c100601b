from __future__ import annotations

import sys
from io import BytesIO

import pypdfium2 as pdfium
import pytest
from reportlab.pdfbase.pdfmetrics import stringWidth
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Paragraph, SimpleDocTemplate

from reports.edition import Edition
from reports.fonts import BOLD, REGULAR, elide, esc, font_path, missing_glyphs, plain, register_fonts
from reports.styles import BODY
from reports.tables import grid
from reports.words import WORDS
from tests.reports.builders import inspection, report
from tools.errors import LoupeError
from tools.glossary import unit_symbol
from tools.records import DecidedBy, Language, Origin, ScaleSource, ScreeningStatus, Unit, Verdict


def test_the_font_package_is_located_without_importing_it() -> None:
    assert font_path().is_file()
    assert "koreanize_matplotlib" not in sys.modules


def test_a_missing_font_says_what_to_install() -> None:
    with pytest.raises(LoupeError) as raised:
        font_path("NoSuchFont")
    assert "pip install" in raised.value.hint


@pytest.mark.parametrize("key", WORDS)
def test_every_label_can_be_drawn_in_both_languages(key: str) -> None:
    assert [missing_glyphs(text) for text in WORDS[key]] == ["", ""]
    assert all(WORDS[key])


@pytest.mark.parametrize("key", WORDS)
def test_both_languages_fill_the_same_values(key: str) -> None:
    english, korean = WORDS[key]
    slots = [{part.split("}")[0] for part in text.split("{")[1:]} for text in (english, korean)]
    assert slots[0] == slots[1]


def test_every_member_of_the_records_has_its_words() -> None:
    edition = Edition.of(report(language=Language.KO))
    assert all(edition.verdict(verdict) for verdict in Verdict)
    judgements = [inspection().judgement.model_copy(update={"decided_by": who}) for who in DecidedBy]
    assert all(edition.decided_by(judgement) for judgement in judgements)
    for prefix, members in (("origin", Origin), ("status", ScreeningStatus), ("scale", ScaleSource)):
        assert all(f"{prefix}.{member}" in WORDS for member in members)


def test_units_and_signs_of_values_can_be_drawn() -> None:
    assert missing_glyphs("".join(unit_symbol(unit) for unit in Unit) + "±≥×·…Ø–□") == ""


@pytest.mark.parametrize(
    ("text", "drawn"),
    [
        ("가.jpg", "가.jpg"),  # decomposed, as macOS writes it
        ("5 µm ⌀", "5 μm Ø"),
        ("two\nlines\tand\x00more", "two lines and more"),
        ("🙂✓", "□□"),
    ],
)
def test_any_text_becomes_drawable(text: str, drawn: str) -> None:
    assert plain(text) == drawn
    assert missing_glyphs(plain(text)) == ""


def drawn(text: str, font: str) -> tuple[bytes, str]:
    """Returns the pixels of a page that says this, and the text that is read from it."""
    register_fonts()
    pdf = BytesIO()
    canvas = Canvas(pdf, pagesize=(80, 30))
    canvas.setFont(font, 16)
    canvas.drawString(10, 10, text)
    canvas.save()
    page = pdfium.PdfDocument(pdf)[0]
    return page.render(scale=2).to_numpy().tobytes(), page.get_textpage().get_text_bounded()


@pytest.mark.parametrize("font", [REGULAR, BOLD])
def test_a_backslash_is_drawn_and_read_as_one(font: str) -> None:
    pixels, text = drawn("a\\b", font)
    assert text == "a\\b"
    assert pixels == drawn("a＼b", font)[0]
    assert pixels != drawn("a₩b", font)[0]


def test_markup_cannot_be_smuggled_in() -> None:
    assert esc('<b>&amp; "x"') == '&lt;b&gt;&amp;amp; "x"'


@pytest.mark.parametrize("width", [1.0, 20.0, 80.0, 1000.0])
def test_elided_text_fits_and_keeps_the_end(width: float) -> None:
    register_fonts()
    name = "매우 긴 이름 " * 5 + "_0042.jpg"
    short = elide(name, width, 8)
    assert short == "…" or stringWidth(short, REGULAR, 8) <= width
    assert short == name if width == 1000 else "…" in short
    if width == 80:
        assert short.endswith("2.jpg")


@pytest.mark.parametrize("is_cell", [False, True])
def test_a_square_is_a_raised_digit_that_can_be_read_and_copied(is_cell: bool) -> None:
    register_fonts()
    cell = grid([["area"], ["43 mm²"]], [80])[0] if is_cell else Paragraph(esc("43 mm²"), BODY)
    pdf = BytesIO()
    SimpleDocTemplate(pdf).build([cell])
    text = pdfium.PdfDocument(pdf)[0].get_textpage()
    said = text.get_text_range()
    assert "43 mm²" in said
    letter, square = (text.get_charbox(said.index("mm²") + place) for place in (1, 2))
    assert square[1] - letter[1] > 0.4 * (letter[3] - letter[1])  # its foot is above the letter's
    assert square[3] - square[1] > 0.5 * (letter[3] - letter[1])  # and it is no speck
