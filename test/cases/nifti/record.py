"""Records what nibabel makes of NIfTI files and headers: writes files.json and transforms.json beside this file.

Run from the repository's root: python test/cases/nifti/record.py ../shared/data && npx biome check --write test/cases/nifti
"""

import hashlib
import json
import logging
import struct
import sys
from pathlib import Path

import nibabel
import numpy

here = Path(__file__).parent
source = f"nibabel {nibabel.__version__}, numpy {numpy.__version__}"
logging.getLogger("nibabel").setLevel(logging.CRITICAL)


def file_case(path, data):
    image = nibabel.load(path)
    voxels = image.get_fdata().astype(numpy.float32)
    at = [[0, 0, 0], [n // 2 for n in voxels.shape[:3]], [n - 1 for n in voxels.shape[:3]], [n // 3 for n in voxels.shape[:3]]]
    return {
        "file": str(path.relative_to(data)),
        "shape": list(voxels.shape),
        "affine": image.affine[:3].tolist(),
        "sum": float(voxels.astype(numpy.float64).sum()),
        "min": float(voxels.min()),
        "max": float(voxels.max()),
        "voxels": [{"at": i, "value": float(voxels[tuple(i)])} for i in at],
        "sha256": hashlib.sha256(voxels.tobytes(order="F")).hexdigest(),
        "stored": str(image.header.get_data_dtype()),
    }


def header(version, order, dim, pixdim, qform, sform):
    """The bytes of a header with an image of zeros behind it; forms are (code, numbers)."""
    real, dims = ("f", "8h") if version == 1 else ("d", "8q")
    size, magic = (348, b"n+1\0") if version == 1 else (540, b"n+2\0\r\n\x1a\n")
    at = {1: (40, 70, 76, 108, 252, 256, 344), 2: (16, 12, 104, 168, 344, 352, 4)}[version]
    b = bytearray(size + 4 + int(numpy.prod(dim[1 : 1 + dim[0]])))
    put = lambda where, form, *v: struct.pack_into(order + form, b, where, *v)
    put(0, "i", size)
    put(at[0], dims, *dim)
    put(at[1], "hh", 2, 8)
    put(at[2], f"8{real}", *pixdim)
    put(at[3], "f" if version == 1 else "q", size + 4)
    put(at[4], "hh" if version == 1 else "ii", qform[0], sform[0])
    put(at[5], f"18{real}", *qform[1], *sform[1])
    b[at[6] : at[6] + len(magic)] = magic
    return bytes(b)


# Names, then what `header` takes after version and order.
oblique = [0.1, -0.2, 0.3, -90.5, 12.25, 7.125]
rows = [0.9, 0.1, 0, -10, -0.1, 1.8, 0.2, -20, 0, -0.3, 3.1, 30]
none = [0] * 6
flat = [0] * 12
dim = [3, 4, 3, 2, 1, 1, 1, 1]
size = [1, 0.9, 1.1, 3, 1, 1, 1, 1]
cases = {
    "sform before qform": (dim, size, (1, oblique), (2, rows)),
    "sform with a code below the qform's": (dim, size, (4, oblique), (1, rows)),
    "qform alone": (dim, size, (1, oblique), (0, rows)),
    "qform with qfac -1": (dim, [-1, *size[1:]], (1, oblique), (0, flat)),
    "qform with qfac 0": (dim, [0, *size[1:]], (1, oblique), (0, flat)),
    "qform with qfac 7": (dim, [7, *size[1:]], (2, oblique), (0, flat)),
    "qform of a half turn": (dim, size, (1, [0, 0, 1, 1, 2, 3]), (0, flat)),
    "qform of nearly a half turn": (dim, size, (1, [0.6, 0.7999999, 1e-4, 1, 2, 3]), (0, flat)),
    "no form": (dim, size, (0, oblique), (0, rows)),
    "no form, no size": (dim, [1, 0, 0, 0, 0, 0, 0, 0], (0, oblique), (0, rows)),
    "no form, two dimensions": ([2, 5, 4, 1, 1, 1, 1, 1], size, (0, none), (0, flat)),
    "qform, two dimensions": ([2, 5, 4, 1, 1, 1, 1, 1], size, (1, oblique), (0, flat)),
    "no form, one dimension": ([1, 5, 1, 1, 1, 1, 1, 1], size, (0, none), (0, flat)),
    "a code that does not exist": (dim, size, (1, oblique), (9, rows)),
    "two codes that do not exist": (dim, size, (-1, oblique), (9, rows)),
    "template's code": (dim, size, (0, oblique), (5, rows)),
    "four dimensions, one time point": ([4, 4, 3, 2, 1, 1, 1, 1], size, (0, oblique), (1, rows)),
}


def transform_case(name, version, order, fields):
    data = header(version, order, *fields)
    image = (nibabel.Nifti1Image if version == 1 else nibabel.Nifti2Image).from_bytes(data)
    return {"name": name, "version": version, "order": order, "fields": fields, "affine": image.affine[:3].tolist()}


def write(name, cases):
    text = ",\n".join(json.dumps(case) for case in cases)
    (here / name).write_text(f'{{ "source": {json.dumps(source)}, "cases": [\n{text}\n] }}\n')


data = Path(sys.argv[1])
files = sorted([*data.glob("mri/**/*.nii.gz"), *data.glob("ct/**/*.nii.gz")])
write("files.json", [file_case(path, data) for path in files])
write("transforms.json", [transform_case(n, v, o, f) for n, f in cases.items() for v in (1, 2) for o in "<>"])
