"""The pages of a PDF as pictures and as text."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

from tools.errors import OutputError

if TYPE_CHECKING:
    from pathlib import Path

    from PIL.Image import Image

__all__ = ["Pages"]

_SCALE = 2.0  # pixels per point: 144 dpi, sharp enough to zoom in on small print
_PDFIUM = threading.Lock()  # pdfium serves one thread at a time


class Pages:
    """An open PDF; its methods may be called from any thread.

    Args:
        path: The file.

    Raises:
        OutputError: It is missing, or no PDF.
    """

    def __init__(self, path: Path) -> None:
        import pypdfium2

        self.path = path
        try:
            with _PDFIUM:
                self._document: Any = pypdfium2.PdfDocument(path)
                self.count = len(self._document)
        except (OSError, pypdfium2.PdfiumError) as error:
            raise OutputError(f"the report {path} cannot be shown", f"write it again: {error}") from error

    def picture(self, index: int) -> Image:
        """Returns a page as RGB picture.

        Raises:
            OutputError: It was closed.
        """
        with self._page(index) as page:
            image: Image = page.render(scale=_SCALE).to_pil().convert("RGB")
        return image

    def text(self, index: int) -> str:
        """Returns what a page says, in the order of its lines.

        Raises:
            OutputError: It was closed.
        """
        with self._page(index) as page, closing(page.get_textpage()) as text_page:
            said: str = text_page.get_text_bounded()
        return "\n".join(line.strip() for line in said.splitlines())

    def close(self) -> None:
        """Closes the file."""
        with _PDFIUM:
            if self._document is not None:
                self._document.close()
            self._document = None

    @contextmanager
    def _page(self, index: int) -> Iterator[Any]:
        with _PDFIUM:
            if self._document is None:
                raise OutputError("the report is closed", "open it again")
            with closing(self._document[index]) as page:
                yield page
