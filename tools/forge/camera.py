"""Light and lens: shades layers into linear light, and turns that into what a sensor and a JPEG keep."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from tools.errors import LoupeError
from tools.forge.textures import FloatImage, Rng

__all__ = [
    "Camera",
    "Layers",
    "Lighting",
    "Window",
    "choose_camera",
    "choose_lighting",
    "develop",
    "encode_jpeg",
    "shade",
    "to_display",
]

Window = tuple[slice, slice]

_FIELD_STEP = 16  # the directions of light and view vary slowly: computed every 16 px, then interpolated


@dataclass
class Layers:
    """The scene as arrays, one value per pixel.

    Attributes:
        height: HxW in pixels, towards the camera.
        albedo: HxWx3, linear RGB.
        gloss: HxW, weight of the highlight.
        lobe: HxWx2, width of the highlight along and across the grain.
        tangent_x, tangent_y: HxW, direction of the grain.
        tint: Colour of the highlight.
        shadow: HxW, share of the lamps' light that arrives.
    """

    height: FloatImage
    albedo: FloatImage
    gloss: FloatImage
    lobe: FloatImage
    tangent_x: FloatImage
    tangent_y: FloatImage
    tint: tuple[float, float, float]
    shadow: FloatImage

    def cut(self, window: Window) -> Layers:
        """Returns a copy of a window, free to be changed."""
        return Layers(
            self.height[window].copy(),
            self.albedo[window].copy(),
            self.gloss[window].copy(),
            self.lobe[window].copy(),
            self.tangent_x[window],
            self.tangent_y[window],
            self.tint,
            self.shadow[window].copy(),
        )


@dataclass(frozen=True)
class Lighting:
    """The lamps and the sky.

    Attributes:
        lamps: Per lamp the direction towards it times its fall-off (HxWx3), the half vector between it and
            the eye (HxWx3), and its colour.
        ambient: Colour of the light from all sides.
        shadow_xy: Unit vector in which shadows fall.
    """

    lamps: tuple[tuple[FloatImage, FloatImage, tuple[float, float, float]], ...]
    ambient: tuple[float, float, float]
    shadow_xy: tuple[float, float]


@dataclass(frozen=True)
class Camera:
    """What the lens and the sensor do, chosen once per picture."""

    exposure: float
    blur_px: float
    vignette: float
    shot_noise: float
    read_noise: float
    sharpen: float
    contrast: float
    jpeg_quality: int


def _unit(field: FloatImage) -> FloatImage:
    norm = np.sqrt(np.sum(field * field, axis=-1, keepdims=True))
    return np.asarray(field / np.maximum(norm, np.float32(1e-6)), np.float32)


def _white(warmth: float, power: float) -> tuple[float, float, float]:
    """Returns the colour of a lamp from bluish (-1) to yellowish (1)."""
    return power * (1 + 0.12 * warmth), power, power * (1 - 0.16 * warmth)


def _lamp(
    points: FloatImage, eye: FloatImage, where: FloatImage, shape: tuple[int, int]
) -> tuple[FloatImage, FloatImage]:
    """Returns the direction times fall-off, and the half vector, of a lamp at full resolution."""
    towards = where - points
    falloff = np.sum(where * where) / np.sum(towards * towards, axis=-1, keepdims=True)
    light = _unit(towards)
    full = [
        cv2.resize(np.asarray(field, np.float32), shape[::-1], interpolation=cv2.INTER_LINEAR)
        for field in (light * falloff, _unit(light + eye))
    ]
    return np.asarray(full[0], np.float32), np.asarray(full[1], np.float32)


def choose_lighting(rng: Rng, shape: tuple[int, int]) -> Lighting:
    """Hangs one or two lamps over the bench, each at a place and of a colour temperature of its own."""
    height, width = shape
    size = float(max(shape))
    ys, xs = np.mgrid[: height // _FIELD_STEP + 2, : width // _FIELD_STEP + 2].astype(np.float32)
    points = np.dstack(
        (xs * (width / xs.max()) - width / 2, ys * (height / ys.max()) - height / 2, np.zeros_like(xs))
    ).astype(np.float32)
    eye = _unit(np.array([0, 0, rng.uniform(2.0, 4.0) * size], np.float32) - points)
    azimuth = rng.uniform(0, 2 * np.pi)
    lamps = []
    for index in range(1 if rng.random() < 0.4 else 2):
        turn = azimuth if index == 0 else azimuth + rng.uniform(1.5, 4.8)
        rise, distance = rng.uniform(0.55, 1.1), rng.uniform(1.4, 4.0) * size
        flat = distance * np.cos(rise)
        where = np.array([flat * np.cos(turn), flat * np.sin(turn), distance * np.sin(rise)], np.float32)
        power = 1.0 if index == 0 else rng.uniform(0.2, 0.6)
        lamps.append((*_lamp(points, eye, where, shape), _white(rng.uniform(-1, 1), power)))
    ambient = _white(rng.uniform(-0.7, 0.7), rng.uniform(0.2, 0.5))
    return Lighting(tuple(lamps), ambient, (-float(np.cos(azimuth)), -float(np.sin(azimuth))))


def _slopes(height: FloatImage) -> tuple[FloatImage, FloatImage]:
    kernel = np.array([[-0.5, 0, 0.5]], np.float32)
    across = cv2.filter2D(height, -1, kernel, borderType=cv2.BORDER_REPLICATE)
    down = cv2.filter2D(height, -1, kernel.T, borderType=cv2.BORDER_REPLICATE)
    return np.asarray(across, np.float32), np.asarray(down, np.float32)


def shade(layers: Layers, lighting: Lighting, window: Window) -> FloatImage:
    """Returns the light (HxWx3, linear RGB) that a window of the scene sends to the camera.

    Lambert's diffuse term and Ward's anisotropic highlight (Ward, SIGGRAPH 1992), the slopes of the height
    field being small.

    Args:
        layers: The layers of that window alone.
        lighting: The lamps over the whole picture.
        window: Where it lies in the picture.
    """
    slope_x, slope_y = _slopes(layers.height)
    norm = 1 / np.sqrt(1 + slope_x * slope_x + slope_y * slope_y)
    tx, ty = layers.tangent_x, layers.tangent_y
    slope_t, slope_b = slope_x * tx + slope_y * ty, slope_y * tx - slope_x * ty
    light_sum = np.empty((*layers.height.shape, 3), np.float32)
    glint_sum = np.zeros_like(light_sum)
    light_sum[...] = np.asarray(lighting.ambient, np.float32)
    for towards, half, colour in lighting.lamps:
        lx, ly, lz = cv2.split(towards[window])
        lambert = np.maximum((lz - slope_x * lx - slope_y * ly) * norm, 0) * layers.shadow
        hx, hy, hz = cv2.split(half[window])
        along = (hx * tx + hy * ty + slope_t * hz) / (hz * layers.lobe[..., 0])
        across = (hy * tx - hx * ty + slope_b * hz) / (hz * layers.lobe[..., 1])
        glint = cv2.exp(-(along * along + across * across)) * layers.gloss * layers.shadow
        for channel in range(3):
            light_sum[..., channel] += np.float32(colour[channel]) * lambert
            glint_sum[..., channel] += np.float32(colour[channel] * layers.tint[channel]) * glint
    return np.asarray(layers.albedo * light_sum + glint_sum, np.float32)


def choose_camera(rng: Rng, light: FloatImage, part_mask: NDArray[np.bool_], scale: float) -> Camera:
    """Sets exposure for the part and picks a lens and a sensor, from careful to careless."""
    luminance = light @ np.array([0.2126, 0.7152, 0.0722], np.float32)
    part = luminance[::8, ::8][part_mask[::8, ::8]]
    grey = float(np.mean(part)) if part.size else float(np.mean(luminance))
    # Cameras expose towards a middle grey, yet black rubber stays darker than white paint.
    target = 0.21 * (grey / 0.3) ** 0.5 * float(np.exp(rng.uniform(-0.35, 0.4)))
    return Camera(
        exposure=target / max(grey, 1e-3),
        blur_px=float(rng.choice([0.0, 0.5, 0.8, 1.1], p=[0.3, 0.35, 0.25, 0.1])) * scale,
        vignette=float(rng.uniform(0.0, 0.35)),
        shot_noise=float(rng.uniform(0.002, 0.011)),
        read_noise=float(rng.uniform(0.0003, 0.002)),
        sharpen=float(rng.uniform(0.0, 0.8)),
        contrast=float(rng.uniform(0.0, 0.5)),
        jpeg_quality=int(rng.integers(82, 97)),
    )


def to_display(light: FloatImage, camera: Camera) -> FloatImage:
    """Returns display values in [0, 1] (HxWx3): exposure, filmic curve and gamma, more or less of an S-curve.

    The curve is K. Narkowicz's fit of the ACES reference rendering (2015).
    """
    a, b, c, d, e = (np.float32(k) for k in (2.51, 0.03, 2.43, 0.59, 0.14))
    x = np.maximum(light * np.float32(camera.exposure), 0)
    film = x * (a * x + b) / (x * (c * x + d) + e)
    value = cv2.pow(np.minimum(film, 1), 1 / 2.2)
    curve = value * value * (3 - 2 * value)
    return np.asarray(value + np.float32(camera.contrast) * (curve - value), np.float32)


def encode_jpeg(image_rgb: NDArray[np.uint8], quality: int) -> bytes:
    """Returns the JPEG bytes of an HxWx3 RGB image."""
    done, packed = cv2.imencode(".jpg", image_rgb[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not done:
        raise LoupeError("an image could not be encoded as JPEG")
    return bytes(packed.tobytes())


def develop(rng: Rng, light: FloatImage, camera: Camera) -> NDArray[np.uint8]:
    """Takes the picture: vignetting, tone, blur, shot and read noise, sharpening, 8 bits, JPEG.

    Args:
        rng: Source of the noise.
        light: HxWx3 linear RGB.
        camera: What takes it.

    Returns:
        HxWx3 RGB.
    """
    height, width = light.shape[:2]
    ys, xs = np.ogrid[:height, :width]
    radius2 = ((xs - width / 2) ** 2 + (ys - height / 2) ** 2) / ((width / 2) ** 2 + (height / 2) ** 2)
    value = to_display(
        light * (1 - np.float32(camera.vignette) * radius2.astype(np.float32))[..., None], camera
    )
    # Blurred after the tone curve, where a lens blurs before it: so half contrast stays at the true edge,
    # and a size measured there can be compared with the truth.
    if camera.blur_px > 0:
        value = np.asarray(cv2.GaussianBlur(value, (0, 0), camera.blur_px), np.float32)
    # Under gamma, shot noise is nearly even and read noise grows towards the shadows.
    sigma = np.hypot(np.float32(camera.shot_noise), np.float32(camera.read_noise) / (value + np.float32(0.1)))
    value = value + sigma * rng.standard_normal(value.shape, dtype=np.float32)
    if camera.sharpen > 0:
        value = value + np.float32(camera.sharpen) * (value - cv2.GaussianBlur(value, (0, 0), 1.2))
    image = np.clip(value * 255 + 0.5, 0, 255).astype(np.uint8)
    packed = np.frombuffer(encode_jpeg(image, camera.jpeg_quality), np.uint8)
    decoded = cv2.imdecode(packed, cv2.IMREAD_COLOR_RGB)
    return np.ascontiguousarray(decoded, np.uint8)
