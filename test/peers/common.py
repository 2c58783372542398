"""What all recordings share: the example head, and how a peer's output becomes a golden case."""
import json
from importlib.metadata import version
from pathlib import Path

import nibabel
import numpy as np
from PIL import Image

ROOT = Path(__file__).resolve().parents[2]
IMAGE = "examples/data/n3_brain.nii.gz"
MASK = "examples/data/n3_brain_mask.nii.gz"


def load(name):
    """The voxels of a file named as cases name it, x fastest in memory, as single precision."""
    path = ROOT / name.replace("shared:", "../shared/data/")
    return np.asfortranarray(nibabel.load(path).get_fdata(dtype=np.float32))


def load_png(name):
    """The pixels of a picture: rows, columns and, of colours, channels."""
    return np.array(Image.open(ROOT / name.replace("shared:", "../shared/data/")))


def planes(pixels):
    """Rows, columns and channels as cases order them: x, y, and the channels one after the other."""
    return np.atleast_3d(pixels).transpose(1, 0, 2)


def source(*packages):
    """The names and versions of the packages that made a case."""
    return ", ".join(f"{package} {version(package)}" for package in packages)


def write_case(
    step,
    name,
    title,
    packages,
    output,
    options,
    inputs=None,
    most=2e-6,
    stride=(12, 12, 12),
    kind="image",
    unit=None,
    fitted=None,
):
    """Writes a case from a peer's output; `most` is in `unit`, or standard deviations of that output. `fitted` are numbers
    that it found, by their place among ours."""
    output = np.asarray(output)
    values = output[:: stride[0], :: stride[1], :: stride[2]].ravel(order="F")
    case = {
        "title": title,
        "source": source(*packages),
        "inputs": inputs or {"image": IMAGE},
        "options": options,
        "outputs": [kind],
        "expect": [
            {
                "output": kind,
                "compare": "value",
                "most": most,
                "unit": unit or float(np.std(output, dtype=np.float64)),
                "stride": list(stride),
                "values": [float(f"{value:.9g}") for value in values.tolist()],
            }
        ],
    }
    if fitted:
        case["fitted"] = fitted
    write(step, name, case)


def write(step, name, case):
    """Writes a case as it is."""
    folder = ROOT / "test/cases" / step
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.json").write_text(json.dumps(case) + "\n")
    print(step, name)
