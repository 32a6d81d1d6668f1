// Hears from the kernel what is changed in the tables of nftables, by whom, and as it happens.
import { readlink } from 'node:fs/promises';
import type { Change, End } from '../../netfilter/table-changes.ts';
import { messagesIn } from '../../netfilter/table-changes.ts';
import { NetlinkSocket } from './netlink-socket.ts';

export type HearOptions = {
  /** Is called with each message, in order; with `lost` where some were lost, as more came than was read. */
  readonly onMessage: (message: Change | End | 'lost') => void;
  /** Is called once, when nothing that happens from then on is missed. */
  readonly onListening: () => void;
  readonly signal: AbortSignal;
};

/** Listens until the signal comes. Throws NetlinkError where this machine does not allow it. */
export type HearChanges = (options: HearOptions) => Promise<void>;

// NFNLGRP_NFTABLES.
const tablesGroup = 7;
// As much as is read before anything else has its turn.
const mostReadings = 64;

/** Listens in this network namespace. */
export const hearTableChanges: HearChanges = async ({ onMessage, onListening, signal }) => {
  const socket = await NetlinkSocket.open(tablesGroup);
  const close = (): void => socket.close();
  signal.addEventListener('abort', close, { once: true });
  try {
    if (!signal.aborted) onListening();
    while (!signal.aborted) {
      readSome(socket, onMessage);
      await socket.readable();
    }
  } finally {
    signal.removeEventListener('abort', close);
    close();
  }
};

function readSome(socket: NetlinkSocket, onMessage: HearOptions['onMessage']): void {
  for (let left = mostReadings; left > 0; left -= 1) {
    const reading = socket.read();
    if (reading === 'nothing') return;
    if (reading === 'lost') onMessage('lost');
    else for (const message of messagesIn(reading)) onMessage(message);
  }
}

/** Whether ids of processes are those of the whole machine here, as the kernel tells them of others. */
export async function seesMachinePids(): Promise<boolean> {
  // The number of the first pid namespace is a constant of the kernel (PROC_PID_INIT_INO).
  return (await readlink('/proc/self/ns/pid')) === 'pid:[4026531836]';
}
