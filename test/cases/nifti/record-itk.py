"""Records where SimpleITK places NIfTI files whose forms differ: writes itk.json beside this file.

Run from the repository's root: python test/cases/nifti/record-itk.py && npx biome check --write test/cases/nifti
"""

import json
import struct
import tempfile
from pathlib import Path

import SimpleITK

here = Path(__file__).parent
dim = [3, 4, 3, 2, 1, 1, 1, 1]
size = [1, 0.9, 1.1, 3, 1, 1, 1, 1]
plain = [0, 0, 0, 5, -6, 7]
turned = [0, 0, 0.1, 5, -6, 7]
same = [0.9, 0, 0, 5, 0, 1.1, 0, -6, 0, 0, 3, 7]
moved = [0.9, 0, 0, 1, 0, 1.1, 0, 2, 0, 0, 3, 3]
scaled = [2, 0, 0, 5, 0, 2, 0, -6, 0, 0, 2, 7]
flipped = [-0.9, 0, 0, 5, 0, 1.1, 0, -6, 0, 0, 3, 7]
sheared = [0.9, 0.3, 0, 5, 0, 1.1, 0, -6, 0, 0, 3, 7]
slight = [0.9, 0.0001, 0, 5, 0, 1.1, 0, -6, 0, 0, 3, 7]
tilted = [0.88, -0.2, 0, 1, 0.16, 1.08, 0, 2, 0, 0, 3, 3]
# Names, then dim, pixdim, qform, sform; forms are (code, numbers).
cases = {
    "both, equal": (dim, size, (1, plain), (1, same)),
    "both, moved, codes 1 1": (dim, size, (1, plain), (1, moved)),
    "both, moved, codes 1 2": (dim, size, (1, plain), (2, moved)),
    "both, moved, codes 2 4": (dim, size, (2, plain), (4, moved)),
    "both, turned, codes 1 2": (dim, size, (1, turned), (2, same)),
    "both, flipped, codes 1 2": (dim, size, (1, plain), (2, flipped)),
    "both, flipped, codes 1 1": (dim, size, (1, plain), (1, flipped)),
    "sform alone, code 2": (dim, size, (0, plain), (2, moved)),
    "sform alone, code 4": (dim, size, (0, plain), (4, flipped)),
    "sform alone, other sizes": (dim, size, (0, plain), (1, scaled)),
    "both, other sizes, codes 1 1": (dim, size, (1, plain), (1, scaled)),
    "both, other sizes, codes 1 2": (dim, size, (1, plain), (2, scaled)),
    "sform alone, no sizes": (dim, [1, 0, 0, 0, 0, 0, 0, 0], (0, plain), (1, scaled)),
    "sform alone, a negative size": (dim, [1, -0.9, 1.1, 3, 1, 1, 1, 1], (0, plain), (1, same)),
    "qform alone": (dim, size, (1, turned), (0, same)),
    "qform alone, qfac -1": (dim, [-1, *size[1:]], (1, turned), (0, same)),
    "neither": (dim, size, (0, plain), (0, same)),
    "neither, two dimensions": ([2, 4, 3, 1, 1, 1, 1, 1], size, (0, plain), (0, same)),
    "sheared sform alone": (dim, size, (0, plain), (1, sheared)),
    "slightly sheared sform alone": (dim, size, (0, plain), (1, slight)),
    "both, sform sheared, codes 1 1": (dim, size, (1, plain), (1, sheared)),
    "both, sform sheared, codes 1 2": (dim, size, (1, plain), (2, sheared)),
    "sform of a code that does not exist": (dim, size, (1, plain), (9, moved)),
    "sform sheared a little and moved, codes 1 1": (dim, size, (1, plain), (1, tilted)),
    "both, flipped and moved, codes 1 2": (dim, size, (1, plain), (2, [-0.9, 0, 0, 1, 0, 1.1, 0, 2, 0, 0, 3, 3])),
    "both, x and y flipped, codes 1 2": (dim, size, (1, plain), (2, [-0.9, 0, 0, 5, 0, -1.1, 0, -6, 0, 0, 3, 7])),
    "both, z flipped, codes 2 3": (dim, size, (2, plain), (3, [0.9, 0, 0, 5, 0, 1.1, 0, -6, 0, 0, -3, 7])),
    "both, axes exchanged, codes 1 2": (dim, size, (1, plain), (2, [0, 1.1, 0, 5, 0.9, 0, 0, -6, 0, 0, 3, 7])),
    "both, flipped, turned, codes 1 2": (dim, size, (1, turned), (2, [-0.9, 0, 0, 5, 0, 1.1, 0, -6, 0, 0, 3, 7])),
    "both, moved by 0.01, codes 1 2": (dim, size, (1, plain), (2, [0.9, 0, 0, 5.01, 0, 1.1, 0, -6, 0, 0, 3, 7])),
    "both, turned by 0.01, codes 1 2": (dim, size, (1, [0, 0, 0.01, 5, -6, 7]), (2, same)),
    "qform alone, a negative size": (dim, [1, 0.9, -1.1, 3, 1, 1, 1, 1], (1, turned), (0, same)),
    "qform alone, a size of 0": (dim, [1, 0.9, 0, 3, 1, 1, 1, 1], (1, turned), (0, same)),
    "metres": (dim, size, (1, plain), (1, same), 1),
    "micrometres": (dim, size, (1, plain), (1, same), 3),
}


def file(dim, pixdim, qform, sform, units=2):
    b = bytearray(352 + 24)
    put = lambda at, form, *v: struct.pack_into("<" + form, b, at, *v)
    put(0, "i", 348)
    put(40, "8h", *dim)
    put(70, "hh", 2, 8)
    put(76, "8f", *pixdim)
    put(108, "fff", 352, 1, 0)
    put(123, "b", units)
    put(252, "hh", qform[0], sform[0])
    put(256, "18f", *qform[1], *sform[1])
    b[344:347] = b"n+1"
    return bytes(b[: 352 + dim[1] * dim[2] * dim[3]])


def placed(fields):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.nii"
        path.write_bytes(file(*fields))
        try:
            image = SimpleITK.ReadImage(str(path))
        except RuntimeError as error:
            return None, str(error).strip().splitlines()[-1].strip()
    n = image.GetDimension()
    spacing, origin, direction = image.GetSpacing(), image.GetOrigin(), image.GetDirection()
    # Two dimensions in three; LPS to RAS.
    cell = lambda i, k: (direction[i * n + k] * spacing[k] if i < n and k < n else float(i == k)) * (-1 if i < 2 else 1)
    at = lambda i: (origin[i] if i < n else 0.0) * (-1 if i < 2 else 1)
    return [[*(cell(i, k) + 0.0 for k in range(3)), at(i) + 0.0] for i in range(3)], None


def case(name, fields):
    affine, error = placed(fields)
    return {"name": name, "fields": fields, "affine": affine, **({"error": error} if error else {})}


text = ",\n".join(json.dumps(case(n, f)) for n, f in cases.items())
source = f"SimpleITK {SimpleITK.Version().VersionString()}"
(here / "itk.json").write_text(f'{{ "source": {json.dumps(source)}, "cases": [\n{text}\n] }}\n')
