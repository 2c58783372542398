"""Records nnU-Net's schemes by its own classes. Needs requirements-nnunet.txt."""
import numpy as np
from nnunetv2.preprocessing.normalization import default_normalization_schemes as schemes

from common import IMAGE, MASK, load, load_png, planes, write_case

image, mask = load(IMAGE), load(MASK)
properties = {"mean": 143.25, "std": 41.5, "percentile_00_5": 20.5, "percentile_99_5": 210.0}
given = {"mean": 143.25, "standardDeviation": 41.5, "lowerBound": 20.5, "upperBound": 210}


def record(name, scheme, output, inputs=None, **options):
    title = f"nnU-Net's {scheme} of the example head"
    write_case("nnunet", name, title, ["nnunetv2"], output, {**options, "scheme": scheme}, inputs)


def run(scheme, pixels, seg=None):
    normaliser = getattr(schemes, scheme)(seg is not None, properties)
    return normaliser.run(pixels.copy(), seg)


for scheme, options in [
    ("ZScoreNormalization", {}),
    ("CTNormalization", given),
    ("NoNormalization", {}),
    ("RescaleTo01Normalization", {}),
]:
    name = scheme.replace("Normalization", "").lower()
    record(name, scheme, run(scheme, image), **options)

profile = "use-mask-for-norm"
print("voxels that are 0:", int((image == 0).sum()))
output = run("ZScoreNormalization", image, np.where(image != 0, 0, -1))
record("zscore-nonzero", "ZScoreNormalization", output, profile=profile)
output = run("ZScoreNormalization", image, np.where(mask > 0, 0, -1))
inputs = {"image": IMAGE, "mask": MASK}
record("zscore-mask", "ZScoreNormalization", output, inputs, profile=profile, region="mask", outsideValue="keep")

colour = load_png("test/cases/colour.png")
output = np.stack([run("RGBTo01Normalization", colour[..., c]) for c in range(3)], axis=-1)
options = {"scheme": ["RGBTo01Normalization"] * 3}
title = "nnU-Net's RGBTo01Normalization of a colour picture"
inputs = {"image": "test/cases/colour.png"}
write_case("nnunet", "rgbto01-colour", title, ["nnunetv2"], planes(output), options, inputs, stride=(7, 5, 1))
