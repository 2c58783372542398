"""Records histogram matching as ANTsPy runs ITK's filter."""
import ants
import numpy as np

from common import IMAGE, load, write_case

BRAINWEB = "shared:mri/brainweb/brainweb_t1_2mm.nii.gz"

image, reference = load(IMAGE), load(BRAINWEB)
output = ants.histogram_match_image(ants.from_numpy(image), ants.from_numpy(reference)).numpy()
title = "ants: 255 levels, 64 match points, quantiles of all"
inputs = {"image": IMAGE, "reference": BRAINWEB}
# In level steps of the reference's histogram.
step = float(np.ptp(reference)) / 255
write_case("histogram-matching", "ants", title, ["antspyx"], output, {"profile": "ants"}, inputs, unit=step, most=0.001)
