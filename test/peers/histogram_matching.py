"""Records histogram matching by ITK's filter, as SimpleITK runs it."""
import numpy as np
import SimpleITK as sitk

from common import IMAGE, MASK, load, write_case

BRAINWEB = "shared:mri/brainweb/brainweb_t1_2mm.nii.gz"


def itk(name):
    return sitk.GetImageFromArray(load(name).T)


def record(name, image, reference, **options):
    levels, points, above = 256, 1, True
    if options:
        levels, points, above = options["levels"], options["matchPoints"], options["thresholdAtMean"]
    output = sitk.HistogramMatching(itk(image), itk(reference), levels, points, above)
    title = f"{name}: {levels} levels, {points} match points, quantiles {'above the mean' if above else 'of all'}"
    values = sitk.GetArrayFromImage(output).T
    inputs = {"image": image, "reference": reference}
    # In level steps of the reference's histogram.
    step = float(np.ptp(load(reference))) / levels
    write_case("histogram-matching", name, title, ["SimpleITK"], values, {"profile": "simpleitk", **options}, inputs, unit=step, most=0.001)


record("simpleitk", IMAGE, BRAINWEB)
above = {"levels": 1024, "matchPoints": 15, "thresholdAtMean": True}
whole = {"levels": 256, "matchPoints": 7, "thresholdAtMean": False}
for options in [above, whole]:
    name = f"{options['levels']}-{options['matchPoints']}"
    record(f"simpleitk-head-{name}", IMAGE, BRAINWEB, **options)
    record(f"simpleitk-brainweb-{name}", BRAINWEB, IMAGE, **options)
    record(f"simpleitk-mni-{name}", IMAGE, "shared:mri/mni152/mni_icbm152_t1_tal_nlin_sym_09a.nii.gz", **options)

# Of masks: the filter is given their voxels alone, in one row.
BRAINWEB_MASK = "shared:mri/brainweb/brainweb_mask_2mm.nii.gz"
image, mask, reference, other = load(IMAGE), load(MASK) > 0, load(BRAINWEB), load(BRAINWEB_MASK) > 0
row, target = [sitk.GetImageFromArray(voxels[None, None]) for voxels in (image[mask], reference[other])]
output = np.zeros_like(image)
output[mask] = sitk.GetArrayFromImage(sitk.HistogramMatching(row, target, 1024, 15, True))[0, 0]
options = {"profile": "simpleitk", **above, "region": "mask", "changed": "region", "outsideValue": 0}
inputs = {"image": IMAGE, "mask": MASK, "reference": BRAINWEB, "referenceMask": BRAINWEB_MASK}
step = float(np.ptp(reference)) / 1024
title = "simpleitk-masks: 1024 levels, 15 match points, within masks"
write_case("histogram-matching", "simpleitk-masks", title, ["SimpleITK"], output, options, inputs, unit=step, most=0.001)
