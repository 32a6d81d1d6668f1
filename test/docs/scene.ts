// Where the commands of a document run: a network namespace and a folder, on a host called node-1.
import { join } from 'node:path';
import { writeFile } from 'node:fs/promises';
import { execOnHost } from '../../src/host/tools/exec.ts';
import { networkNamespace, type NetworkNamespace } from '../support/network-namespace.ts';
import { root } from './blocks.ts';
import type { Varying } from './compare.ts';

/** How the commands of a block are run. */
export type Scene = {
  /** Makes what is there before. */
  readonly prepare?: (place: Place) => Promise<void>;
  /** What differs from run to run besides what always does. */
  readonly varying?: Varying;
  /** It makes its own namespaces. */
  readonly isOnHost?: boolean;
};

export type Place = NetworkNamespace & {
  /** Writes a file into the folder. */
  readonly write: (file: string, text: string) => Promise<void>;
  /** Runs a line as a shell at a terminal would: both outputs in one. */
  readonly type: (line: string) => Promise<{ readonly exitCode: number; readonly text: string }>;
};

/** A new place, gone with the test. */
export async function placeFor({ prepare, isOnHost = false }: Scene): Promise<Place> {
  const namespace = await networkNamespace();
  const { folder } = namespace;
  const exec = isOnHost ? execOnHost : namespace.exec;
  let before = 0;
  const place: Place = {
    ...namespace,
    write: (file, text) => writeFile(join(folder, file), text),
    async type(line) {
      const shell = `hostname node-1; cd ${folder}; ln -sfn ${root}/bin; export HOME=$PWD; fpath=(. .)`;
      const path = `PATH=${root}/bin:$PWD:$PATH; unset FORCE_COLOR NO_COLOR`;
      const typed = line.replace(/^npm ci && /, '');
      const script = `${shell}; ${path}; (exit ${before}); { ${typed}\n} 2>&1`;
      const allowedExitCodes = [1, 2, 3];
      const { stdout, exitCode } = await exec('unshare', ['--uts', 'bash', '-c', script], {
        allowedExitCodes,
      });
      before = exitCode;
      return { exitCode, text: stdout.replaceAll(`${folder}/`, '') };
    },
  };
  await namespace.exec('ip', ['link', 'set', 'lo', 'up']);
  await prepare?.(place);
  return place;
}
