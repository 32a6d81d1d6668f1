// What a set or map is declared to hold, in nft's language and as libnftables JSON. All of it is declared
// by `typeof`: a slot has no type name of its own (man nft, "typeof"), and nft 1.0.6 crashes when it lists
// what nft 1.1.3 declared by `type`, so that neither could take over from the other.
import type { Family } from '../../model/ip.ts';
import type { Expression } from './expression.ts';
import { expressionText } from './expression.ts';
import type { Container, Field } from './schema.ts';
import { fieldExpressions } from './schema.ts';

// What nft gives a set that packets fill when it is told no size; kube-proxy's are as large.
const dynamicSize = 65535;

/** The declaration of a container as nft's language has it between braces. */
export function declarationText(family: Family, container: Container): string {
  const { key, data, timeoutSeconds, counts } = container;
  const spell = (fields: readonly Field[]): string =>
    expressionText(concat(fieldExpressions(family, fields, container.protocol)));
  const value = data === 'verdict' ? data : data && spell(data);
  const type = `typeof ${spell(key)}${value === undefined ? '' : ` : ${value}`} ;`;
  if (timeoutSeconds !== undefined) {
    return `${type} flags dynamic,timeout ; timeout ${timeoutSeconds}s ; size ${dynamicSize} ;`;
  }
  return counts === true ? `${type} counter ;` : type;
}

/** The declaration of a container as fields of a JSON object. */
export function declarationJson(family: Family, container: Container): object {
  const { key, data, timeoutSeconds, counts } = container;
  const spell = (fields: readonly Field[]): object => ({
    typeof: concat(fieldExpressions(family, fields, container.protocol)),
  });
  // Any verdict stands for the type of all.
  const map = data === 'verdict' ? { typeof: { accept: null } } : data && spell(data);
  const type = { type: spell(key), ...(map === undefined ? {} : { map }) };
  if (timeoutSeconds !== undefined) {
    const flags = ['dynamic', 'timeout'];
    return { ...type, flags, timeout: timeoutSeconds, size: dynamicSize };
  }
  return counts === true ? { ...type, stmt: [{ counter: null }] } : type;
}

function concat(fields: readonly Expression[]): Expression {
  const [first] = fields;
  return first !== undefined && fields.length === 1 ? first : { concat: fields };
}
