"""Images: finding, decoding and naming the photographs of a batch; the one decoder of every tool."""

from __future__ import annotations

from tools.images.batch import Batch
from tools.images.decoding import decode
from tools.images.files import SUFFIXES, ImageSource, discover, printable_name, unique_name
from tools.images.reasons import Reason, reason_text
from tools.images.sheets import contact_sheet, thumbnail

__all__ = [
    "SUFFIXES",
    "Batch",
    "ImageSource",
    "Reason",
    "contact_sheet",
    "decode",
    "discover",
    "printable_name",
    "reason_text",
    "thumbnail",
    "unique_name",
]
