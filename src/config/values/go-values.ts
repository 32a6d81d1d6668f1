// Parses values as Go's flag packages do, so that a command line written for kube-proxy means the same
// here: text in, a value or undefined out.

const unitMs: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  μs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
};

// Longer text is no number; the bound keeps the arithmetic exact enough and the patterns fast.
const longestNumberText = 64;

/** A Go duration such as `1m30s`, `15m0s` or `0`, in milliseconds. */
export function parseDurationMs(text: string): number | undefined {
  const [, sign, rest = ''] = /^([+-]?)(.*)$/s.exec(text) ?? [];
  if (rest === '0') return 0;
  if (rest.length > longestNumberText) return undefined;
  if (!/^((\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h))+$/.test(rest)) return undefined;
  let total = 0;
  for (const [, amount, unit = ''] of rest.matchAll(/(\d+\.?\d*|\.\d+)([a-zµμ]+)/g)) {
    total += Number(amount) * (unitMs[unit] ?? 0);
  }
  return sign === '-' ? -total : total;
}

/** As Go prints a duration: `30s`, `15m0s`, `24h0m0s`, `1.5ms`, `0s`. */
export function formatDuration(ms: number): string {
  const sign = ms < 0 ? '-' : '';
  const ns = Math.round(Math.abs(ms) * 1e6);
  if (ns === 0) return '0s';
  if (ns < 1e3) return `${sign}${ns}ns`;
  if (ns < 1e6) return `${sign}${ns / 1e3}µs`;
  if (ns < 1e9) return `${sign}${ns / 1e6}ms`;
  const seconds = Math.floor(ns / 1e9);
  const fraction = String(ns - seconds * 1e9)
    .padStart(9, '0')
    .replace(/0+$/, '');
  const rest = `${seconds % 60}${fraction === '' ? '' : `.${fraction}`}s`;
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
  if (hours > 0) return `${sign}${hours}h${minutes}m${rest}`;
  return `${sign}${minutes > 0 ? `${minutes}m` : ''}${rest}`;
}

/** An integer in any of Go's spellings: decimal, `0x`, `0o` or a leading 0 for octal, `0b`. */
export function parseInteger(text: string): number | undefined {
  if (text.length > longestNumberText) return undefined;
  const [, sign, digits] = /^([+-]?)(0x[\da-f]+|0o?[0-7]+|0b[01]+|0|[1-9]\d*)$/i.exec(text) ?? [];
  if (digits === undefined) return undefined;
  const value = Number(digits.replace(/^0(?=[0-7])/, '0o'));
  if (!Number.isSafeInteger(value)) return undefined;
  return sign === '-' && value !== 0 ? -value : value;
}

/** A decimal number such as `5` or `2.5`. */
export function parseDecimal(text: string): number | undefined {
  return text.length <= longestNumberText && /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d{1,2})?$/i.test(text)
    ? Number(text)
    : undefined;
}

/** A truth value in any of Go's spellings. */
export function parseBoolean(text: string): boolean | undefined {
  if (['1', 't', 'T', 'true', 'TRUE', 'True'].includes(text)) return true;
  if (['0', 'f', 'F', 'false', 'FALSE', 'False'].includes(text)) return false;
  return undefined;
}
