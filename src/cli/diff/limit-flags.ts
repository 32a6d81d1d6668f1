// The flags that limit what a change may take away.
import { quoted } from '../../cluster/problem.ts';
import { parseLimit, parsePercent, type Gates } from '../../diff/gates.ts';
import { UsageError } from '../../errors.ts';
import type { FlagValues } from '../arguments/flags.ts';

const flags = {
  endpoints: 'refuse-if-endpoints-lost',
  services: 'refuse-if-services-lost',
} as const;

/** The limits, as they were given; throws UsageError where one is no limit. */
export function gatesOf(values: Pick<FlagValues, (typeof flags)[keyof typeof flags]>): Gates {
  const limit = <T>(
    flag: keyof typeof values,
    parse: (text: string) => T | undefined,
  ): T | undefined => {
    const text = values[flag];
    const parsed = text === undefined ? undefined : parse(text);
    if (text === undefined || parsed !== undefined) return parsed;
    throw new UsageError(`--${flag}: ${quoted(text)} is no limit such as 30%`);
  };
  return {
    endpointsLost: limit(flags.endpoints, parsePercent),
    servicesLost: limit(flags.services, parseLimit),
  };
}
