from __future__ import annotations

import importlib.util

import pytest

from tools.errors import ModelError
from tools.quantizing import QUANTIZED, quantized


@pytest.mark.parametrize("precision", QUANTIZED)
def test_few_bits_need_a_package(monkeypatch: pytest.MonkeyPatch, precision: str) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(ModelError, match=f"{precision} needs the package bitsandbytes"):
        quantized(precision, "cpu")
