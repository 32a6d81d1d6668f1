// The digests in names: the first characters of the base32 (RFC 4648) of a SHA-256, as kube-proxy hashes.
import { hash } from 'node:crypto';

const base32Digits = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

/** The first `length` characters of the digest of `text`; each stands for 5 bits. */
export function shortHash(text: string, length: 8 | 16): string {
  return BigInt(`0x${hash('sha256', text, 'hex').slice(0, (length * 5) / 4)}`)
    .toString(32)
    .padStart(length, '0')
    .replaceAll(/./g, (digit) => base32Digits.charAt(Number.parseInt(digit, 32)));
}
