"""Records the tissue mean by fuzzy c-means, from scikit-fuzzy at tightened convergence and from our own start."""
import numpy as np
from skfuzzy import cmeans

from common import IMAGE, MASK, load, write_case

BRAINWEB = "shared:mri/brainweb/brainweb_t1_2mm.nii.gz"
BRAINWEB_MASK = "shared:mri/brainweb/brainweb_mask_2mm.nii.gz"
BRAIN_MASK = "shared:mri/n3/n3_avg305_brainmask_2mm.nii.gz"
MNI = "shared:mri/mni152/mni_icbm152_t1_tal_nlin_sym_09a.nii.gz"


def record(name, title, image, mask=None, tissue="wm", **options):
    """Of the mask, or of the voxels above 0."""
    voxels = load(image).astype(np.float64)
    chosen = voxels[load(mask) > 0] if mask else voxels[voxels > 0]
    start = np.quantile(chosen, [1 / 6, 1 / 2, 5 / 6])
    # Memberships at these centres, from which it begins.
    near = 1 / np.fmax(np.abs(chosen - start[:, None]), 1e-12) ** 2
    # Ends at a norm of all voxels' changes, whose number grows.
    centres, members, *_ = cmeans(chosen[None], 3, 2, 1e-9 * np.sqrt(chosen.size), 5000, init=near / near.sum(axis=0))
    order = np.argsort(centres[:, 0])
    members = members[order]
    means = [np.average(chosen, weights=member) for member in members]
    mean = means[["csf", "gm", "wm"].index(tissue)]
    print(name, centres[order, 0], means)
    inputs = {"image": image, **({"mask": mask} if mask else {})}
    options = {"profile": "intensity-normalization", "tissue": tissue, **options, **({"region": "mask"} if mask else {})}
    numbers = {
        "parts.0.mean": mean,
        **{f"parts.0.clusters.centres.{k}": centres[order[k], 0] for k in range(3)},
        **{f"parts.0.clusters.means.{k}": means[k] for k in range(3)},
    }
    output = voxels / mean * options.get("normValue", 1)
    write_case("fcm", name, title, ["scikit-fuzzy", "numpy"], output, options, inputs, fitted=numbers)


record("brain", "White matter of a brain with bias", IMAGE, BRAIN_MASK)
record("head", "Grey matter of a head's mask, in thousands", IMAGE, MASK, "gm", normValue=1000)
record("brainweb", "White matter of a phantom, of few values", BRAINWEB, BRAINWEB_MASK)
record("mni", "Cerebrospinal fluid of a template without a mask", MNI, None, "csf")
