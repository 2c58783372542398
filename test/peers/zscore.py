"""Records z-scores by the packages that the profiles of `zscore` are named after."""
import intensity_normalization
import numpy as np
import SimpleITK as sitk
import torch
import torchio
from monai.transforms import NormalizeIntensity

from common import IMAGE, MASK, load, write_case

image, mask = load(IMAGE), load(MASK)
masked = {"image": IMAGE, "mask": MASK}


def record(profile, title, packages, output, inputs=None, **options):
    name = "-".join([profile, *(["mask"] if inputs else []), *(["outliers"] if "removeOutliers" in options else [])])
    write_case("zscore", name, title, packages, output, {"profile": profile, **options}, inputs)


normalised = sitk.GetArrayFromImage(sitk.Normalize(sitk.GetImageFromArray(image.T))).T
record("simpleitk", "Z-score of the example head as SimpleITK's Normalize", ["SimpleITK"], normalised)
# What PyRadiomics' imageoperations.normalizeImage does with it.
clipped = np.clip(normalised, -1.5, 1.5) * 100
title = "Z-score as PyRadiomics' normalize with removeOutliers 1.5 and normalizeScale 100"
record("simpleitk", title, ["SimpleITK"], clipped, removeOutliers=1.5, scale=100)

subject = torchio.ScalarImage(tensor=torch.from_numpy(np.ascontiguousarray(image))[None])
record("torchio", "Z-score as TorchIO's ZNormalization", ["torchio", "torch"], torchio.ZNormalization()(subject).numpy()[0])
labelled = torchio.Subject(a=subject, m=torchio.LabelMap(tensor=torch.from_numpy(np.ascontiguousarray(mask))[None]))
output = torchio.ZNormalization(masking_method="m")(labelled)["a"].numpy()[0]
record("torchio", "Z-score as TorchIO's ZNormalization with a mask", ["torchio", "torch"], output, masked, region="mask")

record("monai", "Z-score as MONAI's NormalizeIntensity", ["monai", "torch"], NormalizeIntensity()(image))
zeroed = image * (mask > 0)
output = np.where(mask > 0, NormalizeIntensity(nonzero=True)(zeroed), 0)
title = "Z-score as MONAI's NormalizeIntensity of nonzero voxels, once what is outside the mask is 0"
options = {"region": "mask", "changed": "region", "outsideValue": 0}
record("monai", title, ["monai", "torch"], output, masked, **options)

title = "Z-score as intensity-normalization"
record("intensity-normalization", title, ["intensity-normalization"], intensity_normalization.zscore(image))
output = intensity_normalization.zscore(image, mask)
record("intensity-normalization", f"{title} with a mask", ["intensity-normalization"], output, masked, region="mask")
