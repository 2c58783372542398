"""Records files that nibabel wrote and what it reads from them: writes layouts.json beside this file.

Pairs of header and voxels, and images of two to seven dimensions, in both versions and byte orders.
Run from the repository's root: python test/cases/nifti/record-layouts.py && npx biome check --write test/cases/nifti
"""

import base64
import json
import tempfile
from pathlib import Path

import nibabel
import numpy

here = Path(__file__).parent
source = f"nibabel {nibabel.__version__}, numpy {numpy.__version__}"
affine = numpy.array([[-1.5, 0, 0, 30], [0, 1.25, 0, -20], [0, 0, 2, 8.5], [0, 0, 0, 1]])
classes = {(1, True): nibabel.Nifti1Pair, (2, True): nibabel.Nifti2Pair, (1, False): nibabel.Nifti1Image, (2, False): nibabel.Nifti2Image}


def case(name, suffix, shape, version=1, order="<", dtype="i2", scale=None, offset=0, extension=None, intent=None):
    is_pair = not suffix.startswith(".nii")
    kind = classes[version, is_pair]
    header = kind.header_class(endianness=order)
    header.set_data_dtype(numpy.dtype(dtype).newbyteorder(order))
    voxels = (numpy.arange(numpy.prod(shape)) % 113 - 20).reshape(shape, order="F").astype(dtype)
    image = kind(voxels, affine, header)
    image.header.set_slope_inter(*(scale or (1, 0)))
    image.header["pixdim"][4:8] = [2.5, 3, 4, 5]
    if intent:
        image.header.set_intent(*intent)
    if offset:
        image.header.set_data_offset(offset)
    if extension:
        image.header.extensions.append(nibabel.nifti1.Nifti1Extension("comment", extension))
    with tempfile.TemporaryDirectory() as folder:
        image.to_filename(f"{folder}/a{suffix}")
        found = nibabel.load(f"{folder}/a{suffix}")
        assert type(found) is kind
        values = found.get_fdata()
        return {
            "name": f"{name}, NIfTI-{version}{', big-endian' if order == '>' else ''}",
            "files": {path.name: base64.b64encode(path.read_bytes()).decode() for path in sorted(Path(folder).iterdir())},
            "shape": list(values.shape),
            "affine": found.affine[:3].tolist(),
            "pixdim": [float(step) for step in found.header["pixdim"]],
            "intent": [int(found.header["intent_code"]), [float(found.header[f"intent_p{i}"]) for i in (1, 2, 3)], found.header["intent_name"].item().decode()],
            "extensions": [[each.get_code(), each.get_content().decode() if isinstance(each.get_content(), bytes) else each.get_content()] for each in found.header.extensions],
            "values": values.ravel(order="F").tolist(),
        }


vector = ("vector", (), "displacement")
matrix = ("general matrix", (2, 3), "matrix")
cases = []
for version in (1, 2):
    for order in "<>":
        cases += [
            case("a pair", ".img", (3, 2, 2), version, order),
            case("a scaled pair with an extension", ".hdr", (3, 2, 2), version, order, scale=(0.5, -3), extension=b"kept"),
            case("a pair whose voxels begin at byte 16", ".img", (3, 2, 2), version, order, offset=16),
            case("a compressed pair of time points", ".img.gz", (3, 2, 2, 4), version, order, dtype="f4"),
            case("two dimensions", ".nii", (3, 4), version, order),
            case("three dimensions", ".nii", (3, 4, 2), version, order),
            case("time points", ".nii", (3, 4, 2, 3), version, order),
            case("one time point", ".nii", (3, 4, 2, 1), version, order),
            case("vectors", ".nii", (3, 4, 2, 1, 3), version, order, dtype="f4", intent=vector),
            case("matrices at time points", ".nii.gz", (3, 2, 1, 2, 6), version, order, intent=matrix),
            case("seven dimensions", ".nii", (2, 2, 1, 2, 2, 1, 2), version, order, dtype="u1"),
        ]
text = ",\n".join(json.dumps(each) for each in cases)
(here / "layouts.json").write_text(f'{{ "source": {json.dumps(source)}, "cases": [\n{text}\n] }}\n')
