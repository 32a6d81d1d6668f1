// What a command may touch of the process that it runs in; main.ts hands in the real thing.

/** The streams of a command, its signal, and its way to others. */
export type Io = {
  readonly stdin: NodeJS.ReadableStream;
  readonly stdout: NodeJS.WritableStream;
  readonly stderr: NodeJS.WritableStream;
  /** Comes with Ctrl-C or SIGTERM: finish what is in flight, then end. */
  readonly signal: AbortSignal;
  /** What SIGHUP is to do from now on; until then it is as SIGTERM. */
  readonly onHangup: (listener: () => void) => void;
  /** Asks a daemon. */
  readonly fetch: typeof fetch;
};

/** Exit codes of every command, as diff(1) has them; `refused`: a limit that was given is passed. */
export const exitCodes = { same: 0, different: 1, failed: 2, refused: 3 } as const;
