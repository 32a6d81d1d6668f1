// Sends one Event to the API server. In: what happened. Out: nothing, or the reason why not, as an ApiError.
import { ApiError } from '../../../errors.ts';
import type { ClusterEvent, Regarding } from '../../../model/cluster-event.ts';
import { textOf } from '../connection/answer.ts';
import type { ApiConnection, RequestLimits } from '../connection/connection.ts';
import { eventObject, type Occurrence } from './event-object.ts';

const quietMs = 10_000;
// A list of one Service, whatever is in its annotations.
const longestList = 4 * 1024 * 1024;

/** What is sent, and from where. */
export type SentEvent = {
  readonly event: ClusterEvent;
  readonly when: Occurrence;
  readonly nodeName: string;
};

/** Resolves when the server has it, or when it is about something that is gone; rejects with an ApiError. */
export async function sendEvent(
  { event, when, nodeName }: SentEvent,
  connection: ApiConnection,
  signal: AbortSignal,
): Promise<void> {
  const limits = { signal, quietMs: () => quietMs };
  const { regarding } = event;
  const uid = regarding.uid ?? (await uidOf(regarding, connection, limits));
  if (uid === undefined) return;
  const object = eventObject({ ...event, regarding: { ...regarding, uid } }, when, { nodeName });
  const path = `/apis/events.k8s.io/v1/namespaces/${object.metadata.namespace}/events`;
  try {
    await connection.post(path, object, limits);
  } catch (error) {
    // It has been said, by another node or by this one before the answer was lost.
    if (!(error instanceof ApiError) || error.status !== 409) throw error;
  }
}

// `kubectl describe` finds no Event without it. A list, since that is a right that the proxy has anyway.
async function uidOf(
  { namespace, name }: Regarding,
  connection: ApiConnection,
  limits: RequestLimits,
): Promise<string | undefined> {
  const query = new URLSearchParams({ fieldSelector: `metadata.name=${name}` });
  const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/services?${query.toString()}`;
  const text = await textOf(await connection.get(path, limits), longestList);
  try {
    const { items } = JSON.parse(text) as {
      readonly items: readonly { readonly metadata: { readonly uid?: unknown } }[] | null;
    };
    const uid = items?.[0]?.metadata.uid;
    return typeof uid === 'string' ? uid : undefined;
  } catch (error) {
    throw new ApiError('the list of one Service cannot be read', { status: 422 }, { cause: error });
  }
}
