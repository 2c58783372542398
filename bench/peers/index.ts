/** The one list of peers. Each is a Python program beside this file; its doc says what it reads and writes. */
export interface Peer {
  readonly id: string;
  readonly name: string;
  readonly program: string;
}

export const peers: readonly Peer[] = [{ id: "simpleitk-n4", name: "SimpleITK", program: "simpleitk_n4.py" }];
