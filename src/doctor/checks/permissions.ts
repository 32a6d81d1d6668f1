// May rules be read and written at all?
import type { Check } from '../../host/finding.ts';

// linux/capability.h
const netAdmin = 12n;

export const permissionsCheck: Check = ({ capabilities }) => {
  const check = 'permissions';
  if (capabilities === undefined) {
    return [{ check, status: 'unknown', finding: '/proc/self/status does not tell' }];
  }
  if (((capabilities >> netAdmin) & 1n) === 1n) {
    return [{ check, status: 'ok', finding: 'CAP_NET_ADMIN' }];
  }
  const finding = 'CAP_NET_ADMIN is missing: rules can be neither read nor written';
  return [{ check, status: 'fail', finding, fix: 'sudo sluice doctor' }];
};
