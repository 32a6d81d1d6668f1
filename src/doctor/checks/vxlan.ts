// The checksums of packets that are masqueraded and then put into VXLAN: kernels before the fix send
// wrong ones, and connections take 1, 3 or 63 s (kubernetes/kubernetes#88986).
import type { Check } from '../../host/finding.ts';
import { isOlder, versionIn } from '../../netfilter/version.ts';

/** The first release with the fix, of each line of kernels that got it. */
const fixed: readonly (readonly number[])[] = [
  [4, 14, 181],
  [4, 19, 123],
  [5, 4, 41],
  [5, 6, 13],
];
const fixedSince = [5, 7];

export const vxlanCheck: Check = ({ interfaces, kernel, tools }) => {
  const check = 'vxlan';
  if (interfaces === undefined)
    return [{ check, status: 'unknown', finding: 'ip link does not tell' }];
  const devices = interfaces.filter(({ kind }) => kind === 'vxlan');
  const version = versionIn(kernel);
  if (devices.length === 0) return [{ check, status: 'ok', finding: 'no VXLAN interface' }];
  const names = devices.map(({ name }) => name).join(', ');
  if (version === undefined || !isAffected(version)) {
    return [{ check, status: 'ok', finding: `${names}: this kernel's checksums are right` }];
  }
  const faulty = devices.filter(({ checksumOffload }) => checksumOffload !== false);
  if (faulty.length === 0) return [{ check, status: 'ok', finding: `${names}: no offload` }];
  return faulty.map(({ name, checksumOffload }) => {
    const install = tools.ethtool === undefined ? 'apt-get install -y ethtool && ' : '';
    const maybe = checksumOffload === undefined ? 'may send' : 'sends';
    return {
      check,
      status: 'warn',
      finding: `${name} ${maybe} wrong checksums with kernel ${kernel}: connections to Services take seconds`,
      fix: `${install}ethtool -K ${name} tx-checksum-ip-generic off`,
    };
  });
};

function isAffected(version: readonly number[]): boolean {
  if (!isOlder(version, fixedSince)) return false;
  const line = fixed.find(([major, minor]) => version[0] === major && version[1] === minor);
  return line === undefined || isOlder(version, line);
}
