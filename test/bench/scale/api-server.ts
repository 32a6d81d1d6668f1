// The stand-in API server as a program of its own, with a cluster of a given size in it: it has to be in
// the node's network namespace, and its work must not count as the proxy's.
// Run: node api-server.ts SERVICES
import { kinds } from '../../cluster/stand-in/kinds.ts';
import { eventLine } from '../../cluster/stand-in/replies.ts';
import { StandInApiServer } from '../../cluster/stand-in-api-server.ts';
import { clusterObjects, type StoredObject } from './cluster.ts';
import { answerLines, sharedNowMs } from './line-process.ts';

const server = await StandInApiServer.start();
for (const { kind, object } of clusterObjects(Number(process.argv[2]))) {
  server.store.set(kind, object);
}
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
