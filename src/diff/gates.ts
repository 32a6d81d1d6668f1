// Limits to what a change may take away, for pipelines: in the changes and the limits, out what goes
// beyond them. Pure.
import type { FrontendAddress } from '../model/forwarding.ts';
import type { ServiceKey } from '../model/kubernetes.ts';
import type { PortChange, ServiceChange } from './service-change.ts';

/** A number, or a share of all in per cent. */
export type Limit = { readonly kind: 'count' | 'percent'; readonly value: number };

/** What a change may take away at most; undefined: any number. */
export type Gates = {
  /** Of the endpoints of each Service, and of each of its addresses, from inside and from outside; in per cent. */
  readonly endpointsLost: number | undefined;
  readonly servicesLost: Limit | undefined;
};

/** How many endpoints are lost, of how many. */
type Loss = {
  readonly lost: number;
  readonly of: number;
  /** For whom; absent: of all addresses and clients together. */
  readonly at?: { readonly address: FrontendAddress; readonly scope: 'all' | 'outside' };
};

/** One limit that is passed. */
export type Refusal =
  | (Loss & {
      readonly gate: 'endpoints-lost';
      readonly service: ServiceKey;
      readonly limitPercent: number;
    })
  | {
      readonly gate: 'services-lost';
      readonly lost: number;
      readonly of: number;
      readonly limit: Limit;
    };

/** `30%` as 30; undefined where `text` is no share from 0% to 100%. */
export function parsePercent(text: string): number | undefined {
  const [, digits] = /^(\d{1,3}(?:\.\d{1,3})?)%$/.exec(text.trim()) ?? [];
  return digits === undefined || Number(digits) > 100 ? undefined : Number(digits);
}

/** `3` or `10%`; undefined where `text` is neither. */
export function parseLimit(text: string): Limit | undefined {
  if (/^\d{1,9}$/.test(text.trim())) return { kind: 'count', value: Number(text) };
  const value = parsePercent(text);
  return value === undefined ? undefined : { kind: 'percent', value };
}

/**
 * The limits that the changes pass; `services` is how many there were. A Service, or one of its addresses, loses as
 * many endpoints as it has fewer: others in their place are no loss. One that goes loses all, unless there is a limit
 * for Services that go. Of each Service the worst loss counts.
 */
export function refusals(
  changes: readonly ServiceChange[],
  { endpointsLost, servicesLost }: Gates,
  services: number,
): readonly Refusal[] {
  const gone = changes.filter(({ change }) => change === 'removed').length;
  const losing = changes.flatMap((change): readonly Refusal[] => {
    const isOthers = change.change === 'removed' && servicesLost !== undefined;
    const loss = worstLoss(change);
    const isAllowed = endpointsLost === undefined || loss.lost <= (loss.of * endpointsLost) / 100;
    if (isOthers || isAllowed) return [];
    const { service } = change;
    return [{ gate: 'endpoints-lost', service, ...loss, limitPercent: endpointsLost }];
  });
  if (servicesLost === undefined || gone <= most(servicesLost, services)) return losing;
  return [...losing, { gate: 'services-lost', lost: gone, of: services, limit: servicesLost }];
}

// What clients notice: those of one address may lose all where the Service as a whole loses none.
function worstLoss({ endpoints: { before, after }, ports }: ServiceChange): Loss {
  const whole: Loss = { lost: before - after, of: before };
  return ports.flatMap(lossesAt).reduce((worst, loss) => {
    return loss.lost * worst.of > worst.lost * loss.of || (worst.of === 0 && loss.of > 0)
      ? loss
      : worst;
  }, whole);
}

function lossesAt({ addresses, facts }: PortChange): readonly Loss[] {
  const [address] = addresses;
  if (address === undefined) return [];
  return facts.flatMap((fact): readonly Loss[] => {
    if (fact.kind === 'endpoints') {
      const { before, after, scope } = fact;
      return [{ lost: before - after, of: before, at: { address, scope } }];
    }
    if (fact.kind !== 'address' || fact.op === 'added') return [];
    return [{ lost: fact.endpoints, of: fact.endpoints, at: { address, scope: 'all' } }];
  });
}

function most({ kind, value }: Limit, all: number): number {
  return kind === 'count' ? value : (all * value) / 100;
}
