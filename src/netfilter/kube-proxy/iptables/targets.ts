// What an iptables rule does: its target with the target's options.
import { parseIp } from '../../../model/ip.ts';
import { parseMasked } from './matches.ts';
import type { IptablesTarget, Option } from './rule.ts';

/** What `-j NAME` or `-g NAME` does with its options; undefined where that is not understood. */
export function parseTarget(
  flag: '-j' | '-g',
  name: string,
  options: readonly Option[],
): IptablesTarget | undefined {
  if (isKubernetesChain(name)) {
    return options.length > 0 ? undefined : { kind: flag === '-j' ? 'jump' : 'goto', chain: name };
  }
  if (flag === '-g') return undefined;
  switch (name) {
    case 'RETURN':
    case 'ACCEPT':
    case 'DROP':
      return options.length > 0 ? undefined : { kind: verdicts[name] };
    case 'REJECT':
      return { kind: 'reject' };
    case 'MASQUERADE':
      return { kind: 'masquerade' };
    case 'DNAT':
      return parseDnat(options);
    case 'MARK':
      return parseSetMark(options);
    default:
      return undefined;
  }
}

const verdicts = { RETURN: 'return', ACCEPT: 'accept', DROP: 'drop' } as const;

// Chains with the prefix that belong to kube-router, a network policy's.
const others = /^KUBE-(?:ROUTER|NWPLCY|POD-FW)-/;

/** Whether kube-proxy, or the kubelet beside it, made the chain of this name; or we did. */
export function isKubernetesChain(name: string): boolean {
  return name.startsWith('KUBE-') && !others.test(name);
}

// An IPv6 address with a port stands in brackets, one without stands bare.
const endpointPattern = /^(?:\[([\da-f:.]+)\]|([\d.]+))(?::(\d{1,5}))?$|^([\da-f:]+)$/;

function parseDnat(options: readonly Option[]): IptablesTarget | undefined {
  const [to, ...more] = options;
  const isSure = to?.name === '--to-destination' && to.is && to.values.length === 1;
  const isOnlyHow = more.every(({ name }) => /^--(random|persistent)$/.test(name));
  if (!isSure || !isOnlyHow) return undefined;
  const [, bracketed, dotted, port, bare = ''] = endpointPattern.exec(to.values[0] ?? '') ?? [];
  const ip = parseIp(bracketed ?? dotted ?? bare);
  return ip && { kind: 'dnat', ip, port: port === undefined ? undefined : Number(port) };
}

function parseSetMark(options: readonly Option[]): IptablesTarget | undefined {
  const [option, ...more] = options;
  const [value, mask] = parseMasked(option?.values.join(' ') ?? '') ?? [];
  if (option === undefined || value === undefined || mask === undefined) return undefined;
  if (more.length > 0 || !option.is) return undefined;
  switch (option.name) {
    case '--set-xmark':
      return { kind: 'mark', keep: ~mask >>> 0, flip: value };
    case '--set-mark':
      return { kind: 'mark', keep: ~(mask | value) >>> 0, flip: value };
    case '--or-mark':
      return { kind: 'mark', keep: ~value >>> 0, flip: value };
    case '--xor-mark':
      return { kind: 'mark', keep: 0xffff_ffff, flip: value };
    case '--and-mark':
      return { kind: 'mark', keep: value, flip: 0 };
    default:
      return undefined;
  }
}
