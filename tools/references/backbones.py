"""What turns a picture into a grid of patch features: hand-made texture, or any vision tower."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from tools.checkpoints import load_transformer, pick_device, pick_precision, resolve, weights_sha256
from tools.references.texture import texture_features
from tools.windows import covering_windows

if TYPE_CHECKING:
    from collections.abc import Sequence

    import torch
    from numpy.typing import NDArray

    from tools.checkpoints import Checkpoint
    from tools.recipe import Models, Recipe

__all__ = ["TEXTURE", "Backbone", "TextureBackbone", "TowerBackbone", "backbone_names", "load_backbone"]

TEXTURE = "texture"

_TOWERS = {
    "clip": "CLIPModel",
    "clip_vision_model": "CLIPVisionModel",
    "dinov2": "Dinov2Model",
    "dinov2_with_registers": "Dinov2WithRegistersModel",
    "siglip": "SiglipModel",
    "siglip_vision_model": "SiglipVisionModel",
}
_LAYERS = (1 / 2, 3 / 4, 1.0)  # of the depth: early ones see texture, late ones see things
_MAX_LONGER_SIDE = 4  # of the shorter side; a longer strip is squeezed
_WINDOWS_AT_ONCE = 16


class Backbone(Protocol):
    """Turns pictures into grids of patch features.

    Attributes:
        name: What a report shows: `texture`, `pocket/clip`, a path as given, or a hub id.
        weights_sha256: Hash of the weights; None where there are none.
        parameters: Everything else that changes the features.
    """

    name: str
    weights_sha256: str | None
    parameters: dict[str, int]

    def features(self, image_rgb: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Features of shape (rows, columns, channels); cells cover the picture evenly."""
        ...


