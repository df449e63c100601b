from __future__ import annotations

import json
import random
from pathlib import Path

import pytest
import torch
from PIL import Image
from transformers import Qwen2_5_VLForConditionalGeneration, Qwen2_5_VLProcessor

from agent.forge import training
from agent.forge.checkpoint import Size, make_model, make_processor
from agent.forge.emphasis import Emphasis
from agent.forge.evaluate import Judge, Kind
from agent.forge.exactness import exact_trials
from agent.forge.language import FOLLOWING, intents
from agent.forge.packs import Encoder, hidden_states, packed
from agent.forge.sight import Gallery
from agent.forge.training import Options, train
from agent.forge.trajectories import PICTURE_TOKENS, Past, Stage, asked, begun, make_example, prompt_of
from agent.models.messages import as_chat
from agent.models.pictures import Picture
from agent.models.scripted import ScriptedModel
from agent.models.vlm import LocalModel
from tests.agent.forge.conftest import MakeStage, grey
from tools.checkpoints import Checkpoint
from tools.forge.dataset import write_set
from tools.forge.schedule import Budget, Progress, optimizers_of
from tools.forge.training_set import Photo, read_set
from tools.records import Language

TINY = Size(hidden=64, intermediate=64, layers=1, vision_hidden=32, vision_depth=2)


@pytest.fixture(scope="module")
def processor() -> Qwen2_5_VLProcessor:
    return make_processor()


@pytest.fixture(scope="module")
def model(processor: Qwen2_5_VLProcessor) -> Qwen2_5_VLForConditionalGeneration:
    torch.manual_seed(0)
    return make_model(processor, TINY).eval()


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> list[Photo]:
    folder = tmp_path_factory.mktemp("set") / "set"
    write_set(folder, 4, 1, size_px=(256, 256), defect_rate=1.0)
    return read_set(folder)


@pytest.mark.parametrize("turns", [0, 2])
def test_a_pack_is_what_separate_conversations_are(
    make_stage: MakeStage,
    processor: Qwen2_5_VLProcessor,
    model: Qwen2_5_VLForConditionalGeneration,
    turns: int,
) -> None:
    bare = make_stage(4)
    stage = Stage(bare.steps, grey, Picture("contact sheet", Image.new("RGB", (168, 112), (9, 200, 90))))
    past, rng = Past(Language.KO, turns, 7), random.Random(2)
    examples = [
        make_example(rng, stage, past, kind="single", intent=intent)
        for intent in ("look", "report_lot", "compare") * 6  # more than one group of like length
    ]
    encoder = Encoder(processor)
    prefix = encoder.prefix(examples[0].messages, examples[0].first_written)
    branches = [encoder.branch(each.messages, each.first_written) for each in examples]
    pack = packed(model, encoder, prefix, branches)
    with torch.no_grad():
        together = hidden_states(model, pack)
    begin = 0
    for example, branch in zip(examples, branches, strict=True):
        alone = processor.apply_chat_template(
            as_chat(example.messages, lambda picture: {"type": "image", "image": picture.image}),
            tokenize=True,
            return_dict=True,
            return_tensors="pt",
        )
        assert alone["input_ids"][0].tolist() == prefix.ids + branch.ids
        with torch.no_grad():
            states = model.model(**alone).last_hidden_state[0]
        at = [len(prefix.ids) + place - 1 for place, own in enumerate(branch.is_target) if own]
        torch.testing.assert_close(together[begin : begin + len(at)], states[at], atol=2e-5, rtol=1e-4)
        begin += len(at)


def test_only_what_the_model_writes_is_learned(make_stage: MakeStage, processor: Qwen2_5_VLProcessor) -> None:
    example = make_example(random.Random(1), make_stage(), Past(Language.EN), kind="single", intent="biggest")
    piece = Encoder(processor).branch(example.messages, example.first_written)
    learned = [token for token, own in zip(piece.ids, piece.is_target, strict=True) if own]
    assert processor.tokenizer.decode(learned) == f"<code>\n{example.programs[0]}\n</code><|im_end|>"


def test_a_bare_conversation_is_the_request_and_what_answers_it(
    make_stage: MakeStage, processor: Qwen2_5_VLProcessor
) -> None:
    example = make_example(
        random.Random(0), make_stage(4), Past(Language.EN), kind="single", intent="report_lot"
    )
    encoder = Encoder(processor)
    opening = encoder.opening()
    branch = encoder.branch(example.messages, example.first_written)
    assert processor.tokenizer.decode(opening.ids + branch.ids) == (
        f"<|im_start|>user\n\nRequest: {example.request.text}<|im_end|>\n"
        f"<|im_start|>assistant\n<code>\n{example.programs[0]}\n</code><|im_end|>\n"
    )
    assert not any(opening.is_target)


