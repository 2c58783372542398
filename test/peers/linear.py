"""Records the methods that are straight lines, clipped or not, by the packages that their profiles are named after."""
import numpy as np
import torch
import torchio
from monai.transforms import ClipIntensityPercentiles, ScaleIntensity, ScaleIntensityRange, ScaleIntensityRangePercentiles
from scipy.cluster.vq import whiten

from common import IMAGE, MASK, load, write_case

image, mask = load(IMAGE), load(MASK)
exact = image.astype(np.float64)
masked = {"image": IMAGE, "mask": MASK}
subject = torchio.Subject(
    a=torchio.ScalarImage(tensor=torch.from_numpy(np.ascontiguousarray(image))[None]),
    m=torchio.LabelMap(tensor=torch.from_numpy(np.ascontiguousarray(mask))[None]),
)
MONAI, TORCHIO = ["monai", "torch"], ["torchio", "torch"]


def by_torchio(**options):
    return torchio.RescaleIntensity(**options)(subject)["a"].numpy()[0]


title = "Min–max as MONAI's ScaleIntensity"
write_case("min-max", "monai", title, MONAI, ScaleIntensity()(image), {"profile": "monai"})
title = "Min–max to [-1, 3] as TorchIO's RescaleIntensity, with a mask"
output = by_torchio(out_min_max=(-1, 3), masking_method="m")
options = {"profile": "torchio", "region": "mask", "outputRange": [-1, 3]}
write_case("min-max", "torchio", title, TORCHIO, output, options, masked)
title = "Min–max as NumPy computes it in double precision"
write_case("min-max", "numpy", title, ["numpy"], (exact - exact.min()) / (exact.max() - exact.min()), {"profile": "numpy"})

title = "Percentile range as TorchIO's RescaleIntensity"
output = by_torchio(percentiles=(0.5, 99.5))
write_case("percentile-range", "torchio", title, TORCHIO, output, {"profile": "torchio"})
output = by_torchio(percentiles=(0.5, 99.5), masking_method="m", out_min_max=(-1, 1))
options = {"profile": "torchio", "region": "mask", "outputRange": [-1, 1]}
write_case("percentile-range", "torchio-mask", f"{title}, with a mask", TORCHIO, output, options, masked)
title = "Percentile range as MONAI's ScaleIntensityRangePercentiles"
output = ScaleIntensityRangePercentiles(10, 90, 0, 200)(image)
options = {"profile": "monai", "percentiles": [10, 90], "outputRange": [0, 200]}
write_case("percentile-range", "monai", title, MONAI, output, options)
output = ScaleIntensityRangePercentiles(10, 90, 0, 200, clip=True, relative=True)(image)
options |= {"clip": True, "relative": True}
write_case("percentile-range", "monai-relative", f"{title}, clipped and relative", MONAI, output, options)

title = "Clipping to percentiles as MONAI's ClipIntensityPercentiles"
output = ClipIntensityPercentiles(5, 95)(image)
write_case("clip-percentiles", "monai", title, MONAI, output, {"profile": "monai", "percentiles": [5, 95]})
title = "Clipping to the percentiles of a mask as NumPy computes them in double precision"
output = np.clip(exact, *np.percentile(exact[mask > 0], [2, 98]))
options = {"profile": "numpy", "region": "mask", "percentiles": [2, 98]}
write_case("clip-percentiles", "numpy-mask", title, ["numpy"], output, options, masked)

title = "CT clipped as the recipe clip_hu, by NumPy"
phantom = "shared:ct/ibsi1_ct_phantom_image.nii.gz"
for profile, low, high in [("source", -1000, 1000), ("soft", -200, 400)]:
    output = np.clip(load(phantom), low, high)
    write_case("clip", profile, title, ["numpy"], output, {"profile": profile}, {"image": phantom})
title = "Clipping as TorchIO's Clamp"
output = torchio.Clamp(100_000, 600_000)(subject)["a"].numpy()[0]
write_case("clip", "torchio", title, TORCHIO, output, {"limits": [100_000, 600_000]})
options = {"limits": [100_000, None], "region": "mask", "changed": "region", "outsideValue": -1}
output = np.where(mask > 0, np.maximum(image, 100_000), -1)
write_case("clip", "numpy-mask", "Clipping of a mask's voxels from below, by NumPy", ["numpy"], output, options, masked)

title = "Linear rescaling as MONAI's ScaleIntensityRange"
output = ScaleIntensityRange(50_000, 700_000, -1, 1)(image)
options = {"profile": "monai", "inputRange": [50_000, 700_000], "outputRange": [-1, 1]}
write_case("rescale", "monai", title, MONAI, output, options)
output = ScaleIntensityRange(50_000, 700_000, -1, 1, clip=True)(image)
write_case("rescale", "monai-clip", f"{title}, clipped", MONAI, output, options | {"clip": True})
output = np.where(mask > 0, output, -5)
options |= {"clip": True, "region": "mask", "changed": "region", "outsideValue": -5}
write_case("rescale", "monai-mask", f"{title}, clipped, of a mask's voxels", MONAI, output, options, masked)
title = "Linear rescaling as TorchIO's RescaleIntensity"
output = by_torchio(in_min_max=(50_000, 700_000), out_min_max=(-1, 1))
options = {"profile": "torchio", "inputRange": [50_000, 700_000], "outputRange": [-1, 1]}
write_case("rescale", "torchio", title, TORCHIO, output, options)

title = "Mean subtraction as NumPy computes it in double precision"
write_case("mean-subtraction", "numpy", title, ["numpy"], exact - exact.mean(), {"profile": "numpy"})
output = exact - exact[mask > 0].mean()
write_case("mean-subtraction", "numpy-mask", f"{title}, in a mask", ["numpy"], output, {"region": "mask"}, masked)

title = "Unit variance as SciPy's whiten"
output = whiten(exact.reshape(-1, 1)).reshape(image.shape)
write_case("unit-variance", "scipy", title, ["scipy"], output, {"profile": "scipy"})
output = exact / exact[mask > 0].std(ddof=1)
title = "Unit variance as NumPy computes it in double precision, in a mask"
options = {"profile": "numpy", "ddof": 1, "region": "mask"}
write_case("unit-variance", "numpy-mask", title, ["numpy"], output, options, masked)
