// `sluice render`: the whole ruleset for these manifests, as the backend's own tool takes it.
import type { Backend } from '../../backends/backend.ts';
import { withBackend } from '../../backends/index.ts';
import { hostAddresses } from '../../host/network/interfaces.ts';
import type { Exec } from '../../host/tools/exec.ts';
import type { Config } from '../../model/config.ts';
import type { Family } from '../../model/ip.ts';
import type { ClusterObject } from '../../model/kubernetes.ts';
import { plan } from '../../netfilter/plan.ts';
import type { Unit } from '../../netfilter/program.ts';
import { desiredOf } from '../../sync/offline.ts';
import type { Io } from '../io.ts';
import { exitCodes } from '../io.ts';
import { loadObjects } from '../input/load-objects.ts';
import { notProgrammedText } from '../report/not-programmed.ts';

export type RenderOptions = {
  /** Its nftInput, json or text, is the form of the output in nftables mode. */
  readonly config: Config;
  readonly manifests: string;
  readonly families: readonly Family[];
};

/** Prints the ruleset; needs no root and no tool. */
export async function renderCommand(options: RenderOptions, exec: Exec, io: Io): Promise<number> {
  const objects = await loadObjects(options.manifests, io);
  io.stdout.write(
    withBackend(exec, options.config, (backend) => rulesetOf(backend, objects, { options, io })),
  );
  return exitCodes.same;
}

function rulesetOf<U extends Unit>(
  backend: Backend<U>,
  objects: readonly ClusterObject[],
  { options, io }: { readonly options: RenderOptions; readonly io: Io },
): string {
  const wanted = desiredOf(backend, objects, { ...options, hostIps: hostAddresses });
  io.stderr.write(notProgrammedText(wanted));
  const rendered = wanted.map(({ family, desired }) =>
    backend.encode(family, plan(new Map(), desired.whole())),
  );
  if (rendered.length === 1 || !rendered.every((text) => text.startsWith('{'))) {
    return rendered.join('');
  }
  const documents = rendered.map((text) => JSON.parse(text) as { nftables: unknown[] });
  return `${JSON.stringify({ nftables: documents.flatMap(({ nftables }) => nftables) })}\n`;
}
