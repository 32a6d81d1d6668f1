// `sluice replay`: runs a flight record again without a kernel, and says what each pass planned and whether
// it is what was planned then. Changes nothing.
import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { withBackend } from '../backends/index.ts';
import type { Backend } from '../backends/backend.ts';
import { printable, quoted } from '../cluster/problem.ts';
import { SluiceError, UsageError } from '../errors.ts';
import type { Exec } from '../host/tools/exec.ts';
import type { FlightRecord } from '../model/pass-record.ts';
import type { ReplayedPass } from '../daemon/record/replay.ts';
import { replay } from '../daemon/record/replay.ts';
import type { Io } from './io.ts';
import { exitCodes } from './io.ts';
import { paintFor } from './report/print-plan.ts';
import type { Shown } from './report/print-report.ts';
import { passJson, passText, sumText, type Sum } from './replay-text.ts';
import { isFlightRecord } from './status/status.ts';

export type ReplayOptions = {
  /** `-`: standard input. */
  readonly file: string;
  /** Only this pass is shown. */
  readonly step: number | undefined;
  readonly output: 'text' | 'json';
  readonly shown: Shown;
};

/** Prints every pass: 0 where all plans are the same, 1 where one is not. */
export async function replayCommand(options: ReplayOptions, exec: Exec, io: Io): Promise<number> {
  const flight = await readRecord(options.file, io);
  const numbers = flight.steps.map(({ number }) => number);
  if (options.step !== undefined && !numbers.includes(options.step)) {
    const [first = 0, last = 0] = [numbers.at(0), numbers.at(-1)];
    const has = numbers.length === 0 ? 'none can be replayed' : `there are ${first} to ${last}`;
    throw new UsageError(`--step: no pass ${options.step}: ${has}`);
  }
  const known = flight.configs[flight.base.config];
  if (known === undefined) throw badRecord(options.file, 'there is no configuration');
  return withBackend(exec, { ...known, proxyMode: flight.mode }, (backend) =>
    show(backend, flight, { options, io }),
  );
}

async function show(
  backend: Backend,
  flight: FlightRecord,
  { options, io: { stdout } }: { readonly options: ReplayOptions; readonly io: Io },
): Promise<number> {
  const { file, step, output, shown } = options;
  const paint = paintFor(stdout);
  const sum: Sum = { same: 0, differs: 0, failed: 0, 'not-recorded': 0 };
  const passes: object[] = [];
  for await (const pass of replayed(backend, flight, file)) {
    for (const { agreement } of pass.families) sum[agreement.kind] += 1;
    if (step !== undefined && pass.record.number !== step) continue;
    if (output === 'json') passes.push(passJson(backend, pass));
    else stdout.write(passText(backend, pass, { shown, paint }));
  }
  const document = { mode: flight.mode, plans: sum, passes };
  stdout.write(
    output === 'json' ? `${JSON.stringify(document, null, 2)}\n` : sumText(flight, sum, paint),
  );
  return sum.differs === 0 ? exitCodes.same : exitCodes.different;
}

// What is in the file is believed only as far as it can be used.
async function* replayed(
  backend: Backend,
  flight: FlightRecord,
  file: string,
): AsyncGenerator<ReplayedPass> {
  try {
    yield* replay(backend, flight);
  } catch (error) {
    if (error instanceof SluiceError) throw error;
    throw badRecord(file, (error as Error).message, error);
  }
}

async function readRecord(file: string, { stdin }: Io): Promise<FlightRecord> {
  let body: unknown;
  try {
    body = JSON.parse(file === '-' ? await text(stdin) : await readFile(file, 'utf8'));
  } catch (error) {
    throw badRecord(file, (error as Error).message, error);
  }
  if (!isFlightRecord(body)) {
    throw badRecord(file, 'this is not what sluice status --passes of this version prints');
  }
  return body;
}

function badRecord(file: string, why: string, cause?: unknown): UsageError {
  const name = file === '-' ? 'standard input' : quoted(file);
  return new UsageError(`${name}: ${printable(why)}`, cause === undefined ? {} : { cause });
}
