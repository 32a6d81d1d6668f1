// Connections that stay open while rules change hands, and are used now and then. In: a lab, and who holds
// what. Out: which of them broke.
import type { Host } from '../../../src/lab/topology.ts';
import type { Lab } from '../../../src/lab/lab.ts';

/** A connection to hold. */
export type HeldTarget = { readonly from: Host; readonly to: string; readonly port: number };

/** Connections that are held. */
export type HeldConnections = {
  readonly count: number;
  /** Closes half of them and opens them anew, by the rules that stand now; the others grow old. */
  readonly renew: () => Promise<void>;
  /** Those that did not answer since the last call; what broke is held anew. */
  readonly broken: () => Promise<readonly string[]>;
  readonly close: () => Promise<void>;
};

// Each is used about twice a second.
const roundMs = 500;

/** Opens them all, and uses each of them in turn until it is told to close. */
export async function holdConnections(
  lab: Lab,
  targets: readonly HeldTarget[],
): Promise<HeldConnections> {
  const broken: string[] = [];
  const open = async ({ from, to, port }: HeldTarget): Promise<void> => {
    const connection = `${to}:${port}`;
    const met = await lab.hold(from, { kind: 'open', connection, to, port });
    if (met?.result !== 'ok') broken.push(`${connection} from ${from} is not to be had`);
  };
  const reopen = async (target: HeldTarget): Promise<void> => {
    const connection = `${target.to}:${target.port}`;
    await lab.hold(target.from, { kind: 'close', connection });
    await open(target);
  };
  const use = async (target: HeldTarget): Promise<void> => {
    const connection = `${target.to}:${target.port}`;
    const met = await lab.hold(target.from, { kind: 'ping', connection });
    if (met?.result === 'ok') return;
    broken.push(`${connection} from ${target.from}: ${met?.result}`);
    await reopen(target);
  };
  await Promise.all(targets.map(open));
  // One after the other, as two uses of a connection at once would take each other's answers.
  let rounds = Promise.resolve();
  const round = (work: () => Promise<unknown>): Promise<void> =>
    (rounds = rounds.then(async () => void (await work())));
  const useAll = (): Promise<unknown> => Promise.all(targets.map(use));
  const halfOf = targets.filter((_, index) => index % 2 === 1);
  // Whoever asks next what is broken hears of a round that failed.
  const timer = setInterval(() => void round(useAll).catch(() => undefined), roundMs);
  return {
    count: targets.length,
    renew: () => round(() => Promise.all(halfOf.map(reopen))),
    async broken() {
      await round(useAll);
      return broken.splice(0);
    },
    async close() {
      clearInterval(timer);
      await rounds.catch(() => undefined);
    },
  };
}
