/** The one list of peers. Their programs are Python, beside this file; each file's doc says what it reads and writes. */
export interface Peer {
  readonly id: string;
  readonly name: string;
  /** The program that runs in memory, when it is told to. */
  readonly program: string;
}

export const peers: readonly Peer[] = [
  { id: "simpleitk-n4", name: "SimpleITK", program: "simpleitk_n4.py" },
  { id: "antspyx-n4", name: "antspyx", program: "antspyx_n4.py" },
];
