// TCP connections that an agent keeps open by name. In: a name and where to connect. Out: what each
// use of the connection met. Built-in modules only; see agent.ts.
import { connect, type Socket } from 'node:net';
import { tryOfError, tryOfIdentity, tryTimeoutMs } from './attempt.ts';
import type { HeldCommand, Try } from './protocol.ts';

/** The open connections of one agent, by name. */
export type Held = Map<string, Socket>;

/** Opens a connection and asks over it once. */
export async function holdOpen(
  held: Held,
  { connection, to, port }: Extract<HeldCommand, { kind: 'open' }>,
): Promise<Try> {
  const socket = connect({ host: to, port, noDelay: true });
  // Between two pings nobody listens, and a reset is then not an error but the next answer.
  socket.on('error', () => undefined);
  held.set(connection, socket);
  return ask(socket);
}

/** Asks over a connection that is open. */
export async function pingHeld(held: Held, connection: string): Promise<Try> {
  const socket = held.get(connection);
  if (socket === undefined) throw new Error(`no connection is named ${connection}`);
  if (socket.destroyed || socket.readableEnded) return { result: 'refused' };
  return ask(socket);
}

/** Closes a connection; one that is closed already is none. */
export function closeHeld(held: Held, connection: string): void {
  held.get(connection)?.destroy();
  held.delete(connection);
}

async function ask(socket: Socket): Promise<Try> {
  const answers = Promise.withResolvers<Try>();
  const onData = (data: Buffer): void => answers.resolve(tryOfIdentity(data.toString()));
  const onEnd = (): void => answers.resolve({ result: 'refused' });
  const timer = setTimeout(() => answers.resolve({ result: 'timeout' }), tryTimeoutMs);
  socket.on('error', answers.reject).on('data', onData).on('end', onEnd);
  try {
    socket.write('who?\n');
    return await answers.promise;
  } catch (error) {
    return tryOfError(error);
  } finally {
    clearTimeout(timer);
    socket.off('error', answers.reject).off('data', onData).off('end', onEnd);
  }
}
