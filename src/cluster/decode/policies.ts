// Decodes how a Service wants its traffic spread: untrusted JSON in, policies and affinity out, with the
// API server's defaults.
import { readNodePort } from './port.ts';
import { child, described, readChoice, report, section, type Field } from './json-field.ts';
import type { Service, ServiceType, TrafficPolicy } from '../../model/kubernetes.ts';

/** What a Service says of its traffic besides addresses and ports. */
export type Policies = Pick<
  Service,
  'internalTrafficPolicy' | 'externalTrafficPolicy' | 'affinitySeconds' | 'healthCheckNodePort'
>;

const usualAffinitySeconds = 10_800;
const longestAffinitySeconds = 86_400;

/** The policies as they take effect for a Service of this type. */
export function readPolicies(spec: Field, type: ServiceType): Policies {
  const wanted = readPolicy(child(spec, 'externalTrafficPolicy'));
  const externalTrafficPolicy = mayBeReachedFromOutside(spec, type) ? wanted : 'Cluster';
  const isAskedForHealth = type === 'LoadBalancer' && externalTrafficPolicy === 'Local';
  return {
    internalTrafficPolicy: readPolicy(child(spec, 'internalTrafficPolicy')),
    externalTrafficPolicy,
    affinitySeconds: readAffinitySeconds(spec),
    healthCheckNodePort: isAskedForHealth ? readNodePort(child(spec, 'healthCheckNodePort')) : 0,
  };
}

// The type decides, not the addresses: kube-proxy takes a ClusterIP Service for one of the inside until
// someone gives it an external IP, whatever its ports and its status say.
function mayBeReachedFromOutside(spec: Field, type: ServiceType): boolean {
  if (type !== 'ClusterIP') return true;
  const { value } = child(spec, 'externalIPs');
  return Array.isArray(value) && value.length > 0;
}

function readPolicy(field: Field): TrafficPolicy {
  return readSetChoice(field, ['Cluster', 'Local']) ?? 'Cluster';
}

function readAffinitySeconds(spec: Field): number {
  const affinity = readSetChoice(child(spec, 'sessionAffinity'), ['None', 'ClientIP']);
  if (affinity !== 'ClientIP') return 0;
  const clientIp = section(section(spec, 'sessionAffinityConfig'), 'clientIP');
  const field = child(clientIp, 'timeoutSeconds');
  const { value = usualAffinitySeconds } = field;
  if (typeof value !== 'number') report(field, `${described(value)} is not a number`);
  else if (Number.isInteger(value) && value >= 1 && value <= longestAffinitySeconds) return value;
  else report(field, `${value} is not a timeout (1 to ${longestAffinitySeconds} seconds)`);
  return usualAffinitySeconds;
}

// In these fields the API server takes an empty text for none.
function readSetChoice<T extends string>(field: Field, choices: readonly T[]): T | undefined {
  return field.value === '' ? undefined : readChoice(field, choices);
}
