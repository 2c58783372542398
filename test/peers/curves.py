"""Records powers and logarithms by the packages that the profiles of `gamma` and `log` are named after."""
import numpy as np
import torch
import torchio
from monai.transforms import AdjustContrast
from skimage.exposure import adjust_gamma, adjust_log

from common import IMAGE, MASK, load, write_case

image, mask = load(IMAGE), load(MASK)
exact = image.astype(np.float64)
masked = {"image": IMAGE, "mask": MASK}

title = "Gamma 2.2 as MONAI's AdjustContrast"
write_case("gamma", "monai", title, ["monai", "torch"], AdjustContrast(2.2)(image), {"profile": "monai", "gamma": 2.2})
title = "Gamma 0.7 as TorchIO's Gamma"
tensor = torch.from_numpy(np.ascontiguousarray(image))[None]
output = torchio.Gamma(0.7)(torchio.ScalarImage(tensor=tensor)).numpy()[0]
write_case("gamma", "torchio", title, ["torchio", "torch"], output, {"profile": "torchio", "gamma": 0.7})
title = "Gamma 0.7 as scikit-image's adjust_gamma"
output = adjust_gamma(exact, 0.7)
write_case("gamma", "skimage", title, ["scikit-image"], output, {"profile": "skimage", "gamma": 0.7})
title = "Gamma 1.8 within a mask's range as NumPy computes it in double precision"
low, high = exact[mask > 0].min(), exact[mask > 0].max()
ratio = (exact - low) / (high - low)
output = low + (high - low) * np.sign(ratio) * np.abs(ratio) ** 1.8
options = {"profile": "numpy", "gamma": 1.8, "region": "mask"}
write_case("gamma", "numpy-mask", title, ["numpy"], output, options, masked)

title = "Logarithm as NumPy's log1p in double precision"
write_case("log", "numpy-log1p", title, ["numpy"], np.log1p(exact), {"profile": "numpy-log1p"})
title = "Logarithm of a mask's voxels as NumPy's log in double precision"
output = np.where(mask > 0, np.log(np.maximum(exact, 1)), 0)
options = {"profile": "numpy-log", "region": "mask", "changed": "region", "outsideValue": 0}
write_case("log", "numpy-log-mask", title, ["numpy"], output, options, masked)
title = "Logarithm as scikit-image's adjust_log"
write_case("log", "skimage", title, ["scikit-image"], adjust_log(exact), {"profile": "skimage"})
