/** A peer at work: a process that loads the data once and then runs when it is told to. */
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { root } from "../files.ts";
import type { Run } from "../record.ts";

/** What a peer is told first. */
export interface Job {
  readonly inputs: Readonly<Record<string, string>>;
  readonly threads: number;
  /** Where it writes what is compared: float32, x fastest. */
  readonly field: string;
}

export class PeerProcess {
  readonly version: string;
  readonly #talk: Talk;
  readonly #job: Job;

  private constructor(version: string, talk: Talk, job: Job) {
    this.version = version;
    this.#talk = talk;
    this.#job = job;
  }

  /** Resolves once the data are loaded. Rejects with the last line the program left where it ends instead. */
  static async start(python: string, [program, ...args]: readonly string[], job: Job): Promise<PeerProcess> {
    const talk = new Talk(spawn(python, [join(root, "bench", "peers", program!), ...args]));
    const { version } = await talk.ask(job);
    return new PeerProcess(String(version), talk, job);
  }

  /** `options` are our step's, complete. */
  async run(options: Readonly<Record<string, unknown>>): Promise<Run> {
    const { ms, cpuMs, threads } = await this.#talk.ask({ run: options });
    if (threads !== this.#job.threads) throw new Error(`expected ${this.#job.threads} threads, got ${threads}`);
    return { ms: Number(ms), cpuMs: Number(cpuMs) };
  }

  /** What the last run found. */
  async field(): Promise<Float32Array> {
    await this.#talk.ask("field");
    const { buffer, byteOffset, byteLength } = readFileSync(this.#job.field);
    rmSync(this.#job.field);
    return new Float32Array(buffer.slice(byteOffset, byteOffset + byteLength));
  }

  close(): void {
    this.#talk.end();
  }
}

/** A line of JSON there, one back. */
class Talk {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #lines: AsyncIterator<string>;
  #complaint = "";
  #failure: Error | undefined;

  constructor(child: ChildProcessWithoutNullStreams) {
    this.#child = child;
    this.#lines = createInterface(child.stdout)[Symbol.asyncIterator]();
    child.stderr.on("data", (chunk) => {
      this.#complaint += chunk;
    });
    // A program that ended is told of by `ask`; a broken pipe adds nothing.
    child.stdin.on("error", () => {});
    child.on("error", (error) => {
      this.#failure = error;
    });
  }

  async ask(what: unknown): Promise<Record<string, unknown>> {
    this.#child.stdin.write(`${JSON.stringify(what)}\n`);
    const { value, done } = await this.#lines.next();
    if (!done) return JSON.parse(value);
    // Its last words may arrive after the end of its output.
    if (this.#child.exitCode === null) await new Promise((resolve) => this.#child.once("close", resolve));
    throw new Error(this.#failure?.message ?? this.#complaint.trim().split("\n").at(-1) ?? "ended without a word");
  }

  end(): void {
    this.#child.stdin.end();
  }
}
