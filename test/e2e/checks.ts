// What a Service proxy has to do in a live cluster, as questions: from a pod of each set on every node.
// In: an API server and the pods. Out: what each question met. Objects are made on the way.
import type { ApiObject } from './api-client.ts';
import { serviceObject, sliceObject, type AddressType, type Endpoint } from './objects.ts';
import { familyOf, type Pod } from './pods.ts';
import { settle, type Asking, type Finding, type Question } from './question.ts';

export type Stage = Asking & {
  readonly pods: readonly Pod[];
  readonly hosts: readonly Pod[];
  readonly onFinding: (finding: Finding) => void;
};

type ServiceObject = ApiObject & {
  readonly spec: {
    readonly clusterIPs: readonly string[];
    readonly ports: readonly { readonly protocol: 'TCP' | 'UDP'; readonly nodePort?: number }[];
  };
};

type Expected = Question['expected'];

const protocols = ['http', 'udp'] as const;
const withSelector = { selector: { app: 'pods' } };

/** All checks, one after the other. */
export async function runChecks(stage: Stage): Promise<void> {
  const all = stage.pods.map(({ hostname }) => hostname);
  const web = await create(stage, 'web', { type: 'NodePort' });
  await putSlices(stage, 'web', stage.pods);
  const picked = await create(stage, 'picked', withSelector);
  const near = await create(stage, 'near', { ...withSelector, internalTrafficPolicy: 'Local' });
  const sticky = await create(stage, 'sticky', { ...withSelector, sessionAffinity: 'ClientIP' });
  const empty = await create(stage, 'empty');
  const first = [
    ...atClusterIps(stage, web, () => all),
    ...atNodePorts(stage, web, all),
    ...atClusterIps(stage, picked, () => all),
    ...atClusterIps(stage, near, ({ nodeName }) => namesOn(stage, nodeName)),
    ...atClusterIps(stage, sticky, () => 'one'),
    ...atClusterIps(stage, empty, () => ['refused']),
  ];
  await settleAll(stage, first);
  await afterChanges(stage, { web, picked });
}

/** An endpoint goes, and with it all answers from there; a Service goes. */
async function afterChanges(
  stage: Stage,
  { web, picked }: { readonly web: ServiceObject; readonly picked: ServiceObject },
): Promise<void> {
  const [, ...rest] = stage.pods;
  await putSlices(stage, 'web', rest);
  await stage.client.request('DELETE', `${servicesPath(stage)}/picked`);
  const left = rest.map(({ hostname }) => hostname);
  await settleAll(stage, [
    ...atClusterIps(stage, web, () => (left.length === 0 ? ['refused'] : left)).map(
      renamed('after its first endpoint went'),
    ),
    ...atClusterIps(stage, picked, () => 'nobody').map(renamed('after it was deleted')),
  ]);
}

function renamed(when: string): (question: Question) => Question {
  return (question) => ({ ...question, what: `${question.what} ${when}` });
}

async function settleAll(stage: Stage, questions: readonly Question[]): Promise<void> {
  // From all nodes at once; one after the other on each, as a node has more to do than to be asked.
  const byAsker = Map.groupBy(questions, ({ from }) => `${from.set} ${from.name}`);
  const asked = [...byAsker.values()].map(async (own) => {
    let { withinMs } = stage;
    for (const question of own) {
      const finding = await settle(question, { ...stage, withinMs });
      stage.onFinding(finding);
      // What has not come about in all that time is not waited for again.
      if (!finding.isAsExpected) withinMs = 0;
    }
  });
  await Promise.all(asked);
}

function atClusterIps(
  { pods, hosts }: Stage,
  { metadata, spec }: ServiceObject,
  expectedFrom: (asker: Pod) => Expected,
): readonly Question[] {
  const what = `${metadata.name} ClusterIP`;
  return [...pods, ...hosts].flatMap((from) =>
    spec.clusterIPs
      .filter((host) => from.ips.some((ip) => familyOf(ip) === familyOf(host)))
      .flatMap((host) =>
        protocols
          // What UDP meets where nobody is differs from system to system.
          .filter((protocol) => protocol === 'http' || expectedFrom(from) !== 'nobody')
          .map((protocol) => ({
            what,
            from,
            host,
            port: 80,
            protocol,
            expected: expectedFrom(from),
          })),
      ),
  );
}

/** Every node's own address, asked from every node. */
function atNodePorts(
  { pods, hosts }: Stage,
  { metadata, spec }: ServiceObject,
  expected: Expected,
): readonly Question[] {
  const families = spec.clusterIPs.map(familyOf);
  const nodePort = (protocol: 'TCP' | 'UDP'): number =>
    spec.ports.find((port) => port.protocol === protocol)?.nodePort ?? 0;
  const ports = { http: nodePort('TCP'), udp: nodePort('UDP') };
  return [...pods, ...hosts].flatMap((from) =>
    hosts.flatMap(({ nodeName, ips }) =>
      ips
        .filter((ip) => families.includes(familyOf(ip)))
        .filter((ip) => from.ips.some((own) => familyOf(own) === familyOf(ip)))
        .flatMap((host) =>
          protocols.map((protocol) => ({
            what: `${metadata.name} node port of ${nodeName}`,
            from,
            host,
            port: ports[protocol],
            protocol,
            expected,
          })),
        ),
    ),
  );
}

function namesOn({ pods }: Stage, node: string): readonly string[] {
  return pods.filter(({ nodeName }) => nodeName === node).map(({ hostname }) => hostname);
}

function servicesPath({ namespace }: Stage): string {
  return `/api/v1/namespaces/${namespace}/services`;
}

function create(stage: Stage, name: string, spec: object = {}): Promise<ServiceObject> {
  return stage.client.request('POST', servicesPath(stage), serviceObject(name, spec));
}

/** Makes the slices of a Service what these pods are, in every family that one of them has. */
async function putSlices(stage: Stage, service: string, pods: readonly Pod[]): Promise<void> {
  const { client, namespace } = stage;
  const path = `/apis/discovery.k8s.io/v1/namespaces/${namespace}/endpointslices`;
  for (const family of new Set(stage.pods.flatMap(({ ips }) => ips.map(familyOf)))) {
    const slice = sliceObject(service, family, endpointsOf(pods, family));
    const isThere = (await client.find(`${path}/${slice.metadata.name}`)) !== undefined;
    if (isThere) await client.request('PUT', `${path}/${slice.metadata.name}`, slice);
    else await client.request('POST', path, slice);
  }
}

function endpointsOf(pods: readonly Pod[], family: AddressType): readonly Endpoint[] {
  return pods.flatMap(({ ips, nodeName }) =>
    ips.filter((ip) => familyOf(ip) === family).map((address) => ({ address, nodeName })),
  );
}