def test_a_random_model_is_never_exact(
    processor: Qwen2_5_VLProcessor, model: Qwen2_5_VLForConditionalGeneration
) -> None:
    trials = [*exact_trials(model, Encoder(processor), 1, 1, is_held_out=True)]
    assert {trial.request.language for trial in trials} == {*Language}
    assert not any(trial.is_exact for trial in trials)
    assert all(trial.sureness < -1 for trial in trials)


@pytest.mark.parametrize(
    "text",
    [
        "please reprot lot QX-9/3b for img_007, and 12",
        "img_004는 긁혔으니 불합격, 로트 A-17 보고서 ㄱㄱ 뷁",
        'row = write_report(lot="A-17", language="ko")\n',
        "  두 칸\n\ttab é 你好",
    ],
)
def test_tokens_give_the_text_back(processor: Qwen2_5_VLProcessor, text: str) -> None:
    assert processor.tokenizer.decode(processor.tokenizer(text)["input_ids"]) == text


def test_a_lot_has_the_same_tokens_wherever_it_stands(processor: Qwen2_5_VLProcessor) -> None:
    words = processor.tokenizer
    lot = words("QX7-991/KZ")["input_ids"]
    assert len(lot) == len("QX7-991/KZ")
    for text in (
        "report for lot QX7-991/KZ please",
        'row = write_report(lot="QX7-991/KZ")',
        "로트QX7-991/KZ로",
    ):
        ids = words(text)["input_ids"]
        assert any(ids[at : at + len(lot)] == lot for at in range(len(ids)))


def test_the_system_prompt_is_a_token_a_line(processor: Qwen2_5_VLProcessor) -> None:
    prompt = prompt_of(has_ledger=True, has_eyes=True)
    assert len(processor.tokenizer(prompt)["input_ids"]) <= len(prompt.splitlines()) + 5


def test_questions_about_pictures_have_true_answers(photos: list[Photo]) -> None:
    gallery = Gallery(photos, random.Random(3))
    colours = 0
    for _ in range(40):
        user, assistant = gallery.task()
        [answer] = assistant.parts
        picture = user.parts[0]
        assert isinstance(picture, Picture)
        red, green, blue = picture.image.resize((1, 1)).getpixel((0, 0))
        if answer in ("red", "green", "blue"):
            colours += 1
            assert {"red": red, "green": green, "blue": blue}[answer] == max(red, green, blue)
        if answer.startswith('{"bbox_2d": '):
            box = tuple(json.loads(answer)["bbox_2d"])
            dark = picture.image.convert("L").point(lambda value: 255 * (value < 60))
            assert box == dark.getbbox()
    assert colours


@pytest.mark.parametrize(("is_young", "kinds"), [(True, {"drill"}), (False, {"words"})])
def test_a_fresh_model_copies_before_it_converses(
    processor: Qwen2_5_VLProcessor,
    model: Qwen2_5_VLForConditionalGeneration,
    photos: list[Photo],
    is_young: bool,
    kinds: set[str],
) -> None:
    rng = random.Random(0)
    young = Progress(Budget(60.0)) if is_young else None
    options = Options(sight_rate=0.0)
    samples = training._samples(
        model, Encoder(processor), Gallery(photos, rng), rng, options, young, Emphasis()
    )
    drawn = [next(samples) for _ in range(3)]
    assert {sample.kind for sample in drawn} == kinds
    assert all(bool(sample.intents) is (sample.kind == "words") for sample in drawn)


def test_a_failure_is_the_chance_that_not_all_of_a_program_is_written(
    make_stage: MakeStage, processor: Qwen2_5_VLProcessor, model: Qwen2_5_VLForConditionalGeneration
) -> None:
    stage, rng, encoder = make_stage(3), random.Random(1), Encoder(processor)
    examples = [make_example(rng, stage, Past(Language.EN), intent="report_lot") for _ in range(2)]
    pack = packed(
        model, encoder, encoder.opening(), [encoder.branch(e.messages, e.first_written) for e in examples]
    )
    half = torch.where(pack.owners == 1, torch.log(torch.tensor(2.0)), torch.tensor(0.0))
    first, second = training._failures(pack, half)
    assert first == pytest.approx(0.0)
    assert second == pytest.approx(1 - 0.5 ** int((pack.owners == 1).sum()))


def test_all_matrices_inside_eyes_and_language_are_trained_by_muon(
    model: Qwen2_5_VLForConditionalGeneration,
) -> None:
    muon, _ = optimizers_of(model, 1e-3)
    trained = {id(each) for group in muon.param_groups for each in group["params"]}
    outside = {name for name, each in model.named_parameters() if each.ndim == 2 and id(each) not in trained}
    assert outside == {"model.language_model.embed_tokens.weight"}


