// What is done to a node while connections are counted, one event after the other: each begins with what
// the one before has left.
import type { SluiceProcess } from '../../../src/lab/sluice-process.ts';
import type { ProxyMode } from '../../../src/model/config.ts';
import type { EventReport, Stage } from './stage.ts';

/** Carries all of them out, on a node that has kube-proxy's rules; `theirs` is what to call those. */
export async function* allEvents(stage: Stage, theirs: string): AsyncGenerator<EventReport> {
  yield stage.count(`nothing: ${theirs}`, () => Promise.resolve());
  for (const mode of ['nftables', 'iptables'] as const) {
    yield stage.count(`takeover: ${theirs} to ${mode}`, () => stage.takeover(mode));
    yield stage.count(`rollback: ${mode} to ${theirs}`, () => stage.rollback());
  }
  for (const mode of ['nftables', 'iptables'] as const) {
    yield* runEvents(stage, mode, theirs);
    yield stage.count(`rollback: ${mode} to ${theirs}`, () => stage.rollback());
  }
}

async function* runEvents(
  stage: Stage,
  mode: ProxyMode,
  theirs: string,
): AsyncGenerator<EventReport> {
  const { count, run, takeover } = stage;
  const other = mode === 'nftables' ? 'iptables' : 'nftables';
  let sluice: SluiceProcess | undefined;
  yield count(`run: ${theirs} to ${mode}`, async () => (sluice = await run(mode)));
  yield count(`restart: ${mode}`, async () => {
    await sluice?.stop();
    sluice = await run(mode);
  });
  yield count(`kill -9 and start: ${mode}`, async () => {
    await sluice?.kill();
    sluice = await run(mode);
  });
  for (const [from, to] of [
    [mode, other],
    [other, mode],
  ] as const) {
    yield count(`mode switch by run: ${from} to ${to}`, async () => {
      await sluice?.stop();
      sluice = await run(to);
    });
  }
  await sluice?.stop();
  yield count(`mode switch by takeover: ${mode} to ${other}`, () => takeover(other));
  yield count(`mode switch by takeover: ${other} to ${mode}`, () => takeover(mode));
}
