"""Records robust scaling by the packages that the profiles of `robust` are named after."""
import numpy as np
from scipy.stats import median_abs_deviation
from sklearn.preprocessing import RobustScaler

from common import IMAGE, MASK, load, write_case

image, mask = load(IMAGE), load(MASK)
exact = image.astype(np.float64)
inside = exact[mask > 0]
masked = {"image": IMAGE, "mask": MASK}


def by_sklearn(fitted_to, **options):
    scaler = RobustScaler(**options).fit(fitted_to.reshape(-1, 1))
    return scaler.transform(exact.reshape(-1, 1)).reshape(image.shape)


title = "Robust scaling as scikit-learn's RobustScaler"
write_case("robust", "sklearn", title, ["scikit-learn"], by_sklearn(exact), {"profile": "sklearn"})
options = {"profile": "sklearn", "normalConsistent": True, "region": "mask"}
output = by_sklearn(inside, unit_variance=True)
write_case("robust", "sklearn-mask", f"{title} with unit_variance, in a mask", ["scikit-learn"], output, options, masked)

title = "Robust scaling by SciPy's median_abs_deviation"
output = (exact - np.median(exact)) / median_abs_deviation(exact, axis=None, scale="normal")
write_case("robust", "scipy", f"{title} with the scale normal", ["scipy", "numpy"], output, {"profile": "scipy"})
output = (exact - np.median(inside)) / median_abs_deviation(inside)
options = {"spread": "median-absolute-deviation", "region": "mask"}
write_case("robust", "scipy-mask", f"{title} in a mask", ["scipy", "numpy"], output, options, masked)
