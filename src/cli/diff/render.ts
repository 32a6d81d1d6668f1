// `sluice render`: the whole ruleset for these objects, as the backend's own tool takes it.
import type { Backend } from '../../backends/backend.ts';
import { withBackend } from '../../backends/index.ts';
import type { Exec } from '../../host/tools/exec.ts';
import type { Family } from '../../model/ip.ts';
import { plan } from '../../netfilter/plan.ts';
import type { Unit } from '../../netfilter/program.ts';
import { desiredOf } from '../../sync/offline.ts';
import type { Io } from '../io.ts';
import { exitCodes } from '../io.ts';
import type { Inputs } from '../input/inputs.ts';
import { notProgrammedText } from '../report/not-programmed.ts';

export type RenderOptions = {
  /** The configuration's nftInput, json or text, is the form of the output in nftables mode. */
  readonly inputs: Inputs;
  readonly families: readonly Family[];
};

/** Prints the ruleset; needs no root and no tool. */
export async function renderCommand(options: RenderOptions, exec: Exec, io: Io): Promise<number> {
  io.stdout.write(
    withBackend(exec, options.inputs.config, (backend) => rulesetOf(backend, { options, io })),
  );
  return exitCodes.same;
}

function rulesetOf<U extends Unit>(
  backend: Backend<U>,
  { options, io }: { readonly options: RenderOptions; readonly io: Io },
): string {
  const { inputs, families } = options;
  const { objects, config } = inputs;
  const wanted = desiredOf(backend, objects, { config, families, hostIps: () => inputs.hostIps });
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
