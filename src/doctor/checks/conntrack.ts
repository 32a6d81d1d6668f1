// Is there room for connections, and are any lost?
import type { Check, Finding } from '../../host/finding.ts';

const prefix = 'net.netfilter.nf_conntrack';
const max = `${prefix}_max`;
const established = `${prefix}_tcp_timeout_established`;
const liberal = `${prefix}_tcp_be_liberal`;

export const conntrackRoomCheck: Check = ({ sysctls }) => {
  const check = 'conntrack room';
  const [count, limit] = [Number(sysctls.get(`${prefix}_count`)), Number(sysctls.get(max))];
  if (!(limit > 0) || Number.isNaN(count)) {
    return [
      { check, status: 'ok', finding: 'nf_conntrack is not loaded: the first rule does that' },
    ];
  }
  const share = Math.round((count / limit) * 100);
  const room = `${count} of ${limit} entries (${share}%)`;
  if (share < 75) return [{ check, status: 'ok', finding: room }];
  const status = share < 95 ? 'warn' : 'fail';
  const finding = `${room}: when none is left, new connections are dropped`;
  return [{ check, status, finding, fix: `sysctl -w ${max}=${limit * 2}` }];
};

// Only what was lost in earnest: a few clashes are usual on every busy node.
const manyClashes = 1000;

export const conntrackLossCheck: Check = ({ conntrackStats: stats, sysctls, tools }) => {
  const check = 'conntrack losses';
  if (tools.conntrack === undefined) return [];
  if (stats === undefined)
    return [{ check, status: 'unknown', finding: 'conntrack -S does not tell' }];
  const of = (name: string): number => stats.get(name) ?? 0;
  const findings: Finding[] = [];
  const [early, dropped, failed] = [of('early_drop'), of('drop'), of('insert_failed')];
  if (early > 0) {
    const limit = Number(sysctls.get(max));
    const finding = `${early} connections were dropped early, as the table was full`;
    const fix = limit > 0 ? `sysctl -w ${max}=${limit * 2}` : `sysctl -w ${max}=LIMIT`;
    findings.push({ check, status: 'warn', finding, fix });
  }
  if (failed >= manyClashes) {
    findings.push({
      check,
      status: 'warn',
      finding: `${failed} inserts failed, ${dropped} packets dropped: mostly two DNS requests of one socket at once, which then take 5 s`,
      fix: `kubectl -n NAMESPACE patch deployment NAME -p '{"spec":{"template":{"spec":{"dnsConfig":{"options":[{"name":"single-request-reopen"}]}}}}}'`,
    });
  }
  if (of('invalid') >= manyClashes && sysctls.get(liberal) === '0') {
    const finding = `${of('invalid')} packets were invalid, and are dropped; those beyond TCP's window need not be`;
    findings.push({ check, status: 'warn', finding, fix: `sysctl -w ${liberal}=1` });
  }
  return findings.length > 0 ? findings : [{ check, status: 'ok', finding: 'none to speak of' }];
};

// A TCP keepalive comes after two hours, unless a program asks for another time.
const keepaliveSeconds = 7200;

export const conntrackTimeoutCheck: Check = ({ sysctls }) => {
  const check = 'conntrack time';
  const value = sysctls.get(established);
  if (value === undefined) return [];
  const finding = `TCP connections are forgotten after ${value} s of silence`;
  if (Number(value) > keepaliveSeconds) return [{ check, status: 'ok', finding }];
  const why = `${finding}, before keepalive comes (${keepaliveSeconds} s): idle ones break`;
  return [{ check, status: 'warn', finding: why, fix: `sysctl -w ${established}=86400` }];
};

/** The settings that these look at. */
export const conntrackSettingNames = [`${prefix}_count`, max, established, liberal] as const;
