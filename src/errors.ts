// Every error that Sluice raises on purpose. A known error prints one line and ends with exit code 2;
// anything else is a bug and crashes with its stack.

/** What all of Sluice's own errors have: a stable code for programs, a message for people. */
export abstract class SluiceError extends Error {
  abstract readonly code: string;
}

/** The command line or a configuration value cannot be used. */
export class UsageError extends SluiceError {
  readonly code = 'SLUICE_USAGE';
  override readonly name = 'UsageError';
}

/** Manifests that cannot be read at all: no such file, no permission, no YAML in any of them. */
export class ManifestError extends SluiceError {
  readonly code = 'SLUICE_MANIFEST';
  override readonly name = 'ManifestError';
}

/** A program that Sluice needs is not installed; `remedy` is the command that installs it. */
export class MissingToolError extends SluiceError {
  readonly code = 'SLUICE_MISSING_TOOL';
  override readonly name = 'MissingToolError';
  readonly tool: string;
  readonly remedy: string;

  constructor(tool: string, remedy: string) {
    super(`${tool} is not installed; install it with: ${remedy}`);
    this.tool = tool;
    this.remedy = remedy;
  }
}

/** A tool ran and failed: everything that a person needs to see what was tried. */
export class ToolError extends SluiceError {
  readonly code = 'SLUICE_TOOL';
  override readonly name = 'ToolError';
  readonly command: string;
  readonly exitCode: number | undefined;
  readonly stderr: string;
  /** What the tool was given on standard input. */
  readonly input: string;

  constructor(
    message: string,
    details: { command: string; exitCode: number | undefined; stderr: string; input: string },
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.command = details.command;
    this.exitCode = details.exitCode;
    this.stderr = details.stderr;
    this.input = details.input;
  }
}

/** The kernel cannot be heard here. */
export class NetlinkError extends SluiceError {
  readonly code = 'SLUICE_NETLINK';
  override readonly name = 'NetlinkError';
}

/** The input of a tool cannot be written to a temporary file, such as on a full or read-only file system. */
export class InputFileError extends SluiceError {
  readonly code = 'SLUICE_INPUT_FILE';
  override readonly name = 'InputFileError';

  constructor(path: string, cause: NodeJS.ErrnoException) {
    const why = cause.code ?? cause.message;
    super(
      `cannot write the input of a tool to ${path}: ${why}; set TMPDIR to a folder that can be written to`,
      {
        cause,
      },
    );
  }
}

/** A change would take away more than a limit allows. */
export class LimitError extends SluiceError {
  readonly code = 'SLUICE_LIMIT';
  override readonly name = 'LimitError';
}

/** Rules of another proxy do something else than ours would, and nobody has accepted that. */
export class DifferencesError extends SluiceError {
  readonly code = 'SLUICE_DIFFERENCES';
  override readonly name = 'DifferencesError';
}

/** A laboratory could not be made or used. */
export class LabError extends SluiceError {
  readonly code = 'SLUICE_LAB';
  override readonly name = 'LabError';
}

/** There is no way to the API server: no kubeconfig that can be used, or not in a cluster. */
export class ClusterAccessError extends SluiceError {
  readonly code = 'SLUICE_CLUSTER_ACCESS';
  override readonly name = 'ClusterAccessError';
}

/** One exchange with the API server failed; it is tried again, so this never ends the program. */
export class ApiError extends SluiceError {
  readonly code = 'SLUICE_API';
  override readonly name = 'ApiError';
  /** The HTTP status, or undefined where there was no answer or none that could be read. */
  readonly status: number | undefined;
  /** What the server asks us to wait, in milliseconds. */
  readonly retryAfterMs: number;
  /** Nothing was wrong but that nothing came. */
  readonly isTimeout: boolean;
  /** The request went out, or could not, and nothing at all answered. */
  readonly isUnanswered: boolean;

  constructor(
    message: string,
    details: {
      status?: number;
      retryAfterMs?: number;
      isTimeout?: boolean;
      isUnanswered?: boolean;
    } = {},
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.status = details.status;
    this.retryAfterMs = details.retryAfterMs ?? 0;
    this.isTimeout = details.isTimeout ?? false;
    this.isUnanswered = details.isUnanswered ?? false;
  }
}

/** A port that is to be served cannot be had; mostly since another proxy of this node has it. */
export class BindError extends SluiceError {
  readonly code = 'SLUICE_BIND';
  override readonly name = 'BindError';
  readonly address: string;

  constructor(what: string, address: string, cause: Error) {
    super(`cannot serve ${what} at ${address}: ${cause.message}`, { cause });
    this.address = address;
  }
}
