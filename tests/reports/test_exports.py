from __future__ import annotations

import csv
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import yaml
from PIL import Image

from reports.exports import write_twins
from reports.source import ReportInput
from tests.reports.builders import CENTRE_MM, CENTRE_PX, finding, inspection, mixed_batch, report
from tools.errors import Cancelled, OutputError
from tools.localization.detectors import import_ultralytics
from tools.measurement.scale_reasons import ScaleReason
from tools.records import Centre, Language, Verdict


def rows_of(source: ReportInput, folder: Path) -> list[dict[str, str]]:
    write_twins(source, folder)
    with (folder / "findings.csv").open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def test_csv_has_a_row_per_finding_and_per_image_without(tmp_path: Path) -> None:
    rows = rows_of(report(*mixed_batch()), tmp_path)
    assert [(row["image_id"], row["finding_id"]) for row in rows] == [
        ("img_001", "img_001-1"),
        ("img_001", "img_001-2"),
        ("img_002", ""),
        ("img_003", "img_003-1"),
        ("img_004", ""),
    ]
    assert (rows[0]["length_mm"], rows[0]["length_U_mm"], rows[0]["length_px"]) == ("7.25", "0.1", "")
    assert (rows[3]["length_mm"], rows[3]["length_px"]) == ("", "33.5")
    assert rows[4]["remarks"] == "The file is cut off."


@pytest.mark.parametrize(
    ("centre", "cells"),
    [
        (CENTRE_MM, ["4.05", "0.06", "3.525", "0.13", "40.5", "0.5", "35.25", "1.25"]),
        (CENTRE_PX, ["", "", "", "", "40.5", "0.5", "35.25", "1.25"]),
        (None, [""] * 8),
    ],
)
def test_csv_ends_with_the_centre(tmp_path: Path, centre: Centre | None, cells: list[str]) -> None:
    (row,) = rows_of(report(inspection(1, findings=(finding(centre=centre),))), tmp_path)
    *earlier, last = list(row)[-9], list(row)[-8:]
    assert earlier == ["description"]
    assert last == [f"centre_{axis}{u}_{unit}" for unit in ("mm", "px") for axis in "xy" for u in ("", "_U")]
    assert [row[name] for name in last] == cells


def test_csv_opens_in_excel_with_korean(tmp_path: Path) -> None:
    rows = rows_of(report(*mixed_batch(), language=Language.KO), tmp_path)
    raw = (tmp_path / "findings.csv").read_bytes()
    assert raw.startswith(b"\xef\xbb\xbf")
    assert raw.count(b"\r\n") == raw.count(b"\n") == 6
    assert rows[0]["reason"] == "5 mm보다 깁니다."


@pytest.mark.parametrize(
    ("language", "remarks"),
    [
        (
            Language.EN,
            "duplicate of img_009; caption dropped: img_001-1; no scale: The ArUco marker is only 9 px wide: "
            "too small for a scale.",
        ),
        (
            Language.KO,
            "img_009 사진과 내용이 같음; 결함의 자동 캡션이 품질 규칙에 맞지 않아 제외함; "
            "척도 없음: ArUco 마커의 너비가 9 px뿐이라 척도를 구하기에 너무 작음",
        ),
    ],
)
def test_remarks_are_in_the_report_s_language(tmp_path: Path, language: Language, remarks: str) -> None:
    why = ScaleReason.MARKER_TOO_SMALL.format(side=9)
    flags = ("duplicate of img_009", "caption dropped: img_001-1", f"no scale: {why}")
    (row,) = rows_of(report(inspection(1, flags=flags), language=language), tmp_path)
    assert row["remarks"] == remarks


@pytest.mark.parametrize(
    "name",
    [
        "=cmd|' /C calc'!A0",
        "+1.jpg",
        "-1.jpg",
        "@sum.jpg",
        "\tx.jpg",
        "\uff1d1+1",
        "\uff0b1",
        "\uff0d1",
        "\uff20x",
    ],
)
def test_names_cannot_become_formulas(tmp_path: Path, name: str) -> None:
    (row,) = rows_of(report(inspection(1, name=name)), tmp_path)
    assert row["image_name"] == "'" + name


def test_negative_numbers_stay_numbers(tmp_path: Path) -> None:
    found = finding().model_copy(update={"box_xyxy_px": (-1.5, 0.0, 10.0, 10.0)})
    (row,) = rows_of(report(inspection(1, findings=(found,))), tmp_path)
    assert float(row["x_min_px"]) == -1.5


def test_yolo_labels_enclose_the_outlines_relative_to_the_image(tmp_path: Path) -> None:
    write_twins(report(*mixed_batch()), tmp_path)
    lines = (tmp_path / "labels/line/cover_1.txt").read_text().splitlines()
    assert lines == [f"{index} {40 / 120:.6f} {35 / 90:.6f} {40 / 120:.6f} {30 / 90:.6f}" for index in (0, 1)]
    assert (tmp_path / "labels/line/cover_2.txt").read_text() == ""
    layout = yaml.safe_load((tmp_path / "data.yaml").read_text())
    assert layout["names"] == {0: "scratch", 1: "dent"}


