"""A model behind a server that speaks OpenAI's protocol: vLLM, llama.cpp, Ollama, LM Studio, NIM."""

from __future__ import annotations

import asyncio
import os
import re
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from agent.cancelling import TurnCancelled, stop_if_cancelled
from agent.models.base import (
    CONTEXT_TOKENS,
    MAX_PICTURE_TOKENS,
    MAX_TOKENS,
    ContextOverflow,
    Question,
    Reply,
    VisionModel,
)
from agent.models.families import family_of
from agent.models.messages import as_chat
from agent.models.pictures import Picture
from agent.models.repair import cut
from tools.errors import ModelError
from tools.records import Provenance

if TYPE_CHECKING:
    from openai import APIStatusError, AsyncOpenAI
    from openai.types.chat import ChatCompletionChunk
    from pydantic import JsonValue

__all__ = ["ServerModel"]

_CONNECT_S = 5.0
_POLL_S = 0.05
_ATTEMPTS = 4
_LONGEST_PAUSE_S = 30.0
_BUSY = {408, 409, 429, 500, 502, 503, 504}
# Servers differ in what they know; whatever they refuse by name is left out from then on.
_OPTIONAL = ("stream_options", "logprobs", "response_format", "stop", "temperature", "max_tokens")
_OVERFLOW = re.compile(
    r"context (?:length|size|window)|maximum (?:context|model|sequence)|exceeds? the \w* ?context"
    r"|too many (?:input )?tokens|prompt is too long|max_model_len",
    re.IGNORECASE,
)
_NO_SERVER_HINT = (
    "Start it, for example `vllm serve Qwen/Qwen2.5-VL-7B-Instruct`, and give its address up to /v1."
)


class _Busy(Exception):
    """The server may answer later.

    Args:
        error: What it said.
        pause_s: How long it asked to be left alone; None where it did not say.
    """

    def __init__(self, error: Exception, pause_s: float | None = None) -> None:
        super().__init__(f"{type(error).__name__}: {error}")
        self.pause_s = pause_s


class _BrokenOff(Exception):
    """The server began an answer and failed before its first word."""


