// What a scalar stands for in the core schema of YAML 1.2: its event in, a text, number, boolean or null out.
import {
  boolCoreTag,
  floatCoreTag,
  getScalarValue,
  intCoreTag,
  NOT_RESOLVED,
  nullCoreTag,
  SCALAR_STYLE,
  type ScalarEvent,
} from 'js-yaml';

/** What the handles of a document's tags stand for, beside `!!`. */
export type TagHandles = ReadonlyMap<string, string>;

const coreTags = [nullCoreTag, boolCoreTag, intCoreTag, floatCoreTag] as const;
const corePrefix = 'tag:yaml.org,2002:';

/** The value of a scalar; one with a tag that is not known, or that does not fit, is a text. */
export function scalarValue(text: string, event: ScalarEvent, handles: TagHandles): unknown {
  const value = getScalarValue(text, event);
  if (event.tagStart !== -1) {
    return taggedValue(value, tagName(text.slice(event.tagStart, event.tagEnd), handles));
  }
  return event.style === SCALAR_STYLE.PLAIN ? plainValue(value) : value;
}

/** A scalar as the key of a field; null is ''. */
export function keyText(value: unknown): string {
  return value === null ? '' : String(value as string | number | boolean);
}

/** What a scalar without quotes or tag stands for. */
export function plainValue(value: string): unknown {
  switch (value.charCodeAt(0)) {
    case 0x4e /* N */:
    case 0x6e /* n */:
    case 0x7e /* ~ */:
      return resolvedBy(nullCoreTag, value);
    case 0x46 /* F */:
    case 0x54 /* T */:
    case 0x66 /* f */:
    case 0x74 /* t */:
      return resolvedBy(boolCoreTag, value);
    default:
      return mayBeNumber(value) ? numberOf(value) : value === '' ? null : value;
  }
}

/** True for what starts with a digit, a sign or a dot. */
function mayBeNumber(value: string): boolean {
  const first = value.charCodeAt(0);
  return (first >= 0x30 && first <= 0x39) || first === 0x2b || first === 0x2d || first === 0x2e;
}

function numberOf(value: string): unknown {
  const whole = intCoreTag.resolve(value, false, intCoreTag.tagName);
  return whole === NOT_RESOLVED ? resolvedBy(floatCoreTag, value) : whole;
}

function taggedValue(value: string, name: string): unknown {
  const tag = coreTags.find(({ tagName: known }) => known === name);
  return tag === undefined ? value : resolvedBy(tag, value);
}

function resolvedBy(tag: (typeof coreTags)[number], value: string): unknown {
  const resolved = tag.resolve(value, false, tag.tagName);
  return resolved === NOT_RESOLVED ? value : resolved;
}

/** The name in full: `tag:yaml.org,2002:int` for `!!int`. */
function tagName(raw: string, handles: TagHandles): string {
  if (raw.startsWith('!<')) return raw.slice(2, -1);
  const handle = raw.slice(0, raw.indexOf('!', 1) + 1) || '!';
  const prefix = handles.get(handle) ?? (handle === '!!' ? corePrefix : handle);
  return prefix + raw.slice(handle.length);
}
