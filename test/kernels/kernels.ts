// `npm run test:kernels`: runs tests of Sluice on Debian's kernels, oldest first, two virtual machines at a
// time, and prints a table. `--kernel NAME`, once or more often, chooses kernels; `--write` puts the table into
// docs/kernels.md. Exit codes: 0 every topic was tested and every test passed, 1 not so, 2 it could not
// begin.
import { mkdir, writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { prepareBoots, runInGuest } from './boot.ts';
import { type Guest, guests } from './guests.ts';
import { kernelsPage } from './page.ts';
import { hasPassed } from './report.ts';
import { kernelTable, type Run } from './table.ts';
import { allTests } from './topics.ts';

const { stdout, stderr } = process;
const timeoutMs = 90 * 60_000;

const ending = new AbortController();
const { signal } = ending;
// Not `once`: execa ends a process that nobody else listens in.
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, () => ending.abort());
try {
  process.exitCode = await main();
} catch (error) {
  stderr.write(`test:kernels: ${signal.aborted ? 'stopped' : (error as Error).message}\n`);
  process.exitCode = 2;
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: { kernel: { type: 'string', multiple: true }, write: { type: 'boolean' } },
  });
  const chosen = chooseGuests(values.kernel);
  await prepareBoots();
  const runs = await runAll(chosen);
  const table = kernelTable(runs);
  stdout.write(`\n${table}`);
  if (values.write === true) {
    await mkdir('docs', { recursive: true });
    await writeFile('docs/kernels.md', kernelsPage(table, new Date()));
  }
  return runs.every(({ report }) => hasPassed(report)) ? 0 : 1;
}

function chooseGuests(names: readonly string[] = guests.map(({ name }) => name)): readonly Guest[] {
  return names.map((name) => {
    const guest = guests.find((one) => one.name === name);
    const known = guests.map((one) => one.name).join(', ');
    if (guest === undefined) throw new Error(`--kernel ${name}: not one of ${known}`);
    return guest;
  });
}

// All topics of the table say `not run`.
const nothing = { results: [], console: '' } as const;

/** Two at a time: each keeps one processor busy. */
async function runAll(chosen: readonly Guest[]): Promise<readonly Run[]> {
  const waiting = [...chosen.entries()];
  const runs: Run[] = [];
  const work = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const [index, guest] = next;
      runs[index] = await runOne(guest);
    }
  };
  await Promise.all([work(), work()]);
  return runs;
}

async function runOne(guest: Guest): Promise<Run> {
  const onConsole = (path: string): void => {
    stdout.write(`kernel ${guest.name}: started, console in ${path}\n`);
  };
  const boot = { guest, vitestArguments: allTests, timeoutMs, signal, onConsole };
  const report = await runInGuest(boot).catch((error: Error) => {
    signal.throwIfAborted();
    stdout.write(`${error.message}\n`);
    return { ...nothing, versions: { kernel: guest.name, nft: '', iptables: '' } };
  });
  const failed = report.results.filter(({ failures }) => failures.length > 0);
  stdout.write(`kernel ${guest.name}: ${report.results.length} tests, ${failed.length} failed\n`);
  // What vitest says of failures comes after all results.
  if (failed.length > 0) stdout.write(report.console.slice(report.console.indexOf('Failed ')));
  return { guest, report };
}
