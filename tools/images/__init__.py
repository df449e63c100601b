"""Images: finding, decoding and naming the photographs of a batch; the one decoder of every tool."""

from __future__ import annotations

from tools.images.batch import Batch
from tools.images.decoding import decode
from tools.images.files import SUFFIXES, printable_name, unique_name
from tools.images.sheets import contact_sheet

__all__ = ["SUFFIXES", "Batch", "contact_sheet", "decode", "printable_name", "unique_name"]
