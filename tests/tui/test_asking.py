from __future__ import annotations

import json
import os
import signal
import sys
import unicodedata

import pytest
from PIL import Image

from agent.models.scripted import ScriptedModel
from agent.session import Session
from tools.errors import ExitCode, UsageError
from tools.records import Verdict
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


@pytest.mark.parametrize("request_", ["is it good? " * 50, "검사해 줘 " * 50, "good " * 50, "/" + "x" * 300])
def test_a_request_may_be_longer_than_a_file_name(request_, parts):
    assert split_words([str(parts), request_]) == ([str(parts)], [request_])


@pytest.mark.parametrize(
    "request_", ["합격/불합격?", "good/bad?", "img_001", "3.5 mm, or more?", "why?", "n.i.o."]
)
def test_a_request_of_one_word_is_no_path(request_, parts):
    assert split_words([str(parts), request_]) == ([str(parts)], [request_])


def test_images_are_found_in_the_home_folder_and_in_either_unicode_form(parts, monkeypatch):
    monkeypatch.setenv("HOME", str(parts))
    (parts / unicodedata.normalize("NFD", "사진")).mkdir()
    assert split_words(["~/part_0.png", str(parts / "사진"), "go"])[1] == ["go"]


@pytest.mark.parametrize(
    ("words", "what"),
    [
        (["nowhere", "all good?"], "nowhere"),
        (["."], "no request"),
        ([".", "nowhere/", "all good?"], "nowhere/"),
        ([".", "./nowhere", "all good?"], "nowhere"),
        ([".", "~/nowhere", "all good?"], "nowhere"),
        ([".", "part_9.PNG", "all good?"], "part_9.PNG"),
        ([".", "*.tif", "all good?"], r"\*\.tif"),
        ([".", "tests/nowhere"], "nowhere"),
    ],
)
def test_images_or_requests_that_are_missing_are_said(words, what):
    with pytest.raises(UsageError, match=what):
        split_words(words)


def test_answers_are_data_and_steps_are_narration(loupe, parts, tmp_path):
    model = answers(tmp_path, "final_answer(f'{len(images())} images')")
    done = loupe("ask", parts, "how many?", "--model", model, "--out", tmp_path / "out")
    assert (done.exit_code, done.stdout) == (ExitCode.REVIEW, "2 images\n")
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


def test_a_replay_tells_turns_only_and_not_decisions_before_any(loupe, parts, tmp_path):
    out = tmp_path / "out"
    with Session([parts], model=ScriptedModel([]), out=out) as session:
        session.decide("img_001", Verdict.REJECT, "bent")
    done = loupe("replay", out, "--json")
    assert json.loads(done.stdout) == {"turns": []}


ACCEPT_BOTH = "for each in images():\n    decide(each['id'], 'accept', 'clean')\nfinal_answer('done')"


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        ([ACCEPT_BOTH], ExitCode.ACCEPTED),
        (["final_answer(decline('Only inspection.'))"], ExitCode.REVIEW),
        (["decide('img_001', 'accept', 'clean')\nfinal_answer('done')"], ExitCode.REVIEW),
        ([ACCEPT_BOTH, "final_answer(decline('Only inspection.'))"], ExitCode.REVIEW),
    ],
)
def test_only_a_batch_that_is_all_accepted_looks_like_one(loupe, parts, tmp_path, texts, expected):
    requests = ["accept both, they are clean", "sing"][: len(texts)]
    done = loupe("ask", parts, *requests, "--model", answers(tmp_path, *texts), "--out", tmp_path / "out")
    assert done.exit_code == expected


@pytest.mark.parametrize(
    ("words", "given"),
    [
        (["and now?"], ("--out", "new")),
        (["and now?"], ("--recipe", "metal-surface")),
        ([".", "and?"], ("images",)),
    ],
)
def test_what_a_session_brings_itself_is_not_given_beside_it(loupe, parts, tmp_path, words, given):
    out = tmp_path / "out"
    model = answers(tmp_path, "final_answer('done')")
    loupe("ask", parts, "hello", "--model", model, "--out", out)
    options = given if given[0].startswith("--") else ()
    done = loupe("ask", "--resume", out, *words, *options)
    assert done.exit_code == ExitCode.USAGE
    assert f"does not go with {given[0]}" in done.stderr


def test_a_turn_that_failed_before_does_not_count_when_the_session_is_resumed(loupe, parts, tmp_path):
    out = tmp_path / "out"
    failed = loupe("ask", parts, "look", "--model", f"scripted:{tmp_path / 'none.yaml'}", "--out", out)
    assert failed.exit_code == ExitCode.MODEL
    model = answers(tmp_path, "decide('img_001', 'reject', 'bent')\nfinal_answer('img_001 is rejected.')")
    done = loupe("ask", "--resume", out, "reject 1, bent", "--model", model)
    assert done.exit_code == ExitCode.REJECTED


