/** The page: reads the form, runs one correction at a time, shows what came of it. */
import { type Backend, createBackend, n4, VoxnormError } from "voxnorm";
import { adviceFor } from "./advice.ts";
import { type Choices, type Correction, correct, type Tell } from "./correct.ts";
import { type Convention, orientationOf } from "./planes.ts";
import { number, show } from "./view.ts";

const $ = <T extends HTMLElement>(id: string) => document.getElementById(id) as T;
const form = $<HTMLFormElement>("form");
const image = $<HTMLInputElement>("image");
const mask = $<HTMLInputElement>("mask");
const convention = $<HTMLSelectElement>("convention");
const status = $("status");
const progress = $<HTMLProgressElement>("progress");

let redraw: (convention: Convention) => void = () => {};
let running: AbortController | undefined;
let backend: Promise<Backend> | undefined;

fillDefaults();
form.addEventListener("submit", (event) => {
  event.preventDefault();
  void start();
});
form.addEventListener("change", describeChoice);
$("cancel").addEventListener("click", () => running?.abort());
$("example").addEventListener("click", () => void takeExample());
convention.addEventListener("change", () => redraw(convention.value as Convention));
acceptDrops();

/** The numbers that the form starts with are the step's own. */
function fillDefaults(): void {
  const { shrinkFactor, iterations } = n4().options as { shrinkFactor: number[]; iterations: number[] };
  $<HTMLInputElement>("shrink").value = String(shrinkFactor[0]);
  $<HTMLInputElement>("levels").value = String(iterations.length);
  $<HTMLInputElement>("iterations").value = String(iterations[0]);
}

function describeChoice(): void {
  mask.hidden = maskKind() !== "file";
  if (running === undefined) status.textContent = image.files?.[0] ? "Ready." : "Choose an image.";
}

function maskKind(): string {
  return String(new FormData(form).get("mask"));
}

/** The choices as they stand. Throws `BadOption` where a file is missing. */
function choices(): Choices {
  const file = image.files?.[0];
  if (file === undefined) throw new VoxnormError("MissingInput", "image: expected a file, got none");
  const kind = maskKind();
  const maskFile = mask.files?.[0];
  if (kind === "file" && maskFile === undefined) {
    throw new VoxnormError("MissingInput", "mask: expected a file, got none");
  }
  const value = (id: string) => $<HTMLInputElement>(id).valueAsNumber;
  return {
    image: file,
    mask: kind === "file" ? maskFile! : (kind as "otsu" | "whole"),
    shrinkFactor: value("shrink"),
    iterations: Array<number>(value("levels")).fill(value("iterations")),
  };
}

async function start(): Promise<void> {
  if (running !== undefined) return;
  running = new AbortController();
  $("error").hidden = true;
  $("result").hidden = true;
  try {
    // Before the form is disabled: then it has no values.
    const chosen = choices();
    setBusy(true);
    // Kept for the next correction: its worker is warm.
    const loaded = await (backend ??= createBackend());
    const correction = await correct(chosen, { backend: loaded, signal: running.signal }, tell);
    present(chosen.image.name, correction, loaded);
    status.textContent = "Done.";
  } catch (thrown) {
    explain(VoxnormError.from(thrown));
  } finally {
    running = undefined;
    setBusy(false);
  }
}

const tell: Tell = (phase, event) => {
  if (event === undefined) {
    status.textContent = `${phase}…`;
    progress.removeAttribute("value");
    return;
  }
  progress.value = event.fraction;
  const { level, iteration, convergence } = event as Record<string, unknown>;
  const change = typeof convergence === "number" ? `, change ${number(convergence)}` : "";
  status.textContent = `${phase}: level ${level}, iteration ${iteration}${change}`;
};

function setBusy(isBusy: boolean): void {
  const cancel = $<HTMLButtonElement>("cancel");
  const hadFocus = document.activeElement === cancel;
  $<HTMLFieldSetElement>("choices").disabled = isBusy;
  $<HTMLButtonElement>("correct").disabled = isBusy;
  cancel.disabled = !isBusy;
  progress.value = 0;
  progress.classList.toggle("busy", isBusy);
  if (hadFocus) $("correct").focus();
}

