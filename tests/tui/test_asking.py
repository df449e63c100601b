from __future__ import annotations

import json

import pytest
from PIL import Image

from tools.errors import ExitCode, UsageError
from tui.asking import split_words


@pytest.fixture
def parts(tmp_path):
    folder = tmp_path / "parts"
    folder.mkdir()
    for number in range(2):
        Image.new("RGB", (64, 64), (90 + 50 * number, 100, 110)).save(folder / f"part_{number}.png")
    return folder


def answers(folder, *texts):
    path = folder / "answers.yaml"
    path.write_text(json.dumps([f"<code>\n{text}\n</code>" for text in texts]))
    return f"scripted:{path}"


def test_what_exists_is_an_image_and_the_rest_is_said(parts, monkeypatch):
    monkeypatch.chdir(parts)
    words = ["part_0.png", "part_1.png", "is part_0.png good?", "and *.png?"]
    assert split_words(words) == (["part_0.png", "part_1.png"], ["is part_0.png good?", "and *.png?"])
    assert split_words(["*.png", "all good?"]) == (["*.png"], ["all good?"])


@pytest.mark.parametrize(("words", "what"), [(["nowhere", "all good?"], "nowhere"), (["."], "no request")])
def test_images_or_requests_that_are_missing_are_said(words, what):
    with pytest.raises(UsageError, match=what):
        split_words(words)


def test_answers_are_data_and_steps_are_narration(loupe, parts, tmp_path):
    model = answers(tmp_path, "final_answer(f'{len(images())} images')")
    done = loupe("ask", parts, "how many?", "--model", model, "--out", tmp_path / "out")
    assert (done.exit_code, done.stdout) == (ExitCode.ACCEPTED, "2 images\n")
    assert "> how many?" in done.stderr
    assert "images() ..." in done.stderr


def test_json_is_one_object_as_documented(loupe, parts, tmp_path):
    decided = "decide('img_001', 'reject', 'bent')\nfinal_answer('img_001 is rejected.')"
    model = answers(tmp_path, decided, "final_answer(decline('Only inspection.'))")
    done = loupe(
        "ask",
        parts,
        "reject 1, bent",
        "sing",
        "--model",
        model,
        "--out",
        tmp_path / "out",
        "--json",
        "--quiet",
    )
    result = json.loads(done.stdout)
    first, second = result["turns"]
    assert first.keys() >= {"request", "answer", "outcome", "steps", "seconds", "tool_calls", "artifacts"}
    assert first["tool_calls"] == [
        {"tool": "decide", "arguments": {"id": "img_001", "verdict": "reject", "reason": "bent"}}
    ]
    assert (first["outcome"], second["outcome"]) == ("answered", "declined")
    assert result["verdicts"] == {"img_001": "reject"}
    assert (done.exit_code, done.stderr) == (ExitCode.REJECTED, "")


def test_a_session_is_resumed_by_its_folder(loupe, parts, tmp_path):
    out = tmp_path / "out"
    first = answers(tmp_path, "decide('img_002', 'review', 'unclear')\nfinal_answer('done')")
    assert loupe("ask", parts, "send 2 to review, unclear", "--model", first, "--out", out).exit_code == 3
    second = answers(tmp_path, "final_answer('img_002 is in review.')")
    done = loupe("ask", "--resume", out, "and 2?", "--model", second, "--json", "--quiet")
    assert [turn["request"] for turn in json.loads(done.stdout)["turns"]] == [
        "send 2 to review, unclear",
        "and 2?",
    ]
    assert done.exit_code == ExitCode.REVIEW


def test_an_answer_without_evidence_says_so(loupe, parts, tmp_path):
    model = answers(tmp_path, *["final_answer('17 scratches')"] * 2)
    done = loupe("ask", parts, "how many scratches?", "--model", model, "--out", tmp_path / "out")
    assert "unverified: the number 17" in done.stdout


def test_a_folder_without_a_session_cannot_be_resumed(loupe, tmp_path):
    done = loupe("ask", "--resume", tmp_path, "hello")
    assert done.exit_code == ExitCode.USAGE
    assert "no session" in done.stderr
