"""Loading a model's weights in few bits, where the package for that is installed."""

from __future__ import annotations

import importlib.util
import logging
from typing import Any

from tools.errors import ModelError

__all__ = ["QUANTIZED", "quantized"]

QUANTIZED: dict[str, dict[str, Any]] = {
    "int8": {"load_in_8bit": True},
    "int4": {"load_in_4bit": True, "bnb_4bit_quant_type": "nf4"},
}
"""What bitsandbytes is told for a precision: LLM.int8 (arXiv 2208.07339), or NF4 (arXiv 2305.14314)."""


def quantized(precision: str, device: str) -> dict[str, Any]:
    """Returns what `from_pretrained` needs to load linear layers in a precision of `QUANTIZED`.

    Raises:
        ModelError: bitsandbytes is not installed.
    """
    if importlib.util.find_spec("bitsandbytes") is None:
        raise ModelError(
            f"The precision {precision} needs the package bitsandbytes, which is not installed.",
            "pip install bitsandbytes, or do without: `--precision auto`, and "
            "`captioning.load_in_8bit: false` in the recipe.",
        )
    from transformers import BitsAndBytesConfig

    logging.getLogger("bitsandbytes").setLevel(logging.ERROR)  # it tells of each product that it casts
    return {"quantization_config": BitsAndBytesConfig(**QUANTIZED[precision]), "device_map": {"": device}}