function explain(error: VoxnormError): void {
  status.textContent = error.code === "Cancelled" ? "Cancelled." : "Failed.";
  if (error.code === "Cancelled") return;
  if (error.code === "BackendUnavailable") backend = undefined;
  $("error-code").textContent = error.code;
  $("error-message").textContent = error.message;
  $("error-advice").textContent = adviceFor(error);
  $("error").hidden = false;
}

function present(name: string, correction: Correction, backend: Backend): void {
  const { before, times, digest, fieldRange, coefficientOfVariation: variation } = correction;
  const { shape, spacing } = before.grid;
  const { tilt } = orientationOf(before.grid);
  const oblique = tilt > 1 ? `; its axes are up to ${tilt.toFixed(0)}° off the patient’s, and shown as stored` : "";
  $("name").textContent = name;
  $("geometry").textContent =
    `${shape.join(" × ")} voxels of ${spacing.map((mm) => Number(mm.toFixed(3))).join(" × ")} mm${oblique}`;
  listFacts({
    "Coefficient of variation in the mask": `${percent(variation.before)} before, ${percent(variation.after)} after`,
    "Field in the mask": `${fieldRange[0].toFixed(3)} to ${fieldRange[1].toFixed(3)}`,
    "Iterations of each level": correction.iterations.join(", "),
    Time: `${ms(times.decode)} reading, ${ms(times.compute)} correcting, ${ms(times.encode)} writing`,
    Backend: `${backend.name}, ${backend.simd}, ${backend.threads} thread${backend.threads === 1 ? "" : "s"}`,
    ...(backend.singleThreadReason === undefined ? {} : { "One thread because": backend.singleThreadReason }),
    "Digest of the result (SHA-256)": digest,
  });
  const { decisions, warnings } = before.meta;
  const notes = [...warnings.map(({ message }) => `Warning: ${message}`), ...decisions];
  $("notes-list").replaceChildren(...notes.map((note) => textElement("li", note)));
  $("notes").hidden = notes.length === 0;
  offerDownload(name, correction.file);

  redraw = show($("planes"), correction);
  $("result").hidden = false;
  redraw(convention.value as Convention);
  $("result").focus({ preventScroll: true });
}

function listFacts(facts: Record<string, string>): void {
  const rows = Object.entries(facts).flatMap(([term, value]) => [textElement("dt", term), textElement("dd", value)]);
  rows.at(-1)!.className = "digest";
  $("facts").replaceChildren(...rows);
}

function offerDownload(name: string, file: Uint8Array<ArrayBuffer>): void {
  const link = $<HTMLAnchorElement>("download");
  URL.revokeObjectURL(link.href);
  link.href = URL.createObjectURL(new Blob([file], { type: "application/gzip" }));
  link.download = `${name.replace(/\.nii(\.gz)?$/i, "")}_n4.nii.gz`;
}

/** From the same server as the page. */
async function takeExample(): Promise<void> {
  const response = await fetch(new URL("../data/n3_brain.nii.gz", import.meta.url));
  take(new File([await response.blob()], "n3_brain.nii.gz"));
}

function take(file: File): void {
  const transfer = new DataTransfer();
  transfer.items.add(file);
  image.files = transfer.files;
  describeChoice();
  $("correct").focus();
}

function acceptDrops(): void {
  const mark = (isOver: boolean) => document.body.classList.toggle("dropping", isOver);
  document.addEventListener("dragover", (event) => {
    event.preventDefault();
    mark(true);
  });
  document.addEventListener("dragleave", () => mark(false));
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    mark(false);
    const file = event.dataTransfer?.files[0];
    if (file !== undefined && running === undefined) take(file);
  });
}

function textElement(name: string, content: string): HTMLElement {
  const made = document.createElement(name);
  made.textContent = content;
  return made;
}

const percent = (fraction: number) => `${(100 * fraction).toFixed(1)} %`;
const ms = (time: number) => (time < 1000 ? `${time.toFixed(0)} ms` : `${(time / 1000).toFixed(2)} s`);
