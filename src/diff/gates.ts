// Limits to what a change may take away, for pipelines: in the changes and the limits, out what goes
// beyond them. Pure.
import type { ServiceKey } from '../model/kubernetes.ts';
import type { ServiceChange } from './service-change.ts';

/** A number, or a share of all in per cent. */
export type Limit = { readonly kind: 'count' | 'percent'; readonly value: number };

/** What a change may take away at most; undefined: any number. */
export type Gates = {
  /** Of the endpoints of each Service, in per cent. */
  readonly endpointsLost: number | undefined;
  readonly servicesLost: Limit | undefined;
};

/** One limit that is passed. */
export type Refusal =
  | {
      readonly gate: 'endpoints-lost';
      readonly service: ServiceKey;
      readonly lost: number;
      readonly of: number;
      readonly limitPercent: number;
    }
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
 * The limits that the changes pass; `services` is how many there were. A Service loses as many endpoints
 * as it has fewer: others in their place are no loss. One that goes loses all, unless there is a limit
 * for that.
 */
export function refusals(
  changes: readonly ServiceChange[],
  { endpointsLost, servicesLost }: Gates,
  services: number,
): readonly Refusal[] {
  const gone = changes.filter(({ change }) => change === 'removed').length;
  const losing = changes.flatMap(({ service, change, endpoints }): readonly Refusal[] => {
    const isOthers = change === 'removed' && servicesLost !== undefined;
    const [lost, of] = [endpoints.before - endpoints.after, endpoints.before];
    if (endpointsLost === undefined || isOthers || lost <= (of * endpointsLost) / 100) return [];
    return [{ gate: 'endpoints-lost', service, lost, of, limitPercent: endpointsLost }];
  });
  if (servicesLost === undefined || gone <= most(servicesLost, services)) return losing;
  return [...losing, { gate: 'services-lost', lost: gone, of: services, limit: servicesLost }];
}

function most({ kind, value }: Limit, all: number): number {
  return kind === 'count' ? value : (all * value) / 100;
}
