// The conditions of an iptables rule, each from the option or the module that says it.
import type { Cidr } from '../../../model/ip.ts';
import { hostCidr, parseCidr, parseIp } from '../../../model/ip.ts';
import type { Protocol } from '../../../model/kubernetes.ts';
import { fromProbability } from '../fraction.ts';
import type { IptablesMatch, Option } from './rule.ts';

/** What was understood; undefined where it was not. */
export type Matches = readonly IptablesMatch[] | undefined;

/** A condition that needs no module. */
export function parsePlain({ name, is, values }: Option, rest: readonly Option[]): Matches {
  const [value = ''] = values;
  if (values.length !== 1 || rest.length > 0) return undefined;
  switch (name) {
    case '-s':
    case '-d': {
      const cidr = parseNetwork(value);
      const kind = name === '-s' ? 'source' : 'destination';
      return cidr && [{ kind, is, cidr }];
    }
    case '-i':
      return [{ kind: 'in-interface', is, name: value }];
    case '-p':
      return value === 'all' ? undefined : [{ kind: 'protocol', is, protocol: nameOf(value) }];
    default:
      return undefined;
  }
}

function parseNetwork(text: string): Cidr | undefined {
  if (text.includes('/')) return parseCidr(text);
  const ip = parseIp(text);
  return ip && hostCidr(ip);
}

const protocols: Readonly<Record<string, Protocol>> = { 6: 'tcp', 17: 'udp', 132: 'sctp' };

function nameOf(protocol: string): string {
  return protocols[protocol] ?? protocol;
}

/** The conditions of `-m NAME` with its options. */
export function parseModule(name: string, options: readonly Option[]): Matches {
  const [option] = options;
  const isAlone = options.length === 1 && option !== undefined;
  switch (name) {
    case 'tcp':
    case 'udp':
    case 'sctp':
      if (option === undefined) return [];
      return isAlone && option.name === '--dport' ? parsePort(option) : undefined;
    case 'mark':
      return isAlone && option.name === '--mark' ? parseMark(option) : undefined;
    case 'conntrack':
    case 'state': {
      const isState = isAlone && /^--(ct)?state$/.test(option.name) && option.values.length === 1;
      const states = option?.values[0]?.split(',') ?? [];
      return isState ? [{ kind: 'state', is: option.is, states }] : undefined;
    }
    case 'addrtype':
      return all(options.map(parseAddressType));
    case 'statistic':
      return parseStatistic(options);
    case 'recent':
      return parseRecent(options);
    case 'nfacct':
      // It counts packets.
      return isAlone && option.name === '--nfacct-name' ? [] : undefined;
    default:
      return undefined;
  }
}

function parsePort({ is, values }: Option): Matches {
  const [, first, last = first] = /^(\d{1,5})(?::(\d{1,5}))?$/.exec(values.join(' ')) ?? [];
  return first === undefined
    ? undefined
    : [{ kind: 'port', is, first: Number(first), last: Number(last) }];
}

function parseMark({ is, values }: Option): Matches {
  const [value, mask] = parseMasked(values.join(' ')) ?? [];
  if (value === undefined || mask === undefined) return undefined;
  return [{ kind: 'mark', is, value, mask }];
}

/** `VALUE[/MASK]`, decimal or with 0x. */
export function parseMasked(text: string): readonly [number, number] | undefined {
  const [value = Number.NaN, mask = 0xffff_ffff, ...more] = text.split('/').map(parseNumber);
  const isGood = [value, mask].every((number) => number <= 0xffff_ffff) && more.length === 0;
  return isGood ? [value, mask] : undefined;
}

function parseNumber(text: string): number {
  return /^(0x[\da-f]{1,8}|0|[1-9]\d{0,9})$/i.test(text) ? Number(text) : Number.NaN;
}

function parseAddressType({ name, is, values }: Option): Matches {
  if (values.length !== 1 || values[0] !== 'LOCAL') return undefined;
  if (name === '--src-type') return [{ kind: 'local', is, end: 'source' }];
  return name === '--dst-type' ? [{ kind: 'local', is, end: 'destination' }] : undefined;
}

function parseStatistic(options: readonly Option[]): Matches {
  const [mode, probability, ...more] = options;
  const text = probability?.values.join(' ') ?? '';
  const isRandom =
    more.length === 0 &&
    mode?.name === '--mode' &&
    mode.values.join(' ') === 'random' &&
    probability?.name === '--probability' &&
    probability.is &&
    /^[01]\.\d{1,20}$/.test(text);
  const value = Number(text);
  if (!isRandom || value > 1) return undefined;
  if (value === 0) return [{ kind: 'random', share: { numerator: 0n, denominator: 1n } }];
  return [{ kind: 'random', share: fromProbability(value) }];
}

// What narrows a look-up down; a client that was never seen is not found whatever they say.
const recentDetails = ['--name', '--mask', '--rsource', '--seconds', '--reap'];

function parseRecent(options: readonly Option[]): Matches {
  const [use, ...others] = options.filter(({ name }) => !recentDetails.includes(name));
  if (use === undefined || others.length > 0 || use.values.length > 0) return undefined;
  if (use.name === '--set') return [{ kind: 'recent', is: use.is, use: 'set' }];
  const isCheck = use.name === '--rcheck' || use.name === '--update';
  return isCheck ? [{ kind: 'recent', is: use.is, use: 'check' }] : undefined;
}

function all(parsed: readonly Matches[]): Matches {
  const known = parsed.flatMap((matches) => matches ?? []);
  return known.length > 0 && known.length === parsed.length ? known : undefined;
}
