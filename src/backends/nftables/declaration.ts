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
  const type = `typeof ${spell(key)}`;
  if (timeoutSeconds !== undefined) {
    return `${type} ; flags dynamic,timeout ; timeout ${timeoutSeconds}s ; size ${dynamicSize} ;`;
  }
  const counter = counts === true ? ' counter ;' : '';
  if (data === undefined) return `${type} ;${counter}`;
  return `${type} : ${data === 'verdict' ? data : spell(data)} ;${counter}`;
}

/** The declaration of a container as fields of a JSON object. */
export function declarationJson(family: Family, container: Container): object {
  const { key, data, timeoutSeconds, counts } = container;
  const spell = (fields: readonly Field[]): object => ({
    typeof: concat(fieldExpressions(family, fields, container.protocol)),
  });
  const type = { type: spell(key) };
  if (timeoutSeconds !== undefined) {
    const flags = ['dynamic', 'timeout'];
    return { ...type, flags, timeout: timeoutSeconds, size: dynamicSize };
  }
  const counter = counts === true ? { stmt: [{ counter: null }] } : {};
  if (data === undefined) return { ...type, ...counter };
  // Any verdict stands for the type of all.
  return {
    ...type,
    ...counter,
    map: data === 'verdict' ? { typeof: { accept: null } } : spell(data),
  };
}

function concat(fields: readonly Expression[]): Expression {
  const [first] = fields;
  return first !== undefined && fields.length === 1 ? first : { concat: fields };
}
