// `npm run e2e:cluster`: asks the Services of a live cluster from every node of it. The environment's
// KUBECONFIG in; a line an answer out, and exit code 0 where all of them were right, 1 where one was not,
// 2 where it could not be asked. Everything that it makes is in one namespace, which goes at the end,
// after a failure or Ctrl-C too.
import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { ApiClient } from './api-client.ts';
import { runChecks } from './checks.ts';
import { daemonSetObject, namespaceObject, type PodSet } from './objects.ts';
import { readyPods } from './pods.ts';
import { findingLine, type Finding } from './question.ts';

const { env, stdout, stderr } = process;
// How long a change may take to be seen everywhere.
const withinMs = Number(env['SLUICE_E2E_WITHIN_MS'] ?? '30000');
const deletedWithinMs = 120_000;

const ending = new AbortController();
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
  process.once(name, () => ending.abort());
try {
  process.exitCode = await main(ending.signal);
} catch (error) {
  stderr.write(`e2e: ${ending.signal.aborted ? 'stopped' : (error as Error).message}\n`);
  process.exitCode = 2;
}

async function main(signal: AbortSignal): Promise<number> {
  const kubeconfig = env['KUBECONFIG'];
  if (!kubeconfig) throw new Error('KUBECONFIG names no file: it has to lead to a cluster');
  const client = await ApiClient.open(kubeconfig);
  const namespace = `sluice-e2e-${randomBytes(3).toString('hex')}`;
  await client.request('POST', '/api/v1/namespaces', namespaceObject(namespace));
  try {
    return await check(client, namespace, signal);
  } finally {
    await remove(client, namespace);
  }
}

async function check(client: ApiClient, namespace: string, signal: AbortSignal): Promise<number> {
  const sets: readonly PodSet[] = ['pods', 'hosts'];
  for (const set of sets) {
    const path = `/apis/apps/v1/namespaces/${namespace}/daemonsets`;
    await client.request('POST', path, daemonSetObject(set));
  }
  const [pods = [], hosts = []] = await Promise.all(
    sets.map((set) => readyPods(client, { namespace, set, signal })),
  );
  stdout.write(`${pods.length} nodes\n`);
  const counts = { right: 0, wrong: 0 };
  const onFinding = (finding: Finding): void => {
    counts[finding.isAsExpected ? 'right' : 'wrong'] += 1;
    stdout.write(`${findingLine(finding)}\n`);
  };
  await runChecks({ client, namespace, signal, withinMs, pods, hosts, onFinding });
  stdout.write(`${counts.right} right, ${counts.wrong} wrong\n`);
  return counts.wrong === 0 ? 0 : 1;
}

// Waited for, so that whoever ends the cluster next, or asks it again, meets nothing of this.
async function remove(client: ApiClient, namespace: string): Promise<void> {
  const path = `/api/v1/namespaces/${namespace}`;
  await client.request('DELETE', path);
  const deadlineMs = performance.now() + deletedWithinMs;
  while ((await client.find(path)) !== undefined) {
    if (performance.now() > deadlineMs) throw new Error(`namespace ${namespace} does not go`);
    await delay(500);
  }
}
