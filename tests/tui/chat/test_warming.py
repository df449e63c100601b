from __future__ import annotations

import gc
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from tui.chat.warming import unhindered


@pytest.fixture
def collected() -> Iterator[list[int]]:
    """The generation of each collection that begins."""
    generations: list[int] = []

    def begin(phase: str, info: dict[str, Any]) -> None:
        if phase == "start":
            generations.append(info["generation"])

    gc.callbacks.append(begin)
    yield generations
    gc.callbacks.remove(begin)
    gc.unfreeze()


def fill() -> list[list[int]]:
    return [[number] for number in range(200_000)]


def test_nothing_is_collected_while_libraries_are_imported(collected: list[int]) -> None:
    kept = [fill()]
    assert collected
    collected.clear()
    with unhindered():
        kept.append(fill())
        with unhindered():
            kept.append(fill())
        kept.append(fill())
        assert not collected
    assert gc.isenabled()
    frozen = gc.get_freeze_count()
    assert frozen > 600_000  # and none of it is gone through again
    fill()
    assert collected
    assert gc.get_freeze_count() == frozen


def test_collection_goes_on_where_an_import_fails(collected: list[int]) -> None:
    with pytest.raises(ImportError), unhindered():
        raise ImportError
    assert gc.isenabled()


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere torch loads them itself")
def test_the_libraries_of_torch_are_there_before_torch() -> None:
    program = (
        "import sys\nfrom tui.chat.warming import _load_torch\n_load_torch()\n"
        "loaded = 'libtorch_python' in open('/proc/self/maps').read()\n"
        "sys.stdout.write(f\"{loaded} {'torch' in sys.modules}\")\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "True False"


def test_at_the_end_everything_is_collected_again() -> None:
    program = (
        "import atexit, gc, sys\n"
        "atexit.register(lambda: sys.stdout.write(str(gc.get_freeze_count())))\n"
        "from tui.chat.warming import unhindered\n"
        "with unhindered():\n    pass\n"
        "sys.stdout.write(f'{gc.get_freeze_count() > 0} ')\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "True 0"
