// `sluice explain`: what becomes of a packet, and why; by the rules, and with --live by the wire.
import { explain } from '../../explain/explain.ts';
import type { Explanation, NearMiss } from '../../explain/explanation.ts';
import { questionOf } from '../../explain/question.ts';
import { asideMiss } from '../../explain/stranger.ts';
import type { World } from '../../explain/world.ts';
import { worldOf } from '../../explain/world.ts';
import type { Exec } from '../../host/tools/exec.ts';
import { familyOf } from '../../model/ip.ts';
import type { LiveReport } from './live.ts';
import { goLive } from './live.ts';
import { liveText } from './live-text.ts';
import type { Inputs } from '../input/inputs.ts';
import { explanationText } from './text.ts';
import { causeText, decisionText, nearMissText } from './words.ts';
import type { Io } from '../io.ts';
import { exitCodes } from '../io.ts';
import { paintFor } from '../report/print-plan.ts';

export type ExplainOptions = {
  readonly inputs: Inputs;
  readonly from: string;
  readonly to: string;
  /** Follows a real packet too. */
  readonly live: boolean;
  /** How long to wait for a packet that somebody else sends. */
  readonly waitMs: number;
  readonly output: 'text' | 'json';
};

/** Prints the answer; 1 where no packet can be sent there, or where the wire does not agree. */
export async function explainCommand(options: ExplainOptions, exec: Exec, io: Io): Promise<number> {
  const { inputs } = options;
  const question = questionOf(options.from, options.to, inputs);
  if (question.kind === 'no-address') {
    printNoAddress(asideMiss(question.aside), options, io);
    return exitCodes.different;
  }
  const { packet } = question;
  const world = worldOf(inputs.objects, { ...inputs, family: familyOf(packet.destination) });
  if (!options.live) {
    print(explain(world, packet), undefined, { options, io, world });
    return exitCodes.same;
  }
  const { answer, report } = await goLive(packet, { options, exec, io, world });
  print(answer, report, { options, io, world });
  return report.agrees ? exitCodes.same : exitCodes.different;
}

type Around = { readonly options: ExplainOptions; readonly io: Io; readonly world: World };

function print(
  answer: Explanation,
  live: LiveReport | undefined,
  { options, io: { stdout }, world }: Around,
): void {
  const { proxyMode: mode } = world.config;
  if (options.output === 'json') {
    const whole = { ...withWords(answer, mode), ...(live === undefined ? {} : { live }) };
    stdout.write(`${JSON.stringify(whole, null, 2)}\n`);
    return;
  }
  const paint = paintFor(stdout);
  stdout.write(explanationText(answer, { mode, paint }));
  if (live !== undefined) stdout.write(liveText(live, paint));
}

/** The answer for programs: all of it, and each decision in words too. */
function withWords(answer: Explanation, mode: string): object {
  const { decisions, nearMisses, decided, ...rest } = answer;
  return {
    mode,
    ...rest,
    decisions: decisions.map((decision) => ({ ...decision, words: decisionText(decision) })),
    nearMisses: nearMisses.map((miss) => ({ ...miss, words: nearMissText(miss) })),
    decided: decided ?? null,
  };
}

function printNoAddress(miss: NearMiss, { output }: ExplainOptions, { stdout }: Io): void {
  const words = nearMissText(miss);
  const json = {
    verdict: 'no-address',
    service: miss.service,
    cause: causeText(miss.cause),
    words,
  };
  stdout.write(output === 'json' ? `${JSON.stringify(json, null, 2)}\n` : `${words}\n`);
}
