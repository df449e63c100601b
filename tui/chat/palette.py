"""Images in the command palette: a few letters of a name or an id go to the image."""

from __future__ import annotations

from functools import partial

from textual.command import Hit, Hits, Provider

from tui.chat.workspace import Workspace

__all__ = ["ImageProvider"]

_MOST = 30


class ImageProvider(Provider):
    """Finds images of the batch."""

    async def search(self, query: str) -> Hits:
        """Yields the images whose id or file name fits."""
        workspace = self.screen
        if not isinstance(workspace, Workspace) or workspace.session is None:
            return
        matcher, found = self.matcher(query), 0
        for record in workspace.session.batch.records:
            name = f"{record.id} {record.name}"
            if (score := matcher.match(name)) > 0:
                show = partial(workspace.action_show_image, record.id)
                yield Hit(score, matcher.highlight(name), show)
                found += 1
            if found == _MOST:
                return
