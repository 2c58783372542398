"""Records what PyRadiomics measures in an organ before different backgrounds; `examples/background.mjs` is the question."""
import json
from importlib.metadata import version
from pathlib import Path

import SimpleITK as sitk
from radiomics import featureextractor, setVerbosity

setVerbosity(60)
root = Path(__file__).resolve().parents[2]
head = sitk.ReadImage(str(root / "examples/data/n3_brain.nii.gz"), sitk.sitkFloat32) / 1000
mask = sitk.ReadImage(str(root / "examples/data/n3_brain_mask.nii.gz"), sitk.sitkUInt8)
images = {"as it is": head}
for background in (0, -1000, 5000):
    images[f"outside {background}"] = sitk.Mask(head, mask, background)
methods = {"not normalised": {}, "statistics of the whole image": {"normalize": True, "normalizeScale": 100}}


def measured(image, **settings):
    extractor = featureextractor.RadiomicsFeatureExtractor(**settings)
    extractor.disableAllFeatures()
    extractor.enableFeaturesByName(firstorder=["Mean", "Variance", "Entropy"])
    found = extractor.execute(image, mask)
    return {name: float(found[f"original_firstorder_{name}"]) for name in ("Mean", "Variance", "Entropy")}


results = {}
for method, settings in methods.items():
    results[method] = {}
    for name, image in images.items():
        by_width, by_count = measured(image, binWidth=5, **settings), measured(image, binCount=32, **settings)
        results[method][name] = {
            "mean": by_width["Mean"],
            "deviation": by_width["Variance"] ** 0.5,
            "entropy, bins of width 5": by_width["Entropy"],
            "entropy, 32 bins": by_count["Entropy"],
        }
source = f"pyradiomics {version('pyradiomics')}, SimpleITK {version('SimpleITK')}"
path = root / "test/api/background.json"
path.write_text(json.dumps({"source": source, "results": results}, indent=2) + "\n")
