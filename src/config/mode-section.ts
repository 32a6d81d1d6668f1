// What each proxy mode has a section of its own for: the values of all fields in, those of the active
// mode out. What stands in the section of another mode does not count.
import type { ProxyMode } from '../model/config.ts';
import type { FieldPath, FieldValues } from './fields.ts';
import { formatDuration } from './values/go-values.ts';
import type { Report } from './origin.ts';

/** Whether a field is of a mode that is not the active one. */
export function isOfOtherMode(path: FieldPath, mode: ProxyMode): boolean {
  const section = path.split('.')[0] ?? '';
  return ['iptables', 'nftables', 'ipvs'].includes(section) && section !== mode;
}

/** The part of the Config that the active mode's section says. */
export function sectionValues(values: FieldValues, report: Report) {
  const { mode } = values;
  const [syncPeriodMs, minSyncPeriodMs] = [
    values[`${mode}.syncPeriod`],
    values[`${mode}.minSyncPeriod`],
  ];
  if (minSyncPeriodMs > syncPeriodMs) {
    const [least, most] = [minSyncPeriodMs, syncPeriodMs].map(formatDuration);
    report(`${mode}.minSyncPeriod`, `${least} is more than the syncPeriod of ${most}`);
  }
  return {
    masqueradeAll: values[`${mode}.masqueradeAll`],
    masqueradeBit: values[`${mode}.masqueradeBit`],
    syncPeriodMs,
  };
}
