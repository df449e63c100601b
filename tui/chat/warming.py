"""Imports the large libraries beside the screen, before they are needed, without holding up the keys."""

from __future__ import annotations

import atexit
import ctypes
import gc
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

__all__ = ["unhindered", "warm"]

# What screening, localization and captions import at their first use; the rest is small beside these.
_MODULES = (
    "torch",
    "tools.screening.screener",
    "tools.localization.localizer",
    "tools.captioning.captioner",
    "transformers.models.clip.modeling_clip",
    "transformers.models.blip.modeling_blip",
    "smolagents",
)
_LIBRARIES = (("libtorch_global_deps.so", os.RTLD_GLOBAL), ("libtorch_python.so", os.RTLD_LOCAL))

atexit.register(gc.unfreeze)  # else libraries that count their objects at the end complain on the terminal

_lock = threading.Lock()
_depth = 0


@contextmanager
def unhindered() -> Iterator[None]:
    """Puts garbage collection off while a thread imports libraries; may be nested, in several threads.

    A library brings hundreds of thousands of objects, and each full collection goes through all of them with
    the interpreter locked: up to 0.3 s each, seven times while torch and transformers are imported. What is
    there at the end lives as long as the program, and is never gone through again.
    """
    global _depth
    with _lock:
        _depth += 1
        gc.disable()
    try:
        yield
    finally:
        with _lock:
            _depth -= 1
            if _depth == 0:
                gc.freeze()
                gc.enable()


def warm() -> None:
    """Imports what the first request needs; nothing else may import these libraries meanwhile."""
    with unhindered():
        _load_torch()
        for name in _MODULES:
            import_module(name)


def _load_torch() -> None:
    """Loads torch's shared libraries by a call that unlocks the interpreter; `import` keeps it locked, 0.3 s.

    Where it cannot be done, on other systems or with another build, `import torch` does it as ever.
    """
    spec = find_spec("torch")
    if sys.platform != "linux" or "torch" in sys.modules or spec is None or spec.origin is None:
        return
    load = ctypes.CDLL(None).dlopen
    load.argtypes, load.restype = (ctypes.c_char_p, ctypes.c_int), ctypes.c_void_p
    for name, scope in _LIBRARIES:
        load(os.fsencode(Path(spec.origin).parent / "lib" / name), os.RTLD_NOW | scope)