class ServerModel(VisionModel):
    """Streams answers from a server; cancelling closes the connection, so that the server stops as well.

    Pictures go as JPEG `data:` URLs, resized here to the grid of the model's family, so that the server has
    no reason to resize them and its coordinates hold. The key is taken from `LOUPE_API_KEY` alone.

    Args:
        address: Up to and with `/v1`.
        name: Of the model; may be empty where the server offers one only.
        context_tokens: What the server says by default, or 32,768.
        max_tokens: Limit of one answer.
        max_picture_tokens: Limit of one picture.
        timeout_s: How long the server may keep silent.
        sleep: Waits between attempts; by default until the turn is cancelled at most.

    Raises:
        ModelError: No server answers there, or it offers several models and none was named.
    """

    def __init__(
        self,
        address: str,
        name: str = "",
        *,
        context_tokens: int | None = None,
        max_tokens: int = MAX_TOKENS,
        max_picture_tokens: int = MAX_PICTURE_TOKENS,
        timeout_s: float = 300.0,
        sleep: Callable[[float], None] | None = None,
    ) -> None:
        self._address = address.rstrip("/")
        self._timeout_s = timeout_s
        self._refused: set[str] = set()
        offered = asyncio.run(self._offered())
        if not name and len(offered) != 1:
            raise ModelError(
                f"`{self._address}` offers {len(offered)} models, and none was named.",
                f"Write the name after the address, `{address}#{next(iter(offered), 'name')}`. "
                f"Offered: {', '.join(list(offered)[:10]) or 'it does not tell'}.",
            )
        name = name or next(iter(offered))
        parameters: dict[str, JsonValue] = {
            "max_tokens": max_tokens,
            "max_picture_tokens": max_picture_tokens,
            "decoding": "greedy",
        }
        super().__init__(
            name,
            # Not the address: reports go to customers.
            Provenance(tool="agent", model=name, device="server", precision="", parameters=parameters),
            family_of(name),
            context_tokens or offered.get(name) or CONTEXT_TOKENS,
            max_tokens,
            max_picture_tokens,
        )
        self._sleep = sleep or self._pause

    def _pause(self, seconds: float) -> None:
        (self.cancel or threading.Event()).wait(seconds)

    def _client(self) -> AsyncOpenAI:
        from openai import AsyncOpenAI, Timeout

        return AsyncOpenAI(
            base_url=self._address,
            api_key=os.environ.get("LOUPE_API_KEY") or "none",
            timeout=Timeout(self._timeout_s, connect=_CONNECT_S),
            max_retries=0,
        )

    async def _offered(self) -> dict[str, int | None]:
        """Names of the server's models with the size of their context where it tells (vLLM does)."""
        from openai import APIConnectionError, APIError, APIStatusError

        try:
            async with self._client() as client:
                models = (await client.models.list()).data or []
        except APIConnectionError as error:
            raise ModelError(f"No server answers at `{self._address}`.", _NO_SERVER_HINT) from error
        except APIStatusError as error:
            if error.status_code in {401, 403}:
                raise self._refusal(error) from error
            return {}
        except (APIError, ValueError, AttributeError):  # a server without a list, or with one of its own kind
            return {}
        return {model.id: getattr(model, "max_model_len", None) for model in models}

    def _reply(self, question: Question) -> Reply:
        attempt = 0
        while True:
            stop_if_cancelled(self.cancel)
            try:
                return self._reply_without_what_is_refused(question)
            except _Busy as busy:
                attempt += 1
                if attempt == _ATTEMPTS:
                    raise ModelError(
                        f"`{self._address}` did not answer in {_ATTEMPTS} attempts ({busy}).",
                        "Look at the server's log, or try again later.",
                    ) from busy
                self._sleep(min(busy.pause_s or 2.0 ** (attempt - 1), _LONGEST_PAUSE_S))

    def _reply_without_what_is_refused(self, question: Question) -> Reply:
        from openai import APIStatusError

        while True:
            try:
                return asyncio.run(self._until_cancelled(question))
            except APIStatusError as error:
                said = f"{error.message} {error.body}"
                if _OVERFLOW.search(said):
                    raise ContextOverflow(error.message) from error
                if error.status_code in _BUSY:
                    raise _Busy(error, _seconds(error.response.headers.get("retry-after"))) from error
                refused = {field for field in self._request(question) if re.search(rf"\b{field}\b", said)}
                refused &= set(_OPTIONAL)
                if error.status_code not in {400, 422} or not refused:
                    raise self._refusal(error) from error
                self._refused |= refused
                if "temperature" in refused:  # reports must not call greedy what is the server's own affair
                    parameters = {**self.provenance.parameters, "decoding": "the server's own"}
                    self.provenance = self.provenance.model_copy(update={"parameters": parameters})
            except _BrokenOff as broken:
                # `transformers serve` 5.23 fails so on stop strings for a model with pictures: it looks for
                # the vocabulary in the processor. Without them the answer is cut here, at the first one.
                if "stop" not in self._request(question):
                    raise self._broke_off(broken) from broken
                self._refused.add("stop")

    def _refusal(self, error: APIStatusError) -> ModelError:
        hints = {
            401: "Set the key of the server as LOUPE_API_KEY.",
            403: "Set the key of the server as LOUPE_API_KEY.",
            404: "Check the model's name and that the address ends with /v1.",
        }
        return ModelError(
            f"`{self._address}` refused ({error.status_code}): {error.message}",
            hints.get(error.status_code, "The server's log may say more."),
        )

    def _broke_off(self, why: object) -> ModelError:
        return ModelError(
            f"The answer of `{self._address}` broke off: {why}",
            "The server's log may say more; it has to speak OpenAI's protocol.",
        )

    def _request(self, question: Question) -> dict[str, Any]:
        request: dict[str, Any] = {
            "model": self.name,
            "messages": as_chat(question.turns, _image_url),
            "temperature": 0.0,
            "max_tokens": question.max_tokens,
            "stream": True,
            "stream_options": {"include_usage": True},
            "logprobs": True,
        }
        if question.stops:
            request["stop"] = list(question.stops)
        if question.response_format:
            request["response_format"] = question.response_format
        if "max_tokens" in self._refused:
            request["max_completion_tokens"] = question.max_tokens
        return {name: value for name, value in request.items() if name not in self._refused}

    async def _until_cancelled(self, question: Question) -> Reply:
        """Asks in a task that is watched, because a server may be silent for long before its first token."""
        task = asyncio.create_task(self._stream(question))
        while not task.done():
            await asyncio.wait({task}, timeout=_POLL_S)
            if self.cancel is not None and self.cancel.is_set() and not task.done():
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
                raise TurnCancelled
        return task.result()

    async def _stream(self, question: Question) -> Reply:
        from openai import APIConnectionError, APIError, APIStatusError, APITimeoutError

        answer = _Answer()
        try:
            async with (
                self._client() as client,
                await client.chat.completions.create(**self._request(question)) as stream,
            ):
                async for chunk in stream:
                    piece = answer.add(chunk)
                    if piece and self.on_text is not None:
                        self.on_text(piece)
                    if _stopped(answer, question):
                        break
        except APIStatusError:
            raise
        except APITimeoutError as error:
            raise self._broke_off(f"it was silent for {self._timeout_s:.0f} s") from error
        except (APIError, ValueError) as error:
            if isinstance(error, APIConnectionError) and not answer.text:
                raise _Busy(error) from error
            said = str(getattr(error, "body", None) or error)
            if _OVERFLOW.search(said):
                raise ContextOverflow(said) from error
            if not answer.text:
                raise _BrokenOff(said) from error
            raise self._broke_off(said) from error
        return self._checked(answer, question)

    def _checked(self, answer: _Answer, question: Question) -> Reply:
        if answer.refused:
            raise ModelError(
                f"`{self.name}` refused to answer: {answer.text or answer.finish}.", "Rephrase it."
            )
        if answer.finish == "length" and not _stopped(answer, question):
            raise ModelError(
                f"The answer of `{self.name}` was cut off after {question.max_tokens} tokens.",
                "Ask for less at once; a model that repeats itself without end may need another precision.",
            )
        if not answer.text.strip():
            raise ModelError(
                f"The answer of `{self.name}` was empty.",
                "It may have no chat template or not take pictures; check the address as well.",
            )
        return Reply(
            answer.text,
            answer.input_tokens or self.estimated_tokens(question.turns),
            answer.output_tokens or answer.pieces,
            tuple(answer.tokens),
        )


