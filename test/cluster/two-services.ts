// Servers that several tests begin with.
import { rawService } from './objects.ts';
import { StandInApiServer } from './stand-in-api-server.ts';
import type { Matching } from './stand-in/faults.ts';

export const isWatchList: Matching = ({ style }) => style === 'watch-list';
export const isWatch: Matching = ({ style }) => style === 'watch';
export const isList: Matching = ({ style }) => style === 'list';

/** A server with these Services. */
export async function serverWith(...names: readonly string[]): Promise<StandInApiServer> {
  const server = await StandInApiServer.start();
  for (const name of names) server.store.set('Service', rawService(name));
  return server;
}

/** A server with Services a and b. */
export async function serverWithTwo(): Promise<StandInApiServer> {
  return serverWith('a', 'b');
}

/** As before, but it knows no lists but those in pages. */
export async function oldServer(): Promise<StandInApiServer> {
  const server = await serverWithTwo();
  server.fail({ kind: 'status', code: 422 }, { matching: isWatchList, times: Infinity });
  return server;
}
