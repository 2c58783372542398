/** Names of NIfTI pairs: a header in `.hdr`, the voxels in `.img`, either of them with `.gz` behind. */
const ending = /\.(hdr|img)(\.gz)?$/i;

export interface Pair {
  readonly hdr: string;
  readonly img: string;
}

/** The names of both parts, where `path` is called as one of them; in its case and with its `.gz`. */
export function pairOf(path: string): Pair | undefined {
  const [whole, part, gz = ""] = ending.exec(path) ?? [];
  if (whole === undefined || part === undefined) return undefined;
  const named = (name: string) => {
    return `${path.slice(0, -whole.length)}.${part === part.toUpperCase() ? name.toUpperCase() : name}${gz}`;
  };
  return { hdr: named("hdr"), img: named("img") };
}

/** Where to look for a part: as named, then with `.gz` where that has none or without where it has. */
export function spellings(part: string): [string, string] {
  return [part, /\.gz$/i.test(part) ? part.slice(0, -3) : `${part}.gz`];
}

/** The files that a volume written to `path` takes: two for a pair. */
export function filesOf(path: string): string[] {
  const pair = pairOf(path);
  return pair === undefined ? [path] : [pair.hdr, pair.img];
}