def test_a_training_leaves_a_checkpoint_that_loads_like_any_other(
    photos: list[Photo], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training, "_CONVERSATIONS", 2)
    monkeypatch.setattr(training, "_TASKS", 1)
    out = tmp_path / "pocket"
    train(photos, out, Budget(5, steps=1), Options(size=TINY, sight_rate=0.0))
    train(photos, out, Budget(5, steps=2), Options(start=out, sight_rate=1.0, new_eyes=True, size=TINY))
    local = LocalModel(Checkpoint("agent", "pocket", out), max_tokens=4)
    assert local.max_picture_tokens == PICTURE_TOKENS
    judge = Judge(local)
    try:
        [trial] = [next(judge.trials(1, 1))]
    finally:
        judge.close()
        local.close()
    assert all(sureness < 0 for sureness in trial.sureness)
    assert trial.kind is not Kind.RIGHT


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ('final_answer(measure("img_001"))', Kind.TOOL),
        ('final_answer(write_report(lot="no such lot"))', Kind.ARGUMENTS),
        ('final_answer("x")', Kind.TOOL),
        ("pass", Kind.BROKEN),
    ],
)
def test_a_judge_says_what_is_wrong(make_stage: MakeStage, code: str, kind: Kind) -> None:
    judge = Judge(ScriptedModel([f"<code>\n{code}\n</code>"] * 4))
    try:
        trial = judge.trial(random.Random(1), make_stage(), Past(Language.EN), "report_lot")
    finally:
        judge.close()
    assert trial.kind is kind
    assert trial.is_wrong_change is (kind is Kind.ARGUMENTS)


def test_a_judge_knows_what_is_right(make_stage: MakeStage) -> None:
    past, stage = Past(Language.EN, 1, 3), make_stage()
    first = Judge(ScriptedModel(["<code>\nfinal_answer(1)\n</code>"]))
    right = first.trial(random.Random(1), stage, past, "follow_reject").expected
    first.close()
    judge = Judge(ScriptedModel([f"<code>\n{code}\n</code>" for code in right]))
    assert judge.trial(random.Random(1), stage, past, "follow_reject").kind is Kind.RIGHT
    judge.close()


@pytest.mark.parametrize(
    ("intent", "written", "otherwise", "kind"),
    [
        ("report_lot", '")\n', '", language="en")\n', Kind.RIGHT),
        ("accept", "the user asked for it", "it is fine", Kind.RIGHT),
        ("accept", '"accept"', '"review"', Kind.ARGUMENTS),
        ("measure_over", " > ", " > 1000 + ", Kind.ANSWER),
        ("count_by_type", "inspect()\n", "rows = findings()\ninspect()\n", Kind.TOOL),
        ("count_by_type", "counts = {}", "counts = {'x': 77}", Kind.ANSWER),
        ("inspect_all", "inspect()", "inspect(threshold=None)", Kind.RIGHT),
    ],
)
def test_a_judge_accepts_what_does_the_same_and_nothing_else(
    make_stage: MakeStage, intent: str, written: str, otherwise: str, kind: Kind
) -> None:
    past, stage = Past(Language.EN), make_stage(12, seed=5)
    request = asked(random.Random(3), stage, past, "single", intent, is_held_out=True)
    [program] = begun(stage, past).take(request)
    assert written in program
    judge = Judge(ScriptedModel([f"<code>\n{program.replace(written, otherwise)}\n</code>"] * 4))
    assert judge.trial(random.Random(3), stage, past, intent).kind is kind
    judge.close()


@pytest.mark.parametrize("language", [*Language])
def test_every_program_runs_behind_the_walls_as_it_did_in_training(
    make_stage: MakeStage, language: Language
) -> None:
    stage, wanted = make_stage(9, seed=2), [*intents(language), "pair", "pair", "pair"]
    pasts = [Past(language, int(intent in FOLLOWING), n) for n, intent in enumerate(wanted)]
    programs: list[str] = []
    for n, (intent, past) in enumerate(zip(wanted, pasts, strict=True)):
        kind = "pair" if intent == "pair" else "single"
        request = asked(random.Random(n), stage, past, kind, intent, is_held_out=True)
        programs += begun(stage, past).take(request)
    judge = Judge(ScriptedModel([f"<code>\n{program}\n</code>" for program in programs]))
    trials = [
        judge.trial(random.Random(n), stage, past, intent)
        for n, (intent, past) in enumerate(zip(wanted, pasts, strict=True))
    ]
    judge.close()
    assert [trial for trial in trials if trial.kind is not Kind.RIGHT] == []
