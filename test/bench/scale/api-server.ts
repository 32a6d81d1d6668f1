// The stand-in API server as a program of its own, with a cluster in it: it has to be in the node's network
// namespace, and its work must not count as the proxy's.
// Run: node api-server.ts SPEC, which is a ClusterSpec as JSON.
import { kinds } from '../../cluster/stand-in/kinds.ts';
import { eventLine } from '../../cluster/stand-in/replies.ts';
import { StandInApiServer } from '../../cluster/stand-in-api-server.ts';
import { clusterObjects, clusterOf, type ClusterSpec } from './cluster/cluster.ts';
import type { StoredObject } from './cluster/objects.ts';
import { answerLines, sharedNowMs } from './line-process.ts';

const server = await StandInApiServer.start();
const spec = JSON.parse(process.argv[2] ?? '') as ClusterSpec;
for (const { kind, object } of clusterObjects(clusterOf(spec))) server.store.set(kind, object);
server.compact();
// Encoded before the proxy starts, as a real server has its objects in a cache.
for (const info of kinds) {
  for (const object of server.store.list(info.kind, () => true)) eventLine('ADDED', info, object);
}

let changes = 0;
answerLines<StoredObject>({ url: server.url }, ({ kind, object }) => {
  const at = sharedNowMs();
  server.store.set(kind, object);
  // A history of all there ever was is none of a real server's habits either.
  if ((changes += 1) % 1000 === 0) server.compact(server.store.version - 500);
  return { at };
});