class _Answer:
    """What has come of an answer so far."""

    def __init__(self) -> None:
        self.text = ""
        self.finish = ""
        self.refused = False
        self.input_tokens = 0
        self.output_tokens = 0
        self.pieces = 0
        self.tokens: list[tuple[int, float]] = []

    def add(self, chunk: ChatCompletionChunk) -> str:
        """Takes in one chunk; returns the text in it."""
        if chunk.usage is not None:
            self.input_tokens = chunk.usage.prompt_tokens or 0
            self.output_tokens = chunk.usage.completion_tokens or 0
        if not chunk.choices:
            return ""
        choice = chunk.choices[0]
        piece = (choice.delta.content or choice.delta.refusal or "") if choice.delta else ""
        self.refused |= (
            bool(choice.delta and choice.delta.refusal) or choice.finish_reason == "content_filter"
        )
        self.finish = choice.finish_reason or self.finish
        end = len(self.text)
        self.text += piece
        self.pieces += bool(piece)
        for token in (choice.logprobs.content or []) if choice.logprobs else []:
            end = min(end + len(token.token), len(self.text))
            self.tokens.append((end, token.logprob))
        return piece


def _stopped(answer: _Answer, question: Question) -> bool:
    """Whether a stop string was written: not every server honours them."""
    return cut(answer.text, question.stops) != answer.text


def _image_url(picture: Picture) -> dict[str, Any]:
    return {"type": "image_url", "image_url": {"url": picture.data_url()}}


def _seconds(retry_after: str | None) -> float | None:
    """What the header `Retry-After` says, where it is a number (it may be a date)."""
    try:
        return float(retry_after) if retry_after else None
    except ValueError:
        return None
