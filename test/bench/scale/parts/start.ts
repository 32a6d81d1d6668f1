// What a start costs: time from exec to the last Service answered, beside bare `nft -f` of the same rules, and
// the memory of all our processes.
import { shapeName, type ClusterSpec } from '../cluster/cluster.ts';
import type { PartOptions } from '../figure.ts';
import { nftFloor } from '../floor.ts';
import { measureStart, type Start } from '../measure.ts';
import type { Source } from '../stage.ts';
import { median } from '../statistics.ts';

type Row = {
  readonly spec: ClusterSpec;
  /** The time may be so many times the floor, and so many milliseconds. */
  readonly bound?: { readonly times: number; readonly ms: number };
  readonly restMb?: number;
  readonly peakMb?: number;
};

const mainSize = 10_000;
const smallSize = 50;

function yardstick(services: number): Row {
  const spec: ClusterSpec = { shape: { kind: 'yardstick' }, services, hasProbes: false };
  // Where there is little to load, a process has to start all the same.
  if (services <= smallSize) return { spec, bound: { times: 0, ms: 400 }, restMb: 65 };
  const row = { spec, bound: { times: 1.3, ms: 1000 } };
  return services === mainSize ? { ...row, restMb: 140, peakMb: 260 } : row;
}

function alike(services: number, endpointsEach: number, bound?: Row['bound']): Row {
  const shape = { kind: 'alike', endpointsEach } as const;
  const spec: ClusterSpec = { shape, services, hasProbes: false };
  return bound === undefined ? { spec } : { spec, bound };
}

const otherShapes: readonly Row[] = [
  alike(mainSize, 5),
  alike(5006, 50, { times: 1.2, ms: 700 }),
  alike(44_125, 1, { times: 1.3, ms: 2000 }),
  alike(50_000, 5, { times: 1.6, ms: 1500 }),
];

const rounds = 3;

/** Measures them. */
export async function start(options: PartOptions): Promise<void> {
  const rows = options.sizes([smallSize, mainSize], [smallSize, 1000]).map(yardstick);
  for (const row of rows) await startOf(row, options);
  if (!options.isWhole) return;
  for (const row of otherShapes) await startOf(row, options);
}

async function startOf(row: Row, options: PartOptions): Promise<void> {
  const { sluiceFile, say } = options;
  const { services } = row.spec;
  const isMain = row.spec.shape.kind === 'yardstick' && services === mainSize;
  const floor = await nftFloor(row.spec, options);
  const sources: readonly Source[] = isMain ? ['api server', 'json', 'yaml'] : ['api server'];
  for (const source of sources) {
    // Each start has a floor of the same minute: a machine is not always as fast.
    const floors: number[] = [];
    const time = async (): Promise<void> => void floors.push(await floor.timeMs());
    const times = options.isWhole && source === 'api server' ? rounds : 1;
    const found = await measureStart({ sluiceFile, cluster: row.spec, source }, times, time);
    const floorMs = median(floors);
    const name = `cold start, ${shapeName(row.spec)}, ${source}`;
    const bound = row.bound && row.bound.times * floorMs + row.bound.ms;
    say({ name, services, unit: 'ms', value: found.ms, bound, floorMs });
    if (source === 'api server') sayMemory(row, found, options);
  }
}

function sayMemory({ spec, restMb, peakMb }: Row, found: Start, { say }: PartOptions): void {
  const common = { services: spec.services, unit: 'MB' } as const;
  const of = `${shapeName(spec)}, all our processes`;
  const rest = `${found.ownRestMb.toFixed(0)} MB of it Sluice's own`;
  const peak = `${found.ownPeakMb.toFixed(0)} MB was the most of Sluice's own`;
  say({ ...common, name: `memory at rest, ${of}`, value: found.restMb, bound: restMb, note: rest });
  say({ ...common, name: `memory peak, ${of}`, value: found.peakMb, bound: peakMb, note: peak });
}
