// By which interface this host reaches an address.
import { MissingToolError, ToolError } from '../../errors.ts';
import type { Cidr, Family, Ip } from '../../model/ip.ts';
import { cidrContains, hostCidr, parseCidr, parseIp } from '../../model/ip.ts';
import type { Exec } from '../tools/exec.ts';

type Route = { readonly dst?: string; readonly dev?: string };

const everywhere: Readonly<Record<Family, string>> = { IPv4: '0.0.0.0/0', IPv6: '::/0' };

/** Looks interfaces up in the main routing table, as it is now; undefined where it has none, or cannot be read. */
export async function readDevices(
  exec: Exec,
  family: Family,
): Promise<(ip: Ip) => string | undefined> {
  const routes = (await listed(exec, family)).flatMap(({ dst = '', dev }) => {
    const to = cidrOf(dst === 'default' ? everywhere[family] : dst);
    return to === undefined ? [] : [{ to, dev, length: Number(to.split('/')[1]) }];
  });
  const sorted = routes.toSorted((left, right) => right.length - left.length);
  const known = new Map<Ip, string | undefined>();
  return (ip) => {
    if (!known.has(ip)) known.set(ip, sorted.find(({ to }) => cidrContains(to, ip))?.dev);
    return known.get(ip);
  };
}

async function listed(exec: Exec, family: Family): Promise<readonly Route[]> {
  try {
    const args = ['-j', family === 'IPv4' ? '-4' : '-6', 'route', 'show'];
    return JSON.parse((await exec('ip', args)).stdout || '[]') as readonly Route[];
  } catch (error) {
    if (error instanceof MissingToolError || error instanceof ToolError) return [];
    throw error;
  }
}

function cidrOf(text: string): Cidr | undefined {
  const ip = parseIp(text);
  return ip === undefined ? parseCidr(text) : hostCidr(ip);
}
