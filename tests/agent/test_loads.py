from __future__ import annotations

from collections.abc import Callable

import pytest

from agent.events import Event, LoadEnd, LoadFinished, LoadProgress, LoadStarted, Purpose
from agent.loads import told
from tests.hub import HUB_ID, WEIGHTS, Hub
from tools.downloading import Download, download


def test_a_load_tells_how_far_what_it_downloads_is(hub: Hub) -> None:
    events: list[Event] = []
    with told(events.append, Purpose.CONVERSATION, "standard"):
        download(HUB_ID, ["*.json", "*.safetensors"])
    begun, *progress, ended = events
    assert isinstance(begun, LoadStarted)
    assert isinstance(ended, LoadFinished)
    assert ended.end is LoadEnd.LOADED
    told_mb = [each.done_mb for each in progress if isinstance(each, LoadProgress)]
    assert len(told_mb) == len(progress) > 2
    assert told_mb == sorted(set(told_mb))
    last = progress[-1]
    assert isinstance(last, LoadProgress)
    assert (last.load, last.hub_id, last.done_mb) == (begun.load, HUB_ID, last.total_mb)
    assert WEIGHTS in hub.fetched


def test_a_large_download_is_told_in_thousandths(monkeypatch: pytest.MonkeyPatch) -> None:
    events: list[Event] = []
    listeners: list[Callable[[Download], None]] = []
    monkeypatch.setattr("tools.downloading._listeners", listeners)
    with told(events.append, Purpose.SCREENING, "large"):
        for done in range(10_001):
            listeners[-1](Download("owner/large", done * 1_000_000, 10_000_000_000, 1.0))
    assert len([event for event in events if isinstance(event, LoadProgress)]) == 1001
