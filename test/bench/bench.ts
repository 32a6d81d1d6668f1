// What the number of Services costs: packets, starts, changes, memory, in one run on one machine, beside
// kube-proxy's rules and the time of the kernel's own tools. Needs root. Run: npm run bench -- [--only PART]...
// [--services N] [--quick] [--rules FILE]. Results: a table here, and results/ as JSON and as a plot.
import { execFileSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { Figure, PartOptions } from './scale/figure.ts';
import { parts, type PartName } from './scale/parts.ts';
import { plotOf } from './scale/plot.ts';
import { machineOf, rowOf, tableOf, writeResults } from './scale/report.ts';

const { values } = parseArgs({
  options: {
    only: { type: 'string', multiple: true },
    services: { type: 'string' },
    rules: { type: 'string' },
    quick: { type: 'boolean', default: false },
  },
});
const names = Object.keys(parts) as PartName[];
const wanted = names.filter((name) => values.only?.includes(name) ?? true);
if (wanted.length === 0) throw new Error(`--only takes one of ${names.join(', ')}`);
const own = values.services === undefined ? undefined : [Number(values.services)];
const isWhole = !values.quick && own === undefined;
const sizes: PartOptions['sizes'] = (whole, quick) => own ?? (values.quick ? quick : whole);

const folder = await mkdtemp(join(tmpdir(), 'sluice-bench-'));
const figures: Figure[] = [];
try {
  const sluiceFile = join(folder, 'sluice.cjs');
  const build = fileURLToPath(new URL('../../scripts/build.ts', import.meta.url));
  execFileSync(process.execPath, [build, sluiceFile], { stdio: 'inherit' });
  const machine = machineOf(loadavg());
  process.stdout.write(`${machine.text}\n`);
  const share = values.quick ? 0.1 : 1;
  for (const part of wanted) {
    const say = (figure: Omit<Figure, 'part'>): void => {
      figures.push({ part, ...figure });
      process.stderr.write(`${rowOf({ part, ...figure })}\n`);
    };
    await parts[part]({ sluiceFile, folder, sizes, isWhole, share, rules: values.rules, say });
  }
  process.stdout.write(`${tableOf(figures)}\n`);
  // A part of the run, a small one, or one of other rules is no result.
  const isResult = isWhole && wanted.length === names.length && values.rules === undefined;
  if (isResult) await writeResults({ machine, figures, plot: plotOf(figures, machine.text) });
} finally {
  await rm(folder, { recursive: true, force: true });
}
process.exitCode = figures.every(({ value, bound }) => bound === undefined || value <= bound)
  ? 0
  : 1;
