"""Loading a YOLO detector from safetensors, ONNX or a vouched-for .pt, and running it on batches."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from tools.checkpoints import Checkpoint, file_sha256, loading
from tools.errors import ModelError, UntrustedCheckpointError
from tools.home import cache_dir
from tools.localization.merging import Detection

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tools.recipe import Localization

__all__ = ["Detector", "import_ultralytics", "save_detector"]

_WEIGHTS, _SPEC = "model.safetensors", "model.yaml"


def import_ultralytics() -> Any:  # noqa: ANN401 -- an untyped module
    """Imports ultralytics tamed: offline, silent, installing nothing, and with Pillow left as it was.

    Its settings go to Loupe's cache instead of the user's home. Models are built without `eval` and weights
    read with its allow-list (`ULTRALYTICS_SAFE_LOAD`), unless the user has decided otherwise.
    """
    os.environ["YOLO_AUTOINSTALL"] = "false"
    os.environ["YOLO_OFFLINE"] = "true"
    os.environ.setdefault("YOLO_VERBOSE", "false")
    os.environ.setdefault("YOLO_CONFIG_DIR", str(cache_dir()))
    os.environ.setdefault("ULTRALYTICS_SAFE_LOAD", "true")
    import PIL.Image

    # ultralytics replaces Image.open by one that can call pip on a damaged file.
    plain_open = PIL.Image.open
    try:
        import ultralytics
    finally:
        PIL.Image.open = plain_open
    ultralytics.utils.SETTINGS["sync"] = False
    return ultralytics


class Detector:
    """A YOLO network with ultralytics' letterboxing and non-maximum suppression around it.

    Args:
        checkpoint: A folder with `model.safetensors` and `model.yaml`, an `.onnx` or a `.pt` file.
        settings: Confidence, IoU and the most findings.
        device: As `pick_device` returned it.
        half: Whether to run in float16 (CUDA only).
        vouched_sha256: Hash of a `.pt` that its owner vouches for; empty for none.
        trust: Whether any `.pt` may be loaded.

    Attributes:
        file: The file that holds the weights.
        names: Class name per index.
        image_size_px: Side of the network's input.
        fixed_batch: How many pictures an exported network always takes; None for any number.
        device: What it really runs on: an ONNX runtime built without CUDA stays on the CPU.
        is_half: Whether it really runs in float16.

    Raises:
        UntrustedCheckpointError: A `.pt` that nobody vouched for.
        ModelError: The checkpoint cannot be loaded.
    """

    def __init__(
        self,
        checkpoint: Checkpoint,
        settings: Localization,
        *,
        device: str,
        half: bool = False,
        vouched_sha256: str = "",
        trust: bool = False,
    ) -> None:
        if checkpoint.path is None:
            raise ModelError(f"The detector `{checkpoint.id}` is no file.", "Give a path to your weights.")
        self.file = _weights_file(checkpoint, checkpoint.path)
        if self.file.suffix == ".pt":
            _check_trust(self.file, vouched_sha256, trust=trust)
        with loading(checkpoint):
            import torch

            import_ultralytics()
            threads = torch.get_num_threads()
            network = _READERS[self.file.suffix](self.file)
            self.image_size_px = network.image_size_px
            self.fixed_batch = network.fixed_batch
            self._predictor = _classes(network.task)[1](
                overrides={
                    "task": network.task,
                    "mode": "predict",
                    "conf": settings.confidence,
                    "iou": settings.iou,
                    "max_det": settings.max_findings,
                    "imgsz": self.image_size_px,
                    "device": device,
                    "quantize": 16 if half else None,
                    "verbose": False,
                    "save": False,
                }
            )
            self._predictor.setup_model(network.model, verbose=False)
            torch.set_num_threads(threads)  # ultralytics takes all cores but one away from everybody
        self.device = str(self._predictor.device)
        self.is_half = bool(self._predictor.model.fp16)
        self.names = {int(index): str(name) for index, name in self._predictor.model.names.items()}

    def detect(self, images_rgb: Sequence[NDArray[np.uint8]]) -> list[list[Detection]]:
        """Detections per image, typed by class name, the most confident first, in pixels of that image.

        Args:
            images_rgb: uint8 RGB pictures (height, width, 3) of one size, so that no picture's padding, and
                with it no box, depends on what else is in the batch.
        """
        # ultralytics takes arrays as OpenCV reads them: BGR.
        images_bgr = [np.ascontiguousarray(image[..., ::-1]) for image in images_rgb]
        step = self.fixed_batch or len(images_bgr)
        found: list[list[Detection]] = []
        for start in range(0, len(images_bgr), step):
            chunk = images_bgr[start : start + step]
            filled = chunk + [chunk[-1]] * (step - len(chunk))
            found += [self._detections(result) for result in self._predictor(filled)[: len(chunk)]]
        return found

    def _detections(self, result: Any) -> list[Detection]:  # noqa: ANN401 -- ultralytics' untyped Results
        boxes = result.boxes.cpu().numpy()
        outlines = [()] * len(boxes) if result.masks is None else _mask_outlines(result)
        found = []
        for box, confidence, kind, contours in zip(boxes.xyxy, boxes.conf, boxes.cls, outlines, strict=True):
            x_min, y_min, x_max, y_max = (float(edge) for edge in box)
            name = self.names[int(kind)]
            found.append(Detection(name, float(confidence), (x_min, y_min, x_max, y_max), contours))
        return found


def save_detector(model: Any, folder: Path, *, task: str, image_size_px: int) -> None:  # noqa: ANN401
    """Writes a detector as half-precision tensors and a description of the network: nothing to unpickle.

    Args:
        model: `YOLO(...).model` of ultralytics.
        folder: Gets `model.safetensors` and `model.yaml`.
        task: `detect` or `segment`.
        image_size_px: Side of the input that it was trained for.
    """
    import yaml
    from safetensors.torch import save_file

    folder.mkdir(parents=True, exist_ok=True)
    tensors = model.state_dict()
    halved = {name: (t.half() if t.is_floating_point() else t).contiguous() for name, t in tensors.items()}
    save_file(halved, folder / _WEIGHTS, metadata={"format": "pt"})
    spec = {key: value for key, value in model.yaml.items() if key != "yaml_file"}
    spec |= {"names": dict(model.names), "imgsz": image_size_px, "task": task}
    (folder / _SPEC).write_text(yaml.safe_dump(spec, sort_keys=False), encoding="utf-8")


def _weights_file(checkpoint: Checkpoint, path: Path) -> Path:
    file = path / _WEIGHTS if path.is_dir() else path
    if file.suffix not in _READERS or not file.is_file():
        raise ModelError(
            f"`{checkpoint.id}` is no detector that can be loaded.",
            f"Give a folder with {_WEIGHTS} and {_SPEC}, an exported .onnx file, or a .pt file.",
        )
    return file


def _classes(task: str) -> tuple[Any, Any]:
    """The network and the predictor of ultralytics for a task."""
    from ultralytics.models.yolo import detect, segment
    from ultralytics.nn.tasks import DetectionModel, SegmentationModel

    classes = {
        "detect": (DetectionModel, detect.DetectionPredictor),
        "segment": (SegmentationModel, segment.SegmentationPredictor),
    }
    if task not in classes:
        raise ModelError(
            f"A detector for the task `{task}` finds no defects.", f"Train for {' or '.join(classes)}."
        )
    return classes[task]


def _check_trust(file: Path, vouched_sha256: str, *, trust: bool) -> None:
    found = file_sha256(file)
    if trust or found == vouched_sha256.lower():
        return
    raise UntrustedCheckpointError(
        f"`{file.name}` is a pickle, which can run any code when it is loaded; nobody vouched for it.",
        f"If you know where it comes from, write `detector_sha256: {found}` below `models` in the recipe, "
        "or start `loupe` with --trust-checkpoint.",
    )


class _Network(NamedTuple):
    """What a file holds: a module, or the path of an exported one, and what it was made for."""

    model: Any
    task: str
    image_size_px: int
    fixed_batch: int | None = None


def _read_safetensors(file: Path) -> _Network:
    import yaml
    from safetensors.torch import load_file

    spec = yaml.safe_load(file.with_name(_SPEC).read_text(encoding="utf-8"))
    names, image_size_px, task = spec.pop("names"), int(spec.pop("imgsz")), str(spec.pop("task"))
    model = _classes(task)[0](spec, nc=len(names), verbose=False)
    model.load_state_dict(load_file(file))  # float16 is widened to the network's float32
    model.names = {int(index): name for index, name in names.items()}
    return _Network(model, task, image_size_px)


def _read_onnx(file: Path) -> _Network:
    for package in ("onnx", "onnxruntime"):
        if importlib.util.find_spec(package) is None:
            raise ModelError(
                f"`{file.name}` needs the package {package}.", "pip install 'loupe-inspection[onnx]'"
            )
    import onnxruntime

    session = onnxruntime.InferenceSession(str(file), providers=["CPUExecutionProvider"])
    metadata = session.get_modelmeta().custom_metadata_map
    batch, _, *sides = session.get_inputs()[0].shape
    fixed = [side for side in sides if isinstance(side, int)]  # the others are names: any size will do
    return _Network(
        str(file),
        metadata.get("task", "detect"),
        max(fixed, default=640),
        batch if isinstance(batch, int) else None,
    )


def _read_pt(file: Path) -> _Network:
    from ultralytics import YOLO

    yolo = YOLO(str(file))
    size = yolo.model.args.get("imgsz", 640)
    return _Network(yolo.model, str(yolo.task), int(size if isinstance(size, int) else max(size)))


_READERS = {".safetensors": _read_safetensors, ".onnx": _read_onnx, ".pt": _read_pt}


def _mask_outlines(result: Any) -> list[tuple[tuple[tuple[float, float], ...], ...]]:  # noqa: ANN401
    """Outlines of each instance mask in pixels of the picture.

    ultralytics' own `masks.xy` runs through pixel centres and loses half a pixel all around.
    """
    from ultralytics.utils.ops import scale_coords

    from tools.measurement.outlines import outlines

    traced = []
    for mask in result.masks.data.cpu().numpy():
        outer, _ = outlines(mask.astype(np.float32))
        scaled = (scale_coords(mask.shape, points.copy(), result.orig_shape) for points in outer)
        traced.append(tuple(tuple((float(x), float(y)) for x, y in points) for points in scaled))
    return traced
