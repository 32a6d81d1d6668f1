// `sluice render`: the whole ruleset for these objects, as the backend's own tool takes it.
import type { Backend } from '../../backends/backend.ts';
import { withBackend } from '../../backends/index.ts';
import type { Exec } from '../../host/tools/exec.ts';
import { traitsOf } from '../../backends/traits.ts';
import type { Family } from '../../model/ip.ts';
import { families as allFamilies } from '../../model/ip.ts';
import type { Unit } from '../../netfilter/program.ts';
import { desiredOf } from '../../sync/offline.ts';
import type { Io } from '../io.ts';
import { exitCodes } from '../io.ts';
import type { Inputs } from '../input/inputs.ts';
import { notProgrammedText } from '../report/not-programmed.ts';

export type RenderOptions = {
  /** The configuration's nftInput, json or text, is the form of the output in nftables mode. */
  readonly inputs: Inputs;
  /** Undefined: all that go into one input of the tool. */
  readonly family: Family | undefined;
};

/** Prints the ruleset: 0 all of it, 1 without the objects that cannot be used. Needs no root and no tool. */
export async function renderCommand(options: RenderOptions, exec: Exec, io: Io): Promise<number> {
  io.stdout.write(
    withBackend(exec, options.inputs.config, (backend) => rulesetOf(backend, { options, io })),
  );
  return options.inputs.faults === 0 ? exitCodes.same : exitCodes.different;
}

function rulesetOf<U extends Unit>(
  backend: Backend<U>,
  { options, io }: { readonly options: RenderOptions; readonly io: Io },
): string {
  const { inputs, family: only } = options;
  const { objects, config } = inputs;
  const { takesBothFamilies } = traitsOf(config.proxyMode);
  const [first = 'IPv4', second] = only === undefined ? allFamilies : [only];
  const families = second === undefined || !takesBothFamilies ? [first] : [first, second];
  if (second !== undefined && !takesBothFamilies) {
    io.stderr.write(
      `note: these are the rules of ${first}; --family ${second} prints the others\n`,
    );
  }
  const wanted = desiredOf(backend, objects, { config, families, hostIps: () => inputs.hostIps });
  io.stderr.write(notProgrammedText(wanted));
  const rendered = wanted.map(({ family, desired }) => backend.render(family, desired.whole()));
  if (rendered.length === 1 || !rendered.every((text) => text.startsWith('{'))) {
    return rendered.join('');
  }
  const documents = rendered.map((text) => JSON.parse(text) as { nftables: unknown[] });
  const commands = documents.flatMap(({ nftables }) => nftables);
  return `{"nftables":[\n${commands.map((one) => JSON.stringify(one)).join(',\n')}\n]}\n`;
}
