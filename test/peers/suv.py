"""
Records SUVs by pictologics and, of ideal body weights, by MIRP; Devine's formula by hand. Needs requirements-suv.txt, the first two
packages without what they depend on.
"""
import importlib.util
from types import SimpleNamespace

from mirp._data_import.dicom_file_pet import ImageDicomFilePT
from pydicom.dataset import Dataset

from common import IMAGE, MASK, ROOT, load, write_case
import json
import numpy as np

# Alone, since the rest of the package wants much that this does not.
place = importlib.util.find_spec("pictologics").submodule_search_locations[0] + "/loaders/pet_suv.py"
spec = importlib.util.spec_from_file_location("pet_suv", place)
pet_suv = importlib.util.module_from_spec(spec)
spec.loader.exec_module(pet_suv)

image, mask = load(IMAGE), load(MASK)
HALF_LIFE, DOSE, SECONDS = 6586.2, 3.7e8, 3725


def patient(weight, height, sex, decay):
    item = Dataset()
    item.RadionuclideTotalDose = DOSE
    item.RadionuclideHalfLife = HALF_LIFE
    item.RadiopharmaceuticalStartTime = "100000"
    data = Dataset()
    data.Modality, data.Units, data.DecayCorrection, data.CorrectedImage = "PT", "BQML", decay, ["ATTN", "DECY"]
    data.SeriesDate = data.AcquisitionDate = "20240102"
    data.SeriesTime = data.AcquisitionTime = "110205"
    data.PatientWeight, data.PatientSize, data.PatientSex = weight, height, sex
    data.RadiopharmaceuticalInformationSequence = [item]
    return data


def options(normalisation, weight, height, sex, decay):
    word = {"START": "scan", "ADMIN": "injection"}[decay]
    return {
        "normalisation": normalisation,
        "weight": weight,
        "height": height,
        "sex": {"F": "female", "M": "male"}[sex],
        "injectedDose": DOSE,
        "decayCorrectedTo": word,
        "halfLife": HALF_LIFE,
        "timeToScan": SECONDS,
    }


def ideal(data):
    """MIRP's factor for body weight, with its ideal one in the weight's place."""
    of = SimpleNamespace(
        image_metadata=data,
        describe_self=lambda: "",
        _get_patient_height=lambda: float(data.PatientSize),
        _get_patient_weight=lambda: float(data.PatientWeight),
    )
    size = ImageDicomFilePT._compute_suv_factor(of, "ideal_body_weight")
    return pet_suv._suv_factor([data], "bw") * size / (1000 * data.PatientWeight)


def devine(data):
    inches = float(data.PatientSize) / 0.0254
    size = (50 if data.PatientSex == "M" else 45.5) + 2.3 * (inches - 60)
    return pet_suv._suv_factor([data], "bw") * size / data.PatientWeight


formulas = {
    "body-weight": (["pictologics"], lambda data: pet_suv._suv_factor([data], "bw")),
    "lean-body-mass-janmahasatian": (["pictologics"], lambda data: pet_suv._suv_factor([data], "lbm")),
    "lean-body-mass-james": (["pictologics"], lambda data: pet_suv._suv_factor([data], "lbm_james")),
    "body-surface-area": (["pictologics"], lambda data: pet_suv._suv_factor([data], "bsa")),
    "ideal-body-weight": (["mirp", "pictologics"], ideal),
    "ideal-body-weight-devine": (["pictologics"], devine),
}

# Every formula for every patient, as factors.
people = [(71.5, 1.78, "M"), (58.2, 1.63, "F"), (112.0, 1.81, "M"), (96.0, 1.58, "F"), (34.5, 1.41, "F")]
factors = [
    {"options": options(name, *person, decay), "factor": float(formula(patient(*person, decay)))}
    for name, (_, formula) in formulas.items()
    for person in people
    for decay in ["START", "ADMIN"]
]
(ROOT / "test/oracle/suv-factors.json").write_text(json.dumps(factors) + "\n")

for name, (packages, formula) in formulas.items():
    person = (58.2, 1.63, "F", "START")
    title = f"The example head as a PET image, by {name}"
    write_case("suv", name, title, packages, image * formula(patient(*person)), options(name, *person))
person = (71.5, 1.78, "M", "ADMIN")
output = np.where(mask > 0, image * formulas["body-weight"][1](patient(*person)), -1)
given = {**options("body-weight", *person), "region": "mask", "changed": "region", "outsideValue": -1}
inputs = {"image": IMAGE, "mask": MASK}
write_case("suv", "injection-mask", "The example head's mask, corrected to the injection", ["pictologics"], output, given, inputs)
