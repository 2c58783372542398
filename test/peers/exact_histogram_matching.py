"""Records exact histogram matching by scikit-image."""
import numpy as np
from skimage.exposure import match_histograms

from common import IMAGE, MASK, load, write_case

BRAINWEB = "shared:mri/brainweb/brainweb_t1_2mm.nii.gz"
BRAINWEB_MASK = "shared:mri/brainweb/brainweb_mask_2mm.nii.gz"
CHRIS = "shared:mri/chris_t1.nii.gz"


def record(name, title, output, inputs, **options):
    write_case("exact-histogram-matching", name, title, ["scikit-image"], output, {"profile": "skimage", **options}, inputs)


record("skimage", "A head to a phantom of few values", match_histograms(load(IMAGE), load(BRAINWEB)), {"image": IMAGE, "reference": BRAINWEB})
record("skimage-few", "Few values to a head of many", match_histograms(load(BRAINWEB), load(IMAGE)), {"image": BRAINWEB, "reference": IMAGE})
record("skimage-other-grid", "A phantom to a head of another size", match_histograms(load(BRAINWEB), load(CHRIS)), {"image": BRAINWEB, "reference": CHRIS})

image, mask, reference, other = load(IMAGE), load(MASK) > 0, load(BRAINWEB), load(BRAINWEB_MASK) > 0
output = np.zeros_like(image)
output[mask] = match_histograms(image[mask], reference[other])
inputs = {"image": IMAGE, "mask": MASK, "reference": BRAINWEB, "referenceMask": BRAINWEB_MASK}
record("skimage-masks", "Within masks", output, inputs, region="mask", changed="region", outsideValue=0)
