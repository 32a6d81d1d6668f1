// Why an endpoint gets no traffic, in words.
import { skipWords, type Reason, type SkipKind } from '../../model/reason.ts';

/** The words, with the zones or nodes that it is meant for. */
export function reasonText({ kind, value }: Reason<SkipKind>): string {
  const isMeant = kind === 'other-zone' || kind === 'other-node';
  return isMeant ? `${skipWords[kind]}: ${value}` : skipWords[kind];
}
