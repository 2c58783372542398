"""Records which voxel SimpleITK's Shrink keeps first of images with random headers: writes shrink-offsets.json beside this file.

Run from the repository's root: python test/oracle/record-shrink-offsets.py [cases] [seed] [file]
"""

import json
import sys
import tempfile
from pathlib import Path

import nibabel
import numpy
import SimpleITK
from scipy.spatial.transform import Rotation

count, seed = (int(word) for word in [*sys.argv[1:3], "72", "1"][:2])
random = numpy.random.default_rng(seed)
# Codes of qform and sform. With both, and another sform than 1, ITK compares their singular vectors to choose.
codes = [(1, 0), (0, 2), (2, 1), (1, 2), (2, 4)]


def record(index: int, path: str) -> dict:
    shape = [int(n) for n in random.integers(5, 60, 3)]
    spacing = random.uniform(0.3, 3, 3)
    if random.random() < 0.5:
        spacing[:2] = random.choice([1.0, 0.88, 2.0, 0.9375, 1.5, 3.3])
    turn = numpy.diag(random.choice([-1.0, 1.0], 3))[:, random.permutation(3)]
    if random.random() < 0.8:
        turn = Rotation.from_euler("xyz", random.uniform(-0.3, 0.3, 3)).as_matrix() @ turn
    affine = numpy.eye(4)
    affine[:3, :3] = turn * spacing
    affine[:3, 3] = random.uniform(-120, 120, 3)
    image = nibabel.Nifti1Image(numpy.arange(numpy.prod(shape), dtype="int32").reshape(shape), affine)
    qform, sform = codes[index % len(codes)]
    image.set_qform(affine, qform)
    image.set_sform(affine, sform)
    nibabel.save(image, path)

    read = SimpleITK.ReadImage(path)
    factor = [min(int(n), size // 2) for n, size in zip(random.integers(2, 6, 3), shape)]
    kept = int(SimpleITK.GetArrayFromImage(SimpleITK.Shrink(read, factor)).flat[0])
    header = nibabel.load(path).header
    numbers = lambda names: [float(n) for name in names for n in numpy.atleast_1d(header[name])]
    quaternion = ["quatern_b", "quatern_c", "quatern_d", "qoffset_x", "qoffset_y", "qoffset_z"]
    # Not -0.
    direction = [value + 0.0 for value in read.GetDirection()]
    return {
        "shape": shape,
        "pixdim": numbers(["pixdim"]),
        "qform": {"code": qform, "numbers": numbers(quaternion)},
        "sform": {"code": sform, "numbers": numbers(["srow_x", "srow_y", "srow_z"])},
        "itk": {
            "spacing": read.GetSpacing(),
            "origin": read.GetOrigin(),
            "direction": [direction[0:3], direction[3:6], direction[6:9]],
        },
        "factor": factor,
        "offset": [int(n) for n in numpy.unravel_index(kept, shape)],
    }


with tempfile.TemporaryDirectory() as folder:
    cases = [record(index, f"{folder}/a.nii") for index in range(count)]
versions = f"SimpleITK {SimpleITK.__version__}, files by nibabel {nibabel.__version__}"
text = ",\n".join(json.dumps(case) for case in cases)
out = Path(sys.argv[3]) if len(sys.argv) > 3 else Path(__file__).parent / "shrink-offsets.json"
out.write_text(f'{{ "source": "{versions}", "cases": [\n{text}\n] }}\n')