def test_the_layout_can_be_trained_on_from_any_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import_ultralytics()
    from ultralytics.data.utils import check_det_dataset

    (tmp_path / "run/images").mkdir(parents=True)
    write_twins(report(*mixed_batch()), tmp_path / "run")
    (tmp_path / "images").mkdir()  # of something else
    monkeypatch.chdir(tmp_path)
    assert Path(check_det_dataset("run/data.yaml")["train"]) == tmp_path / "run/images"


@pytest.mark.parametrize(
    ("names", "labels"),
    [
        (["a.jpg", "a.png"], ["a.txt", "img_002.txt"]),
        (["x.jpg", "img_002.jpg", "img_002.png"], ["img_002.txt", "img_003.txt", "x.txt"]),
        (["img_002.jpg", "img_002.png"], ["img_002.txt", "img_002_.txt"]),
        (["img_001.jpg", "img_001.png", "img_002.jpg"], ["img_001.txt", "img_002.txt", "img_002_.txt"]),
        (["../up.jpg", "/etc/x.jpg"], ["etc/x.txt", "up.txt"]),
        (["긴" * 85 + ".jpg", "b.jpg"], ["b.txt", "img_001.txt"]),
        (["scan.tif#2", "A.jpg"], ["A.txt", "scan.txt"]),
        (["a.jpg", "a.txt/b.jpg"], ["a.txt", "img_002.txt"]),
        (["a.txt/b.jpg", "a.jpg"], ["a.txt/b.txt", "img_002.txt"]),
        (["A.TXT/b/c.jpg", "a.jpg"], ["A.TXT/b/c.txt", "img_002.txt"]),
        (["img_002.txt/b.jpg", "img_002.txt.jpg"], ["img_002.txt.txt", "img_002.txt/b.txt"]),
        (["img_003.txt/b.jpg", "c.jpg", "c.png"], ["c.txt", "img_003.txt/b.txt", "img_003_.txt"]),
    ],
)
def test_labels_never_collide_or_leave_the_folder(
    tmp_path: Path, names: list[str], labels: list[str]
) -> None:
    write_twins(report(*(inspection(n, name=name) for n, name in enumerate(names, start=1))), tmp_path)
    folder = tmp_path / "labels"
    files = [path for path in folder.rglob("*.txt") if path.is_file()]
    assert sorted(str(path.relative_to(folder)) for path in files) == labels


def test_overlays_show_what_was_not_accepted(tmp_path: Path) -> None:
    write_twins(report(*mixed_batch()), tmp_path)
    assert sorted(path.name for path in (tmp_path / "overlays").iterdir()) == ["img_001.jpg", "img_003.jpg"]
    with Image.open(tmp_path / "overlays/img_003.jpg") as overlay:
        assert overlay.size == (120, 90)
        red, green, blue = overlay.convert("RGB").getpixel((17, 40))
    assert red > 150 > green > blue  # the box's left side, in the colour of the first type


def test_an_overlay_goes_when_its_part_is_accepted_later(tmp_path: Path) -> None:
    found = (finding(),)
    write_twins(report(inspection(1, Verdict.REJECT, found)), tmp_path)
    write_twins(report(inspection(1, Verdict.ACCEPT, found)), tmp_path)
    assert list((tmp_path / "overlays").iterdir()) == []


def test_each_photograph_keeps_its_own_labels(tmp_path: Path) -> None:
    found = (finding("img_002"),)
    shown = [inspection(1, name="img_001.jpg"), inspection(2, Verdict.REJECT, found, name="img_001.png")]
    write_twins(report(*shown, inspection(3, name="img_002.jpg")), tmp_path)
    filled = [path.name for path in (tmp_path / "labels").iterdir() if path.read_text()]
    assert filled == ["img_002_.txt"]


def test_a_photograph_of_nothing_but_noise_has_its_overlay(tmp_path: Path) -> None:
    noise = np.random.default_rng(1).integers(0, 256, (600, 800, 3), dtype=np.uint8)
    shown = inspection(1, Verdict.REJECT, (finding(),))
    write_twins(replace(report(shown), load_image=lambda _: noise), tmp_path)
    with Image.open(tmp_path / "overlays/img_001.jpg") as overlay:
        assert overlay.size == (800, 600)


def test_equal_input_gives_equal_bytes(tmp_path: Path) -> None:
    contents = []
    for name in ("first", "second"):
        folder = tmp_path / name
        folder.mkdir()
        write_twins(report(*mixed_batch()), folder)
        contents.append(
            {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}
        )
    assert contents[0] == contents[1]
    assert len(contents[0]) == 8


def test_a_lost_photograph_costs_only_its_overlay(tmp_path: Path) -> None:
    written = write_twins(report(*mixed_batch(), lost=True), tmp_path)
    assert all(path.exists() for path in written)
    assert list((tmp_path / "overlays").iterdir()) == []


def test_cancelling_stops(tmp_path: Path) -> None:
    cancel = threading.Event()
    with pytest.raises(Cancelled):
        write_twins(report(*mixed_batch()), tmp_path, progress=lambda *_: cancel.set(), cancel=cancel)


def test_a_folder_that_cannot_be_used_is_said(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="cannot be written"):
        write_twins(report(*mixed_batch()), tmp_path / "absent")
