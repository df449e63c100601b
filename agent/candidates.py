"""Asks a vision model for defects as data: validated, asked again once, then given up."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from smolagents.models import ChatMessage, MessageRole

from agent.models.families import Coordinates
from tools.glossary import UNCLASSIFIED
from tools.records import BoxXyxyPx, Language, Record

if TYPE_CHECKING:
    from agent.models.base import VisionModel
    from agent.models.pictures import Picture

__all__ = ["DefectCandidate", "NoAnswer", "Placed", "ask_candidates", "placed"]

_MAX_CANDIDATES = 20
_LANGUAGES = {Language.EN: "English", Language.KO: "Korean"}
_UNITS = {
    Coordinates.PIXELS: "pixels of the {0} x {1} picture",
    Coordinates.PER_MILLE: "thousandths of its width and height",
}
_BOX_KEYS = ("bbox_2d", "box", "bbox", "box_2d", "bounding_box")
_KEYS = {"label", "reason", "severity"}
_REQUEST = """\
Which defects do you see in this picture? Look for: {labels}.
Answer with a JSON list only, one object per defect: {{"bbox_2d": [x1, y1, x2, y2] in {units},
"label": one of the names above, "reason": what you see, in a few words of {language},
"severity": 1 (cosmetic) to 5 (unusable)}}.
Write null where you are unsure. Write [] if there is no defect."""
_RETRY = "That was not valid: {error}\nAnswer again with the JSON list only."


class DefectCandidate(Record):
    """A defect that a vision model believes to see: never a finding before the measuring tools confirmed it.

    Attributes:
        label: One of the labels asked for; None where it is unsure.
        box_xyxy_px: In pixels of the picture that was shown; None where it did not say.
        severity: 1 (cosmetic) to 5 (unusable).
    """

    label: str | None = None
    box_xyxy_px: BoxXyxyPx | None = None
    reason: str | None = None
    severity: Annotated[int, Field(ge=1, le=5)] | None = None


@dataclass(frozen=True)
class Placed:
    """A candidate in pixels of the image whose picture the model was shown."""

    label: str
    box_xyxy_px: BoxXyxyPx | None
    reason: str
    severity: int | None


@dataclass(frozen=True)
class NoAnswer:
    """What the model said could not be used.

    Attributes:
        reason: What was wrong with it.
    """

    reason: str


class _Written(BaseModel):
    """One object as the model is asked to write it."""

    model_config = ConfigDict(extra="ignore")

    bbox_2d: tuple[float, float, float, float] | None = None
    label: str | None = None
    reason: str | None = None
    severity: Annotated[int, Field(ge=1, le=5)] | None = None


def ask_candidates(
    model: VisionModel, picture: Picture, labels: Sequence[str], language: Language
) -> list[DefectCandidate] | NoAnswer:
    """Asks once, a second time with the error where the answer is not valid, and then gives up.

    Args:
        model: Any backend; one that can enforce a JSON schema is asked to.
        picture: What to look at, of the size that `model.fitted` returns.
        labels: Names of defect types; no other is accepted.
        language: Of the reasons.

    Returns:
        The candidates with boxes in pixels of the picture, clipped to it, or why there are none to trust.

    Raises:
        TurnCancelled: The user stopped the turn.
        ModelError: The model cannot answer at all.
    """
    units = _UNITS[model.family.coordinates].format(*picture.size_px)
    request = _REQUEST.format(units=units, labels=", ".join(labels), language=_LANGUAGES[language])
    shown = {"type": "image", "image": picture}
    messages = [ChatMessage(MessageRole.USER, [shown, {"type": "text", "text": request}])]
    error = ""
    for _ in range(2):
        answer = str(model.generate(messages, response_format=_schema(labels)).content)
        try:
            return _candidates(answer, model, picture, labels)
        except ValueError as wrong:
            error = _in_short(wrong)
        messages += [
            ChatMessage(MessageRole.ASSISTANT, [{"type": "text", "text": answer}]),
            ChatMessage(MessageRole.USER, [{"type": "text", "text": _RETRY.format(error=error)}]),
        ]
    return NoAnswer(error)


def placed(candidates: Sequence[DefectCandidate], x_factor: float, y_factor: float) -> list[Placed]:
    """Returns candidates in pixels of an image, given by how much wider and taller it is than its picture."""
    found = []
    for each in candidates:
        box = each.box_xyxy_px
        if box:
            box = (box[0] * x_factor, box[1] * y_factor, box[2] * x_factor, box[3] * y_factor)
        found.append(Placed(each.label or UNCLASSIFIED, box, each.reason or "", each.severity))
    return found


def _candidates(
    answer: str, model: VisionModel, picture: Picture, labels: Sequence[str]
) -> list[DefectCandidate]:
    """Raises ValueError (pydantic's included) where the answer is not what was asked for."""
    known = {label.casefold(): label for label in labels}
    found = []
    for entry in _objects(answer):
        written = _Written.model_validate(_normalised(entry))
        label = known.get(written.label.strip().casefold()) if written.label else None
        if written.label and label is None:
            raise ValueError(f"label {written.label!r} is none of: {', '.join(labels)}")
        box = written.bbox_2d
        inside = model.to_picture_xyxy_px(box, picture.size_px) if box else None
        if box and inside is None:
            raise ValueError(f"bbox_2d {list(box)} lies outside the picture")
        found.append(
            DefectCandidate(label=label, box_xyxy_px=inside, reason=written.reason, severity=written.severity)
        )
    return list(dict.fromkeys(found))[:_MAX_CANDIDATES]  # a model in a loop repeats one box without end


def _normalised(entry: dict[str, Any]) -> dict[str, Any]:
    """The keys that models write in place of those they were asked for."""
    box = next((entry[key] for key in _BOX_KEYS if entry.get(key) is not None), None)
    return {key: entry.get(key) for key in _KEYS} | {"bbox_2d": box}


def _objects(answer: str) -> list[dict[str, Any]]:
    """The objects in an answer, also where prose or a fence stands around them or its end is missing."""
    entries = list(_complete_objects(answer))
    if not entries and not re.search(r"\[\s*\]", answer):
        raise ValueError("it holds no JSON list of objects")
    return entries


def _complete_objects(answer: str) -> Iterator[dict[str, Any]]:
    decoder = json.JSONDecoder(strict=False)
    at = answer.find("{")
    while at >= 0:
        try:
            entry, end = decoder.raw_decode(answer, at)
        except ValueError:
            end = at + 1  # cut off, or the object that holds the list: look inside
        else:
            lists = [value for value in entry.values() if isinstance(value, list) and not _is_box(value)]
            if lists and not _KEYS & entry.keys():
                yield from (item for found in lists for item in found if isinstance(item, dict))
            else:
                yield entry
        at = answer.find("{", end)


def _is_box(value: list[Any]) -> bool:
    return bool(value) and all(isinstance(number, int | float) for number in value)


def _in_short(error: ValueError) -> str:
    if not isinstance(error, ValidationError):
        return str(error)
    first = error.errors(include_url=False)[0]
    return f"{'.'.join(str(part) for part in first['loc'])}: {first['msg']}"


def _schema(labels: Sequence[str]) -> dict[str, Any]:
    """The answer as a JSON schema, in the form in which OpenAI's protocol takes it."""
    number, nullable = {"type": "number"}, [{"type": "null"}]
    properties: dict[str, Any] = {
        "bbox_2d": {"anyOf": [{"type": "array", "items": number, "minItems": 4, "maxItems": 4}, *nullable]},
        "label": {"anyOf": [{"type": "string", "enum": list(labels)}, *nullable]},
        "reason": {"anyOf": [{"type": "string"}, *nullable]},
        "severity": {"anyOf": [{"type": "integer", "minimum": 1, "maximum": 5}, *nullable]},
    }
    defect = {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }
    listed = {"type": "array", "items": defect, "maxItems": _MAX_CANDIDATES}
    return {"type": "json_schema", "json_schema": {"name": "defects", "schema": listed}}