def test_an_answer_without_evidence_says_so(loupe, parts, tmp_path):
    model = answers(tmp_path, *["final_answer('17 scratches')"] * 2)
    done = loupe("ask", parts, "how many scratches?", "--model", model, "--out", tmp_path / "out")
    assert "unverified: the number 17" in done.stdout


@pytest.mark.parametrize("what", ["run", "file"])
def test_a_session_leaves_alone_what_is_in_its_place(loupe, parts, tmp_path, what):
    out = tmp_path / "out"
    taken = out / "run.json" if what == "run" else out
    taken.parent.mkdir(exist_ok=True)
    taken.write_text("{}")
    done = loupe("ask", parts, "hello", "--model", answers(tmp_path, "final_answer('hi')"), "--out", out)
    assert (done.exit_code, taken.read_text()) == (ExitCode.USAGE, "{}")
    assert str(out) in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere names of files are in Unicode")
@pytest.mark.parametrize("where", ["images", "request", "out"])
def test_what_a_log_cannot_hold_is_refused(loupe, parts, tmp_path, where):
    odd = os.fsdecode(b"\xff")
    folder = parts.rename(parts.with_name(odd)) if where == "images" else parts
    out = tmp_path / (odd if where == "out" else "out")
    words = [folder, f"look {odd}" if where == "request" else "look"]
    done = loupe("ask", *words, "--model", answers(tmp_path, "final_answer('hi')"), "--out", out)
    assert done.exit_code == ExitCode.USAGE
    assert "\\xff is not in UTF-8" in done.stderr


def test_a_photograph_of_any_name_is_talked_about(loupe, parts, tmp_path):
    (parts / "part_0.png").rename(parts / os.fsdecode(b"part_\xff.png"))
    model = answers(tmp_path, "final_answer(f'{len(images())} images')")
    done = loupe("ask", parts, "how many?", "--model", model, "--out", tmp_path / "out")
    assert done.stdout == "2 images\n"


def test_a_folder_without_a_session_cannot_be_resumed(loupe, tmp_path):
    done = loupe("ask", "--resume", tmp_path, "hello")
    assert done.exit_code == ExitCode.USAGE
    assert "no session" in done.stderr


def test_each_conversation_of_a_playbook_begins_anew_also_a_second_time(loupe, parts, tmp_path):
    said = {"name": "reject", "turns": [{"say": "reject 1", "expect": {"verdicts": {"img_001": "reject"}}}]}
    playbook, out = tmp_path / "playbook.yaml", tmp_path / "out"
    playbook.write_text(json.dumps({"images": str(parts), "conversations": [said, said]}))
    reject = "decide('img_001', 'reject', 'bent')\nfinal_answer('done')"
    done = loupe("run", playbook, "--out", out, "--model", answers(tmp_path, reject, "final_answer('no')"))
    assert [line.split()[0] for line in done.stdout.splitlines()[:2]] == ["pass", "FAIL"]
    again = loupe("run", playbook, "--out", out, "--model", answers(tmp_path, "final_answer('no')"))
    assert (again.exit_code, again.stdout) == (ExitCode.USAGE, "")
    assert f"{out / '001'} holds a session" in again.stderr


def test_a_model_that_fails_is_not_helped_out_in_a_playbook(loupe, parts, tmp_path):
    said = {"name": "inspect", "turns": [{"say": "inspect", "expect": {"verdicts": {"img_001": "accept"}}}]}
    playbook = tmp_path / "playbook.yaml"
    playbook.write_text(json.dumps({"images": str(parts), "conversations": [said]}))
    model = answers(tmp_path)  # has nothing to say
    done = loupe("run", playbook, "--out", tmp_path / "out", "--model", model)
    assert (done.exit_code, done.stdout.split()[0]) == (ExitCode.REJECTED, "FAIL")


def test_a_playbook_that_is_stopped_prints_what_was_held(loupe, parts, tmp_path, monkeypatch):
    held = {"name": "hello", "turns": [{"say": "hello"}]}
    stopped = {"name": "stop", "turns": [{"say": "stop"}, {"say": "go on"}]}
    playbook = tmp_path / "playbook.yaml"
    playbook.write_text(json.dumps({"images": str(parts), "conversations": [held, stopped]}))
    model = answers(tmp_path, "final_answer('hi')", "final_answer('on')")
    given = ("--out", tmp_path / "out", "--model", model, "--json")
    asked, before = Session.ask, signal.getsignal(signal.SIGINT)

    def ask(session, request):
        for event in asked(session, request):
            if request == "stop" and event.kind == "turn_started":
                signal.raise_signal(signal.SIGINT)
            yield event

    monkeypatch.setattr(Session, "ask", ask)
    done = loupe("run", playbook, *given)
    printed = json.loads(done.stdout)
    assert (done.exit_code, printed["passed"], printed["of"]) == (ExitCode.CANCELLED, 1, 1)
    assert [each["name"] for each in printed["conversations"]] == ["hello"]
    assert "1 of 2 conversations" in done.stderr
    assert signal.getsignal(signal.SIGINT) is before
