from __future__ import annotations

from pathlib import Path

import pytest

from agent.forge.__main__ import main


@pytest.mark.parametrize(
    "command", ["train", "eyes", "blend", "evaluate", "eyesight", "calibrate", "speed", "card"]
)
def test_every_command_explains_itself(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([command, "--help"])
    assert ended.value.code == 0
    assert "--" in capsys.readouterr().out


def test_a_missing_checkpoint_is_told_with_its_exit_code(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["speed", str(tmp_path / "nowhere")]) > 0
    assert "nowhere" in capsys.readouterr().err


def test_nobody_cannot_train(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "--workers", "0", "--set", str(tmp_path / "set")]) == 2
    assert "--workers 0" in capsys.readouterr().err
    assert not (tmp_path / "set").exists()
