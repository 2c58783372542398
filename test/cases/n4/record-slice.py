"""Records SimpleITK's N4 of a slice of 8 bits: writes slice.nii.gz and slice.json beside this file.

Run from the repository's root: python test/cases/n4/record-slice.py && npx biome check --write test/cases/n4
"""

import json
from pathlib import Path

import nibabel
import numpy
import SimpleITK

here = Path(__file__).parent
head = nibabel.load("examples/data/n3_brain.nii.gz")
plane = head.get_fdata()[:, :, 40]
voxels = numpy.round(plane / plane.max() * 255).astype("uint8")
# A plane of other proportions, so that its axes differ.
nibabel.save(nibabel.Nifti1Image(voxels, numpy.diag([2, 1.5, 2, 1])), here / "slice.nii.gz")

image = SimpleITK.ReadImage(str(here / "slice.nii.gz"), SimpleITK.sitkFloat32)
mask = SimpleITK.OtsuThreshold(image, 0, 1, 200)
factor, iterations, stride = [2, 2], [8, 8, 8], [5, 5]
n4 = SimpleITK.N4BiasFieldCorrectionImageFilter()
n4.SetMaximumNumberOfIterations(iterations)
n4.SetConvergenceThreshold(0)
n4.SetNumberOfThreads(1)
n4.Execute(SimpleITK.Shrink(image, factor), SimpleITK.Shrink(mask, factor))
field = SimpleITK.GetArrayFromImage(n4.GetLogBiasFieldAsImage(image))
values = [float(value) for value in field[:: stride[1], :: stride[0]].flat]
case = {
    "title": "N4 of a slice of 8 bits",
    "source": f"SimpleITK {SimpleITK.__version__} in two dimensions (1 thread, forced iterations)",
    "inputs": {"image": "test/cases/n4/slice.nii.gz", "mask": "otsu"},
    "options": {"shrinkFactor": [*factor, 1], "iterations": iterations, "convergenceThreshold": 0},
    "outputs": ["image", "field"],
    "expect": [{"output": "field", "compare": "log", "rms": 1e-4, "stride": [*stride, 1], "values": values}],
}
(here / "slice.json").write_text(json.dumps(case))
