"""
Records in png.json small pictures of all kinds, and what Pillow reads of them; of 16-bit colours, which Pillow does not read in
full, what pypng does. Written by Pillow or pypng, as each one names.
"""
import base64
import io
import json
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import png
import SimpleITK as sitk
from PIL import Image

rng = np.random.default_rng(7)
cases = []


def values(data):
    """What the independent reader makes of it, the channels one after the other, without opacity."""
    width, height, rows, info = png.Reader(bytes=data).asDirect()
    direct = np.array([list(row) for row in rows]).reshape(height, width, info["planes"])
    if info["bitdepth"] == 8 or info["planes"] == 1:
        pillow = np.array(Image.open(io.BytesIO(data)))
        assert (pillow.reshape(direct.shape) == direct).all()
    colours = direct[..., :-1] if info["alpha"] else direct
    return colours.transpose(2, 0, 1).ravel().tolist()


def add(name, data, refused=None):
    case = {"name": name, "png": base64.b64encode(data).decode()}
    if refused:
        case["refused"] = refused
    else:
        case["values"] = values(data)
    cases.append(case)


def pillow(array, **options):
    out = io.BytesIO()
    Image.fromarray(array).save(out, "png", **options)
    return out.getvalue()


def pypng(array, **options):
    out = io.BytesIO()
    height, width = array.shape[:2]
    png.Writer(width=width, height=height, **options).write(out, array.reshape(height, -1).tolist())
    return out.getvalue()


def noise(*shape, bits=8):
    smooth = np.linspace(0, 2**bits * 0.8, shape[1])[None, :] + np.linspace(0, 2**bits * 0.1, shape[0])[:, None]
    smooth = smooth.reshape(*shape[:2], *[1] * (len(shape) - 2))
    return (smooth + rng.uniform(0, 2**bits * 0.1, shape)).astype(np.uint8 if bits == 8 else np.uint16)


add("grey, 8 bits", pillow(noise(9, 13)))
add("grey, 8 bits, one pixel", pillow(noise(1, 1)))
add("grey, 16 bits", pillow(noise(7, 10, bits=16)))
add("colour, 8 bits", pillow(noise(11, 6, 3)))
add("colour, 8 bits, with pixel sizes", pillow(noise(5, 4, 3), dpi=(254, 127)))
add("colour, 16 bits", pypng(noise(6, 5, 3, bits=16), greyscale=False, bitdepth=16))
opaque = noise(5, 7, 4)
opaque[..., 3] = 255
add("colour and opacity, opaque", pillow(opaque))
grey = noise(5, 7, 2, bits=16)
grey[..., 1] = 65535
add("grey and opacity, 16 bits, opaque", pypng(grey, greyscale=True, alpha=True, bitdepth=16))
add("many chunks of pixels", pypng(noise(40, 50), greyscale=True, bitdepth=8, chunk_limit=97))

add("colour and opacity", pillow(noise(5, 7, 4)), "UnsupportedType")
add("a palette", pypng(noise(4, 4) % 3, palette=[(0, 0, 0), (255, 0, 0), (0, 255, 0)], bitdepth=8), "UnsupportedType")
add("interlaced", pypng(noise(9, 9), greyscale=True, bitdepth=8, interlace=True), "UnsupportedType")
add("one bit", pypng(noise(4, 9) % 2, greyscale=True, bitdepth=1), "UnsupportedType")
add("a transparent colour", pypng(noise(4, 9), greyscale=True, bitdepth=8, transparent=3), "UnsupportedType")
frames = [Image.fromarray(noise(4, 4)) for _ in range(2)]
out = io.BytesIO()
frames[0].save(out, "png", save_all=True, append_images=frames[1:])
add("an animation", out.getvalue(), "UnsupportedType")

with TemporaryDirectory() as folder:
    path = Path(folder) / "place.png"
    path.write_bytes(base64.b64decode(cases[4]["png"]))
    read = sitk.ReadImage(str(path))
place = {"origin": read.GetOrigin(), "direction": read.GetDirection()}

source = ", ".join(f"{name} {version(name)}" for name in ["pillow", "pypng", "SimpleITK"])
dpi = Image.open(io.BytesIO(base64.b64decode(cases[4]["png"]))).info["dpi"]
recorded = {"source": source, "place": {"name": cases[4]["name"], "dotsPerInch": dpi, **place}, "cases": cases}
Path(__file__).with_name("png.json").write_text(json.dumps(recorded) + "\n")
print(source, len(cases), place)
