"""Records histogram equalisation by scikit-image and OpenCV."""
import cv2
import numpy as np
from skimage.exposure import equalize_hist

from common import IMAGE, MASK, load, write_case

CHRIS = "shared:mri/chris_t1.nii.gz"


# numpy rounds edges of bins to single precision, so that a few voxels of a float image count for the next bin.
FEW = 5e-5


def record(name, title, package, output, inputs, most=2e-6, **options):
    write_case("histogram-equalisation", name, title, [package], output, options, inputs, most=most)


image, mask = load(IMAGE), load(MASK)
record("skimage", "256 bins", "scikit-image", equalize_hist(image), {"image": IMAGE}, FEW, profile="skimage")
record("skimage-1000", "1000 bins", "scikit-image", equalize_hist(image, nbins=1000), {"image": IMAGE}, FEW, bins=1000)
output = equalize_hist(image, mask=mask)
record("skimage-mask", "256 bins of a mask", "scikit-image", output, {"image": IMAGE, "mask": MASK}, FEW, profile="skimage", region="mask")
whole = load(CHRIS).astype(np.uint8)
record("skimage-integer", "Whole numbers", "scikit-image", equalize_hist(whole), {"image": CHRIS}, profile="skimage-integer")
flat = whole.ravel(order="F")[:, None]
output = cv2.equalizeHist(flat).reshape(whole.shape, order="F")
record("opencv", "8-bit numbers", "opencv-python-headless", output, {"image": CHRIS}, profile="opencv")
