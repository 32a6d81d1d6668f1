// A namespace with a manifest in a file, for the tests of the commands.
import { join } from 'node:path';
import { manifestDigest } from '../../src/lab/sluice-process.ts';
import type { ProxyMode } from '../../src/model/config.ts';
import {
  flagsFor,
  networkNamespace,
  replaceFile,
  type NetworkNamespace,
} from '../support/network-namespace.ts';

export type Stand = NetworkNamespace & {
  /** The path of the manifest. */
  readonly manifests: string;
  /** The flags of every command that reads it. */
  readonly flags: readonly string[];
  /** Puts another text in its place. */
  readonly rewrite: (text: string) => Promise<void>;
};

/** A new namespace and a manifest with this text. */
export async function standWith(mode: ProxyMode, text: string): Promise<Stand> {
  const namespace = await networkNamespace();
  const manifests = join(namespace.folder, 'services.yaml');
  await replaceFile(manifests, text);
  return {
    ...namespace,
    manifests,
    flags: [...flagsFor(mode), '--manifests', manifests],
    rewrite: (next) => replaceFile(manifests, next),
  };
}

/** Brings the kernel in step with the manifest, whose text is `text`, and ends. */
export async function apply(stand: Stand, mode: ProxyMode, text: string): Promise<void> {
  const sluice = stand.start({ manifests: stand.manifests, proxyMode: mode });
  await sluice.inStep(manifestDigest(text));
  await sluice.stop();
}
