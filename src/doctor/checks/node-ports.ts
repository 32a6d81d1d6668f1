// Does the kernel give ports to programs of the host that are node ports? Such a connection of theirs
// breaks as soon as a Service gets the port (kubernetes/kubernetes#63617, #112559).
import type { Check } from '../../host/finding.ts';

const range = 'net.ipv4.ip_local_port_range';
const reserved = 'net.ipv4.ip_local_reserved_ports';

export const nodePortsCheck: Check = ({ sysctls }, { nodePorts }) => {
  const check = 'node ports';
  const [first, last] = (sysctls.get(range) ?? '').split(/\s+/).map(Number);
  if (first === undefined || last === undefined) {
    return [{ check, status: 'unknown', finding: `${range} cannot be read` }];
  }
  const whole = `${nodePorts.first}-${nodePorts.last}`;
  const kept = sysctls.get(reserved) ?? '';
  const from = Math.max(first, nodePorts.first);
  const to = Math.min(last, nodePorts.last);
  if (from > to) return [{ check, status: 'ok', finding: `${whole} are outside of ${range}` }];
  const free = firstFree(from, to, rangesIn(kept));
  if (free === undefined) return [{ check, status: 'ok', finding: `${whole} are reserved` }];
  const ports = [...(kept === '' ? [] : [kept]), whole].join(',');
  return [
    {
      check,
      status: 'warn',
      finding: `${whole} overlap ${range} ${first}-${last}: programs of this host are given node ports`,
      fix: `sysctl -w ${reserved}=${ports}`,
    },
  ];
};

type Range = readonly [first: number, last: number];

function rangesIn(text: string): readonly Range[] {
  const parts = text.split(',').filter((part) => part !== '');
  return parts.map((part): Range => {
    const [first = 0, last = first] = part.split('-').map(Number);
    return [first, last];
  });
}

/** The first port of a range that is in none of the others. */
function firstFree(from: number, to: number, ranges: readonly Range[]): number | undefined {
  let port = from;
  for (const [first, last] of ranges.toSorted(([a], [b]) => a - b)) {
    if (first > port) break;
    port = Math.max(port, last + 1);
  }
  return port > to ? undefined : port;
}
