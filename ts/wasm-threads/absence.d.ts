/** Written by set-up: why the threaded module was not built; undefined where it was. */
export const absence: string | undefined;
