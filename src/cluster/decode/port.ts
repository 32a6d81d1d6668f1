// Reads what ports of Services and of slices share: untrusted fields in, a name, a protocol and a
// number out, or a problem at their path.
import { isDnsLabel } from './metadata.ts';
import { described, readChoice, readText, report, type Field } from './json-field.ts';
import { quoted } from '../problem.ts';
import type { Protocol } from '../../model/kubernetes.ts';

const protocols: Readonly<Record<'TCP' | 'UDP' | 'SCTP', Protocol>> = {
  TCP: 'tcp',
  UDP: 'udp',
  SCTP: 'sctp',
};

/** A port number from 1 to 65535. */
export function readPortNumber(field: Field): number | undefined {
  const { value } = field;
  if (value === undefined) report(field, 'is missing');
  else if (typeof value === 'string' && /^0\d+$/.test(value)) {
    const octal = /^[0-7]+$/.test(value) ? `, which YAML 1.1 takes for ${parseInt(value, 8)}` : '';
    report(field, `${value} begins with 0${octal}; write ${Number(value)}`);
  } else if (typeof value !== 'number') report(field, `${described(value)} is not a number`);
  else if (!Number.isInteger(value) || value < 1 || value > 65535) {
    report(field, `${value} is not a port (1 to 65535)`);
  } else return value;
  return undefined;
}

/** A node port, or 0 where there is none. */
export function readNodePort(field: Field): number {
  return field.value === undefined || field.value === 0 ? 0 : (readPortNumber(field) ?? 0);
}

/** A protocol; the API server completes an absent one to TCP. */
export function readProtocol(field: Field): Protocol {
  // The wire spells protocols in upper case only, and so must a manifest.
  const choice = readChoice(field, ['TCP', 'UDP', 'SCTP']);
  return protocols[choice ?? 'TCP'];
}

/** A port's name, or '' where it has none. */
export function readPortName(field: Field): string {
  const name = readText(field) ?? '';
  if (name === '' || isDnsLabel(name)) return name;
  report(field, `${quoted(name)} is not a DNS label`);
  return '';
}
