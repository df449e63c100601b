from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = (
    "torch",
    "transformers",
    "ultralytics",
    "cv2",
    "textual",
    "reportlab",
    "smolagents",
    "skimage",
    "scipy",
)


@pytest.mark.parametrize(
    "arguments", [["--help"], ["inspect", "--help"], ["recipe", "check", "--help"], ["--version"]]
)
def test_help_answers_without_heavy_imports(arguments: list[str]) -> None:
    program = (
        "import sys\n"
        "from tui.cli import app\n"
        f"try:\n    app({arguments!r})\n"
        "except SystemExit:\n    pass\n"
        f"heavy = set({HEAVY!r}) & set(sys.modules)\n"
        "sys.stderr.write(' '.join(sorted(heavy)))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.stderr == ""
    assert done.returncode == 0
    assert done.stdout
