// A limit that is passed, as one line.
import { hostPort } from '../model/forwarding.ts';
import type { Refusal } from './gates.ts';

/** `refused: shop/web would lose 2 of 6 endpoints (33%), more than 30%`; names of Services are as they come. */
export function refusalText(refusal: Refusal): string {
  const { lost, of } = refusal;
  const share = `${Math.round((lost / of) * 100)}%`;
  if (refusal.gate === 'services-lost') {
    const { kind, value } = refusal.limit;
    const limit = kind === 'percent' ? `${value}%` : String(value);
    return `refused: ${lost} of ${counted(of, 'Service')} would go (${share}), more than ${limit}`;
  }
  const endpoints = `${lost} of ${counted(of, 'endpoint')} (${share})`;
  const where = refusal.at === undefined ? '' : ` ${placeText(refusal.at)}`;
  const limit = `more than ${refusal.limitPercent}%`;
  return `refused: ${refusal.service} would lose ${endpoints}${where}, ${limit}`;
}

function placeText({
  address,
  scope,
}: NonNullable<Extract<Refusal, { at?: unknown }>['at']>): string {
  const { ip, port, protocol } = address;
  const at = `${ip === undefined ? `node port ${port}` : hostPort(ip, port)}/${protocol}`;
  return `at ${at}${scope === 'outside' ? ' from outside' : ''}`;
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
