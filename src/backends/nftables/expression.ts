// nft expressions in the shape of libnftables' JSON (man libnftables-json), as far as our rules use
// it, and their text: one structure, two spellings. What nft lists reads back through the same text.
import { parseIp } from '../../model/ip.ts';

/** A value that a statement looks at or sets. */
export type Expression =
  | string
  | number
  | { readonly payload: { readonly protocol: string; readonly field: string } }
  | { readonly meta: { readonly key: string } }
  | { readonly ct: { readonly key: string; readonly dir?: 'original' } }
  | { readonly fib: { readonly result: string; readonly flags: readonly string[] } }
  | { readonly prefix: { readonly addr: string; readonly len: number } }
  | { readonly concat: readonly Expression[] }
  | { readonly set: readonly Expression[] }
  | { readonly numgen: { readonly mode: string; readonly mod: number; readonly offset: number } }
  | { readonly map: { readonly key: Expression; readonly data: Expression } }
  | { readonly '|': readonly [Expression, Expression] }
  | { readonly '&': readonly [Expression, Expression] }
  | { readonly '^': readonly [Expression, Expression] };

/** One statement of a rule. */
export type Statement =
  | {
      readonly match: {
        readonly op: string;
        readonly left: Expression;
        readonly right: Expression;
      };
    }
  | { readonly vmap: { readonly key: Expression; readonly data: string } }
  | { readonly mangle: { readonly key: Expression; readonly value: Expression } }
  /** To what a map says; with a constant port, nft lists no family. */
  | { readonly dnat: { readonly family: string; readonly addr: Expression } }
  | { readonly dnat: { readonly addr: Expression; readonly port: number } }
  /** Adds an element to a map, or lets one that is there keep its data and begin its time again. */
  | { readonly map: MapUpdate }
  /** As nft spells it: it has no JSON for some statements that it lists. */
  | { readonly text: string }
  | { readonly masquerade: { readonly flags: string } }
  | { readonly jump: { readonly target: string } }
  | { readonly goto: { readonly target: string } }
  | { readonly return: null }
  | { readonly reject: null }
  | { readonly drop: null }
  | { readonly accept: null };

type MapUpdate = {
  readonly op: 'update';
  readonly elem: Expression;
  readonly data: Expression;
  readonly map: string;
};

/** An IP protocol by number: nft lists numbers where the host has no /etc/protocols. */
export const protocolNames: Readonly<Record<string, string>> = { 6: 'tcp', 17: 'udp', 132: 'sctp' };

/** A statement as nft's own language spells it. */
export function statementText(statement: Statement): string {
  if ('text' in statement) return statement.text;
  if ('match' in statement) return matchText(statement.match);
  if ('vmap' in statement) {
    return `${expressionText(statement.vmap.key)} vmap ${statement.vmap.data}`;
  }
  if ('mangle' in statement) {
    const { key, value } = statement.mangle;
    return `${expressionText(key)} set ${expressionText(value)}`;
  }
  if ('dnat' in statement) {
    const to = expressionText(statement.dnat.addr);
    return 'port' in statement.dnat
      ? `dnat to ${to}:${statement.dnat.port}`
      : `dnat ${statement.dnat.family} to ${to}`;
  }
  if ('map' in statement) {
    const { op, elem, data, map } = statement.map;
    return `${op} ${map} { ${expressionText(elem)} : ${expressionText(data)} }`;
  }
  if ('masquerade' in statement) return `masquerade ${String(statement.masquerade?.flags)}`;
  if ('jump' in statement) return `jump ${statement.jump.target}`;
  if ('goto' in statement) return `goto ${statement.goto.target}`;
  // Of these nft lists details that it fills in itself; only the name is ours.
  for (const name of ['reject', 'drop', 'accept', 'return'] as const) {
    if (name in statement) return name;
  }
  return JSON.stringify(statement);
}

/** An expression as nft's own language spells it. */
export function expressionText(expression: Expression): string {
  if (typeof expression === 'string') return addressText(expression);
  if (typeof expression === 'number') return String(expression);
  if ('payload' in expression) return `${expression.payload.protocol} ${expression.payload.field}`;
  if ('meta' in expression) return `meta ${expression.meta.key}`;
  if ('ct' in expression) {
    const { key, dir } = expression.ct;
    return dir === undefined ? `ct ${key}` : `ct ${dir} ${key}`;
  }
  if ('fib' in expression)
    return `fib ${expression.fib.flags.join(' . ')} ${expression.fib.result}`;
  if ('prefix' in expression) {
    return `${addressText(expression.prefix.addr)}/${expression.prefix.len}`;
  }
  if ('concat' in expression) return expression.concat.map(expressionText).join(' . ');
  if ('set' in expression) return `{ ${expression.set.map(expressionText).join(', ')} }`;
  if ('numgen' in expression) {
    const { mode, mod, offset } = expression.numgen;
    return `numgen ${mode} mod ${mod}${offset === 0 ? '' : ` offset ${offset}`}`;
  }
  if ('map' in expression) {
    return `${expressionText(expression.map.key)} map ${expressionText(expression.map.data)}`;
  }
  for (const operator of ['|', '&', '^'] as const) {
    const operands = (expression as Partial<Record<typeof operator, [Expression, Expression]>>)[
      operator
    ];
    if (operands === undefined) continue;
    return `${expressionText(operands[0])} ${operator} ${hexadecimal(operands[1])}`;
  }
  return JSON.stringify(expression);
}

// An IPv6 address has several spellings, and nft chooses its own.
function addressText(text: string): string {
  return text.includes(':') ? (parseIp(text) ?? text) : text;
}

function matchText({
  op,
  left,
  right,
}: {
  op: string;
  left: Expression;
  right: Expression;
}): string {
  const text = expressionText(left);
  const isProtocol = text === 'meta l4proto';
  const value = isProtocol ? protocolText(right) : valueText(text, right);
  return op === '==' || op === 'in' ? `${text} ${value}` : `${text} ${op} ${value}`;
}

function protocolText(value: Expression): string {
  const text = expressionText(value);
  return protocolNames[text] ?? text;
}

function valueText(left: string, right: Expression): string {
  const text = expressionText(right);
  return left === 'meta iifname' ? `"${text}"` : text;
}

function hexadecimal(value: Expression): string {
  return typeof value === 'number'
    ? `0x${value.toString(16).padStart(8, '0')}`
    : expressionText(value);
}
