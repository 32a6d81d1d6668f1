// `sluice verify`: whether the kernel holds what the model says, rule by rule; and with --probe whether every
// Service address does from this node what it must. Changes nothing.
import type { Backend } from '../../backends/backend.ts';
import { withBackend } from '../../backends/index.ts';
import { kernelFindings } from '../../diff/kernel-findings.ts';
import { serviceChanges } from '../../diff/service-change.ts';
import type { Exec } from '../../host/tools/exec.ts';
import { isTcpLiberal } from '../../host/kernel/sysctl.ts';
import type { Plan } from '../../netfilter/plan.ts';
import type { Program, Unit } from '../../netfilter/program.ts';
import type { DesiredFamily } from '../../sync/offline.ts';
import { desiredOf } from '../../sync/offline.ts';
import type { Inputs } from '../input/inputs.ts';
import type { Io } from '../io.ts';
import { exitCodes } from '../io.ts';
import { notProgrammedText } from '../report/not-programmed.ts';
import { paintFor } from '../report/print-plan.ts';
import type { Shown } from '../report/print-report.ts';
import type { Probe } from './probe.ts';
import { probeServices } from './probe.ts';
import type { Verification } from './text.ts';
import { isTrue, verificationJson, verificationText } from './text.ts';

export type VerifyOptions = {
  readonly inputs: Inputs;
  /** Opens the addresses as well. */
  readonly probe: boolean;
  readonly shown: Shown;
  readonly output: 'text' | 'json';
};

/** Prints what differs; 0 where nothing does, 1 where something does. */
export async function verifyCommand(options: VerifyOptions, exec: Exec, io: Io): Promise<number> {
  const found = await withBackend(exec, options.inputs.config, (backend) =>
    verify(backend, { options, exec, io }),
  );
  const { stdout } = io;
  const text = (): string => verificationText(found, options.shown, paintFor(stdout));
  stdout.write(options.output === 'json' ? verificationJson(found) : text());
  return isTrue(found) ? exitCodes.same : exitCodes.different;
}

type Around = { readonly options: VerifyOptions; readonly exec: Exec; readonly io: Io };

async function verify<U extends Unit>(
  backend: Backend<U>,
  { options, exec, io }: Around,
): Promise<Verification> {
  const { objects, config, hostIps } = options.inputs;
  const { families } = await backend.probe();
  const host = { hostIps: () => hostIps, isTcpLiberal: await isTcpLiberal(exec) };
  const wanted = desiredOf(backend, objects, { config, families, ...host });
  io.stderr.write(notProgrammedText(wanted));
  const compared: Compared<U>[] = [];
  for (const { family, desired } of wanted) {
    const is = await backend.observe(family);
    compared.push({ family, is, plan: desired.planFrom(is), wanted: desired.whole() });
  }
  return {
    families: compared.map(({ family, wanted }) => ({ family, units: wanted.size })),
    findings: kernelFindings(compared),
    effects: effectsOf(backend, compared),
    probes: options.probe ? await probed(wanted, options.inputs, io.signal) : undefined,
  };
}

type Compared<U extends Unit> = {
  readonly family: DesiredFamily<U>['family'];
  readonly is: Program<U>;
  readonly wanted: Program<U>;
  readonly plan: Plan<U>;
};

function effectsOf<U extends Unit>(
  backend: Backend<U>,
  compared: readonly Compared<U>[],
): Verification['effects'] {
  // Families that match are not read back: that takes a second in a large cluster.
  const wrong = compared.filter(({ plan: steps }) => steps.length > 0);
  const served = (which: 'is' | 'wanted') =>
    wrong.flatMap((one) => backend.served(one.family, one[which]));
  return serviceChanges(served('wanted'), served('is'));
}

function probed<U extends Unit>(
  wanted: readonly DesiredFamily<U>[],
  { objects, config, hostIps }: Inputs,
  signal: AbortSignal,
): Promise<readonly Probe[]> {
  const families = wanted.map(({ family, desired }) => ({
    family,
    settings: desired.settings,
    frontends: [...desired.decisions.forwarding()].flatMap((service) => service.frontends),
  }));
  return probeServices({ families, objects, config, hostIps, signal });
}
