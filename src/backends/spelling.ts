// How a kind of name or key is written, and read back: both stand side by side in each backend's table.

/** One kind; `read` gives what `write` was given, and undefined for text of any other kind. */
export type Spelling<T, R = T> = {
  readonly write: (what: T) => string;
  readonly read: (text: string) => R | undefined;
};
