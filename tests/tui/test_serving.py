from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.tui.conftest import Done
from tools.errors import ExitCode


@pytest.mark.parametrize(
    ("raised", "code"), [(None, ExitCode.ACCEPTED), (KeyboardInterrupt(), ExitCode.CANCELLED)]
)
def test_the_server_leaves_at_once(
    loupe: Callable[..., Done], monkeypatch: pytest.MonkeyPatch, raised: BaseException | None, code: ExitCode
) -> None:
    def serve(*_: object, **__: object) -> None:
        if raised:
            raise raised

    ended: list[ExitCode] = []
    monkeypatch.setattr("agent.mcp_server.serve", serve)
    monkeypatch.setattr("tui.serving.end_at_once", ended.append)
    assert loupe("mcp", "batch", "--no-ledger").exit_code == code
    assert ended == [code]
