// The results as people read them and as programs do.
import { execFileSync } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { cpus, release, totalmem } from 'node:os';
import { join } from 'node:path';
import type { Figure } from './figure.ts';

/** What the figures were measured on. */
export type Machine = { readonly text: string; readonly loadBefore: number };

/** Results of a whole run. */
export type Results = {
  readonly machine: Machine;
  readonly figures: readonly Figure[];
  readonly plot: string;
};

/** This machine; `load` is how busy it was before the bench. */
export function machineOf([loadBefore = 0]: readonly number[]): Machine {
  const [nft, iptables] = [['nft', '--version'] as const, ['iptables', '--version'] as const].map(
    ([file, flag]) => execFileSync(file, [flag], { encoding: 'utf8' }).trim(),
  );
  const [cpu] = cpus();
  const memory = `${Math.round(totalmem() / 2 ** 30)} GB`;
  const hardware = `${cpus().length} x ${cpu?.model ?? 'processor'}, ${memory}`;
  const software = `Linux ${release()}, ${nft}, ${iptables}, Node ${process.version}`;
  const text = `${hardware}; ${software}; load before: ${loadBefore.toFixed(2)}`;
  return { text, loadBefore };
}

const columns = ['', 'figure', 'Services', 'value', 'bound', 'floor', 'note'] as const;
const widths = [5, 44, 9, 12, 12, 12, 0];

/** All figures as a table. */
export function tableOf(figures: readonly Figure[]): string {
  return [padded(columns), ...figures.map(rowOf)].join('\n');
}

/** One figure as a line of the table. */
export function rowOf(figure: Figure): string {
  const { name, services, unit, value, bound, floorMs, note = '' } = figure;
  const isOver = bound !== undefined && !(value <= bound);
  return padded([
    isOver ? 'OVER' : 'ok',
    name,
    services.toLocaleString('en'),
    quantity(value, unit),
    bound === undefined ? '' : quantity(bound, unit),
    floorMs === undefined ? '' : quantity(floorMs, 'ms'),
    note,
  ]);
}

function padded(cells: readonly string[]): string {
  return cells
    .map((cell, index) => cell.padEnd(widths[index] ?? 0))
    .join(' ')
    .trimEnd();
}

function quantity(value: number, unit: Figure['unit']): string {
  if (unit === 'us') return `${value.toFixed(2)} us`;
  if (unit === 'lost' || unit === 'elements') return String(value);
  if (unit === 'x') return `${value.toFixed(2)} x`;
  return `${value.toFixed(value < 100 ? 1 : 0)} ${unit}`;
}

/** Writes them beside the bench. */
export async function writeResults({ machine, figures, plot }: Results): Promise<void> {
  const folder = join(import.meta.dirname, '../results');
  await mkdir(folder, { recursive: true });
  const json = JSON.stringify({ machine, figures }, undefined, 2);
  await writeFile(join(folder, 'scale.json'), `${json}\n`);
  await writeFile(join(folder, 'scale.svg'), plot);
}
