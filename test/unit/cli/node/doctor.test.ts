// The table of `sluice doctor`, on a terminal and elsewhere.
import { expect, test } from 'vitest';
import { findingsText } from '../../../../src/cli/node/doctor.ts';
import type { Paint } from '../../../../src/cli/report/print-plan.ts';
import type { Finding } from '../../../../src/host/finding.ts';

const findings: readonly Finding[] = [
  { check: 'kernel', status: 'ok', finding: '6.12.9' },
  {
    check: 'node ports',
    status: 'warn',
    finding: '30000-32767 overlap net.ipv4.ip_local_port_range 1024-65535: programs get them',
    fix: 'sysctl -w net.ipv4.ip_local_reserved_ports=30000-32767',
  },
  {
    check: 'nft',
    status: 'fail',
    finding: 'nft \u001B[31mis old',
    fix: 'apt-get install nftables',
  },
  { check: 'IPVS', status: 'unknown', finding: 'nobody knows' },
];
const paint: Paint = (style, text) => `<${style}>${text}</>`;
const plain: Paint = (_, text) => text;

test('in one piece where it is no terminal', () => {
  expect(findingsText(findings, { paint: plain, columns: Number.POSITIVE_INFINITY })).toBe(
    `✓ ok       kernel      6.12.9
! warn     node ports  30000-32767 overlap net.ipv4.ip_local_port_range 1024-65535: programs get them
                       fix: sysctl -w net.ipv4.ip_local_reserved_ports=30000-32767
✗ fail     nft         nft \\u001b[31mis old
                       fix: apt-get install nftables
? unknown  IPVS        nobody knows

1 ok, 1 warn, 1 fail, 1 unknown
`,
  );
});

test('in lines of a terminal, commands in one piece, and in colours', () => {
  const lines = findingsText(findings, { paint, columns: 60 }).split('\n');
  expect(lines.slice(0, 5)).toEqual([
    '<green>✓ ok     </>  kernel      6.12.9',
    '<yellow>! warn   </>  node ports  30000-32767 overlap',
    '                       net.ipv4.ip_local_port_range',
    '                       1024-65535: programs get them',
    '                       <bold>fix: sysctl -w net.ipv4.ip_local_reserved_ports=30000-32767</>',
  ]);
});