class TextureBackbone:
    """Hand-made features; nothing to load, and the same on every machine.

    Args:
        side_px: Length of the shorter side of the picture that is described.
        cell_px: Side of a cell of it.
    """

    name = TEXTURE
    weights_sha256: str | None = None

    def __init__(self, side_px: int = 256, cell_px: int = 8) -> None:
        self.parameters = {"side_px": side_px, "cell_px": cell_px}

    def features(self, image_rgb: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Features of shape (rows, columns, channels); cells cover the picture evenly."""
        image_rgb = _not_too_long(image_rgb)
        return texture_features(image_rgb, self.parameters["side_px"], self.parameters["cell_px"])


class TowerBackbone:
    """Patch tokens of a vision transformer, from several of its layers.

    Windows of the tower's own input size cover the picture, so that its positions keep their meaning; where
    windows overlap, tokens are averaged. Each layer's tokens are averaged with their neighbours (3 x 3, as
    PatchCore does: Roth et al. 2022, CVPR) and brought to length 1.

    Args:
        checkpoint: A CLIP, SigLIP or DINOv2 checkpoint.
        device: As `pick_device` takes it.
        precision: As `pick_precision` takes it.
        patches: Patches along the shorter side of the picture.

    Raises:
        ModelError: The checkpoint cannot be loaded, or is of another kind.
    """

    def __init__(
        self, checkpoint: Checkpoint, *, device: str = "auto", precision: str = "auto", patches: int = 24
    ) -> None:
        device = pick_device(device)
        model, processor, folder = load_transformer(
            checkpoint, _TOWERS, device=device, precision=pick_precision(precision, device)
        )
        self.name = checkpoint.id
        self.weights_sha256: str | None = weights_sha256(folder)
        self.parameters = {"patches": patches}
        self._model = getattr(model, "vision_model", model)
        config = getattr(model.config, "vision_config", model.config)
        self._patch_px = int(config.patch_size)
        self._window = int(config.image_size) // self._patch_px
        depth = int(config.num_hidden_layers)
        self._layers = sorted({max(round(depth * share), 1) for share in _LAYERS})
        self._channels = len(self._layers) * int(config.hidden_size)
        self._processor: Any = getattr(processor, "image_processor", processor)

    def features(self, image_rgb: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Features of shape (rows, columns, channels); cells cover the picture evenly."""
        import cv2
        import torch

        image_rgb = _not_too_long(image_rgb)
        height, width = image_rgb.shape[:2]
        per_px = self.parameters["patches"] / min(height, width)
        rows, columns = (max(round(length * per_px), self._window) for length in (height, width))
        size = (columns * self._patch_px, rows * self._patch_px)
        shrinks = size[0] < width
        resized = cv2.resize(image_rgb, size, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
        windows = covering_windows(columns, rows, self._window, 0.0)
        total = np.zeros((rows, columns, self._channels), np.float32)
        count = np.zeros((rows, columns, 1), np.float32)
        for start in range(0, len(windows), _WINDOWS_AT_ONCE):
            chunk = windows[start : start + _WINDOWS_AT_ONCE]
            step = self._patch_px
            crops = [resized[y0 * step : y1 * step, x0 * step : x1 * step] for x0, y0, x1, y1 in chunk]
            with torch.inference_mode():
                tokens = self._tokens(crops).cpu().numpy()
            for (x0, y0, x1, y1), grid in zip(chunk, tokens, strict=True):
                total[y0:y1, x0:x1] += grid
                count[y0:y1, x0:x1] += 1
        return np.asarray(total / count, dtype=np.float32)

    def _tokens(self, crops_rgb: Sequence[NDArray[np.uint8]]) -> torch.Tensor:
        """Tokens of each crop, shape (crops, side, side, layers * dimension)."""
        import torch

        mean, deviation = self._normalisation
        device, dtype = self._model.device, self._model.dtype
        pixels = torch.from_numpy(np.stack(crops_rgb)).to(device).permute(0, 3, 1, 2).float() / 255
        pixels = ((pixels - mean) / deviation).to(dtype)
        states = self._model(pixel_values=pixels, output_hidden_states=True).hidden_states
        side = self._window
        layers = []
        for layer in self._layers:
            grid = states[layer][:, -side * side :].float().unflatten(1, (side, side)).permute(0, 3, 1, 2)
            pooled = torch.nn.functional.avg_pool2d(grid, 3, 1, 1, count_include_pad=False)
            layers.append(torch.nn.functional.normalize(pooled, dim=1))
        return torch.cat(layers, dim=1).permute(0, 2, 3, 1)

    @cached_property
    def _normalisation(self) -> tuple[torch.Tensor, torch.Tensor]:
        import torch

        values = (self._processor.image_mean, self._processor.image_std)
        mean, deviation = (torch.tensor(v, device=self._model.device).view(1, 3, 1, 1) for v in values)
        return mean, deviation


def backbone_names(recipe: Recipe) -> tuple[str, ...]:
    """Returns the names of what describes the patches, as `load_backbone` takes them."""
    return tuple(name.strip() for name in recipe.references.backbone.split("+"))


def load_backbone(name: str, models: Models, *, device: str = "auto", precision: str = "auto") -> Backbone:
    """Returns the backbone of a name.

    Args:
        name: `texture`; `clip` for the recipe's own CLIP; or a path, model set or hub id of a vision tower.
        models: The recipe's models.
        device: As `pick_device` takes it.
        precision: As `pick_precision` takes it.

    Raises:
        ModelError: It cannot be found or loaded.
    """
    if name == TEXTURE:
        return TextureBackbone()
    chosen = models if name == "clip" else models.model_copy(update={"clip": name})
    return TowerBackbone(resolve("clip", chosen), device=device, precision=precision)


def _not_too_long(image_rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The picture, its longer side squeezed where it is a strip that would make more cells than memory."""
    import cv2

    height, width = image_rgb.shape[:2]
    longest = _MAX_LONGER_SIDE * min(height, width)
    if max(height, width) <= longest:
        return image_rgb
    size = (min(width, longest), min(height, longest))
    return np.asarray(cv2.resize(image_rgb, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)
