"""Records tissue modes and white stripes by intensity-normalization: version 4 in the environment of requirements.txt,
version 2 in that of requirements-2.txt, and from the golden numbers of version 2 beside the project."""
import json
from functools import partial

import numpy as np

from common import IMAGE, MASK, ROOT, load, source, write, write_case

PACKAGES = ["intensity-normalization", "numpy", "scipy"]
IS_2 = source("intensity-normalization").split()[1].startswith("2.")
PROFILE = "v2" if IS_2 else "v4"


def normalised(method, image, mask, modality, **widths):
    """The peer's output in double precision."""
    if not IS_2:
        import intensity_normalization as package

        return {"kde-mode": package.kde, "white-stripe": package.whitestripe}[method](
            image, mask, modality=modality, **widths
        )
    from intensity_normalization.normalize.kde import KDENormalize
    from intensity_normalization.normalize.whitestripe import WhiteStripeNormalize
    from intensity_normalization.typing import Modality

    peer = {"kde-mode": KDENormalize, "white-stripe": WhiteStripeNormalize}[method](**widths)
    return peer(image, mask, modality=Modality.from_string(modality))


def mode_of(values, modality):
    if IS_2:
        from intensity_normalization.typing import Modality
        from intensity_normalization.util.histogram_tools import get_tissue_mode

        return float(get_tissue_mode(values, modality=Modality.from_string(modality)))
    from intensity_normalization import histogram

    return histogram.tissue_mode(values, peak=histogram.resolve_peak(modality, None))


def record(name, files, modality, stride=(12, 12, 12), own=None, **widths):
    image, mask = load(files["image"]).astype(np.float64), load(files["mask"]) > 0
    options = {"profile": PROFILE, "region": "mask", **(own or {})}
    if modality != "t1":
        options["modality"] = modality
    mode = mode_of(image[mask], modality)
    for method in ["kde-mode"][: not widths] + ["white-stripe"]:
        output = normalised(method, image, mask, modality, **widths)
        # An affine map: two voxels tell its numbers.
        low, high = image.argmin(), image.argmax()
        scale = (image.flat[high] - image.flat[low]) / (output.flat[high] - output.flat[low])
        location = image.flat[low] - output.flat[low] * scale
        fitted = {"parts.0.mode": mode}
        if method == "white-stripe":
            fitted = {"parts.0.stripe.mode": mode, "parts.0.location": location, "parts.0.standardDeviation": scale}
        both = {"widthLower": widths["width_l"], "widthUpper": widths["width_u"]} if widths else {}
        title = f"{'Tissue mode' if method == 'kde-mode' else 'White stripe'} of {name} as {modality}"
        write_case(method, f"{PROFILE}-{name}-{modality}", title, PACKAGES, output, {**options, **both}, files,
                   stride=stride, fitted={place: float(number) for place, number in fitted.items()})


head = {"image": IMAGE, "mask": MASK}
if IS_2:
    for modality in ["t1", "t2", "pd"]:
        record("example-head", head, modality)
    golden = json.loads((ROOT / "../shared/data/golden/manifest.json").read_text())
    for name in ["n3_brain", "brainweb_t1", "mni152_t1"]:
        entry = golden[f"norm2/{name}"]
        inputs, options = {"image": f"shared:{entry['image']}"}, {"profile": "v2"}
        if "/" in entry["mask"]:
            inputs["mask"], options["region"] = f"shared:{entry['mask']}", "mask"
        made = ", ".join(f"{package} {entry['versions'][package]}" for package in PACKAGES)
        mode, stripe = entry["results"]["kde"], entry["results"]["whitestripe"]
        found = {
            "kde-mode": {"parts.0.mode": mode["scale"]},
            "white-stripe": {
                "parts.0.location": stripe["location"],
                "parts.0.standardDeviation": stripe["scale"],
                "parts.0.stripeVoxels": stripe["n"],
            },
        }
        for method, fitted in found.items():
            case = {"title": f"Golden numbers of {name}", "source": made, "inputs": inputs, "options": options,
                    "outputs": ["image"], "expect": [], "fitted": fitted,
                    "agreementOnly": "bytes are compared on the example head"}
            write(method, f"v2-golden-{name.replace('_', '-')}", case)
else:
    from intensity_normalization import histogram

    # A mask of fewer voxels than it would draw from.
    small = {part: f"shared:mri/sts/STS_008_MR_T1_{part}.nii.gz" for part in ["image", "mask"]}
    for modality in ["t1", "t2", "pd"]:
        record("sts-008", small, modality, stride=(5, 5, 5))
    # And with all voxels.
    histogram.smooth_histogram.__kwdefaults__["max_samples"] = 10**9
    for modality in ["t1", "flair", "md"]:
        record("example-head", head, modality, own={"scottVoxels": None})
    record("example-head-widths", head, "t1", own={"scottVoxels": None}, width_l=0.02, width_u=0.1)
    # With the bandwidth of as many as it would draw.
    histogram.scipy.stats.gaussian_kde = partial(histogram.scipy.stats.gaussian_kde, bw_method=50_000**-0.2)
    record("example-head-drawn", head, "t1")

    # The script of the chapter on preprocessing, by numpy, within the mask.
    image, mask = load(IMAGE).astype(np.float64), load(MASK) > 0
    values = image[mask]
    low, high = np.percentile(values, [1, 99])
    counts, edges = np.histogram(values[(values >= low) & (values <= high)], bins=256)
    for profile, width, centre in [("source", 0.1, np.mean), ("source-t2", 0.05, np.median)]:
        middle = (edges[counts.argmax()] + edges[counts.argmax() + 1]) / 2
        bounds = middle * (1 - width), middle * (1 + width)
        for _ in range(10):
            middle = centre(values[(values >= bounds[0]) & (values <= bounds[1])])
            moved = middle * (1 - width), middle * (1 + width)
            if abs(moved[0] - bounds[0]) + abs(moved[1] - bounds[1]) < 0.01:
                break
            bounds = moved
        inside = mask & (image >= bounds[0]) & (image <= bounds[1])
        mean, deviation = image[inside].mean(), image[inside].std()
        output = (np.clip((image - mean) / deviation, -3, 3) + 3) / 6
        fitted = {"parts.0.location": mean, "parts.0.standardDeviation": deviation, "parts.0.stripeVoxels": inside.sum()}
        fitted = {place: float(number) for place, number in fitted.items()}
        options = {"profile": profile, "region": "mask"}
        write_case("white-stripe", profile, f"White stripe by the chapter's script, {profile}", ["numpy"], output,
                   options, head, fitted=fitted)
        write_case("white-stripe", f"{profile}-stripe", f"The stripe of the chapter's script, {profile}", ["numpy"],
                   inside.astype(np.float64), options, head, kind="stripe")
    write_case("white-stripe", "given-mask", "A given mask by the chapter's formula", ["numpy"],
               (image - values.mean()) / (values.std() + 1e-6), {"profile": "given-mask"}, head)
